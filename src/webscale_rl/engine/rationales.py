"""The way to the answer: a model that knows the ground truth writes a short chain of thought for held-out questions.

The data of the supervised warm-up that comes before reinforcement learning (the paper, section 5.1 and appendix B.3).
Written by a run of its own in DIR/rationales, whose documents are questions: its answers are journalled, retried,
capped and resumed as in any run. Kept is what ends in a final answer that the reward takes for right and may teach a
model to reason (`reasoning.py`); all else is a Drop, or a Failure.

    run.yaml  replies/  shards/  dropped/  failed/  summary.json  events.jsonl    as in any run directory
    held_out.parquet    the pairs of the documents that are held out of reinforcement learning
    dataset/            the rationales
    ledger.json         what they took
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from webscale_rl.backend import Text
from webscale_rl.config import Parts, Run
from webscale_rl.dataset.held_out import (
    HELD_OUT_FILE,
    RATIONALES,
    Choice,
    HeldOut,
    choose,
    read_held_out,
    write_held_out,
)
from webscale_rl.dataset.rationales import RATIONALE_COLUMNS, card, rationale_batches
from webscale_rl.dataset.writer import PartWriter, dataset_batches, sift
from webscale_rl.engine.finish import money, summarise, tally_of, write_ends, write_summary
from webscale_rl.engine.reasoning import REASONS, Fault, fault, parted, settled
from webscale_rl.engine.sequel import Questions, configuration, sequel
from webscale_rl.engine.shard import finished_shards
from webscale_rl.errors import ConfigError
from webscale_rl.files import replace_folder, scratch_folder
from webscale_rl.ledger import of_summary, write_ledger
from webscale_rl.prompt import defuse
from webscale_rl.reward import reward
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.types import Brief, Document, Drop, Pair, content_id

_ASKED = ("id", "document_id", "question", "answer", "answer_type", "reference", "evidence", "domain", "source", "url")

NOT_REACHED = "none"
"""What the prompt tells a model to answer, and nothing else, if it cannot come to the ground truth honestly."""


class RationaleOptions(PromptedOptions):
    """Options of the rationale stage."""

    min_words: int = Field(3, ge=1, description="fewer are no reasoning")
    max_words: int = Field(300, ge=1, description="more are no short chain of thought")


class Rationale(Stage[Document, Text, Pair]):
    """Asks for the way from a question to its answer. The pair that it gives holds the rationale as its evidence."""

    name = "rationale"
    takes = Document
    gives = Pair
    reasons = frozenset({*REASONS, "not_reached", "wrong", "undecided", "cut_off", "refused"})
    slots = frozenset({"question", "answer", "evidence"})
    reply_type = Text
    Options: ClassVar[Any] = RationaleOptions

    def ask(self, record: Document) -> dict[str, str]:
        """The question, its ground truth, and the words that prove it."""
        told = record.metadata
        evidence = excerpt(told["evidence"], self.options.max_document_chars)
        return {"question": record.text, "answer": told["answer"], "evidence": evidence}

    def decide(self, record: Document, reply: Text) -> list[Pair] | Drop:
        """The question with its rationale and the answer at its end, or why it teaches nothing."""
        if reply.end != "stop":
            return self.drop("cut_off" if reply.end == "length" else "refused")
        said = parted(reply.text)
        if isinstance(said, Fault):
            return self.drop(*said)
        told, question = record.metadata, record.text
        truth, kind = told["reference"] or told["answer"], told["answer_type"]
        said = settled(said, told["answer"], truth, question, kind)
        verdict = reward(said.text, truth, question, kind)
        if verdict.score != 1:
            if not said.reasoning and said.answer.casefold() == NOT_REACHED:
                return self.drop("not_reached")
            detail = defuse(f"{verdict.how}: {verdict.extracted}")[:300]
            return self.drop("undecided" if verdict.score is None else "wrong", detail)
        bounds = (self.options.min_words, self.options.max_words)
        if (found := fault(said, truth, question, kind, bounds)) is not None:
            return self.drop(*found)
        brief = Brief(record, told["domain"], "")
        return [Pair(brief, question, said.answer, kind, said.reasoning, told["reference"])]


def rationales_run(home: Path, model: str | None, settings: Mapping[str, Any], *, given: bool = False) -> Run:
    """The run that asks for rationales: by the model and servers of the run in `home`, or by `model`, or whom
    `settings`, keys of a Run, name. A backend that was `given` knows its model itself.

    Raises ConfigError if `home` holds no finished run, or none that tells which server to ask.
    """
    before = configuration(home)
    named = settings.get("backend", {})
    if not given and named.get("use", before["backend"]["use"]) == before["backend"]["use"]:
        model = model or named.get("model") or before["backend"].get("model")
    own: dict[str, Any] = {
        "pipeline": [f"{__name__}:{Rationale.__name__}"],
        "stages": {Rationale.name: {"model": model} if model else {}},
    }
    values = {"seed": before["seed"], **settings}
    return sequel(home, RATIONALES, values, own, embedded=not (model or named.get("base_urls")))


def held_out_questions(home: Path, choice: Choice) -> Questions:
    """Chooses the documents that are held out, writes down which, and gives their questions. Raises ConfigError if the
    dataset is too small for any."""
    dataset, path = home / "dataset", home / RATIONALES / HELD_OUT_FILE
    earlier = read_held_out(path)
    before = earlier[1] if earlier is not None and earlier[0].seed == choice.seed else ()
    chosen = choose(dataset, choice, before)
    if not chosen.pairs:
        raise ConfigError(
            f"{home}: no document is small enough to be held out: of the dataset's {chosen.of:,} pairs at most"
            f" {choice.share:g} may be; give a larger --share, or make more pairs"
        )
    write_held_out(path, dataset, chosen, choice)
    digest = ""
    for question in _documents(dataset, chosen):
        told = question.metadata
        digest = content_id(digest, question.id, told["reference"], told["evidence"])
    return Questions(digest, chosen.pairs, _documents(dataset, chosen))


def _documents(dataset: Path, chosen: HeldOut) -> Iterator[Document]:
    """The questions as documents; all else that is known of them stands in their metadata."""
    for batch in dataset_batches(dataset, _ASKED):
        for row in batch.to_pylist():
            if row["document_id"] in chosen.documents:
                told = {name: row[name] for name in _ASKED if name not in ("id", "question", "source", "url")}
                yield Document(row["id"], row["question"], row["source"], row["url"], told)


def conclude(config: Run, parts: Parts, choice: Choice, seconds: float) -> dict[str, Any]:
    """Write dataset/, dropped/, failed/, summary.json and ledger.json; gives what became of the questions.

    Raises OSError if the disk is full.
    """
    folder = Path(str(config.out))
    shards = finished_shards(folder)
    stage = parts.pipeline.stages[0]
    books = tally_of(folder, shards)
    with scratch_folder(folder / ".sieves") as scratch:
        write_ends(folder, sift(shards, [], scratch), shards, config.dataset.rows_per_file)
    summary = summarise(books, [stage.name], {stage.name: stage.unit}, []) | money(books, parts)
    told = _told(folder.parent, summary, parts.label(stage), choice)
    with replace_folder(folder / "dataset") as target:
        with PartWriter(target, RATIONALE_COLUMNS, config.dataset.rows_per_file) as writer:
            for batch in rationale_batches(shards, told["generator"]):
                writer.write(batch)
        (target / "README.md").write_text(card(told), encoding="utf-8")
    summary["rationales"] = told
    write_ledger(folder, msgspec.structs.replace(of_summary(summary), seconds=round(seconds, 3)))
    write_summary(folder, summary)
    calls = sum(count["answered"] for count in summary["calls"].values())
    rest = {"failures": summary["failures"], "calls": calls, "usd": summary["usd"], "dataset": str(folder / "dataset")}
    return {**told, **rest, "held_out": str(folder / HELD_OUT_FILE)}


def _told(home: Path, summary: Mapping[str, Any], generator: str, choice: Choice) -> dict[str, Any]:
    found = read_held_out(home / RATIONALES / HELD_OUT_FILE)
    assert found is not None  # it was written before the first question was asked
    asked = summary["funnel"][0]
    return {
        "documents": len(found[1]),
        "asked": asked["seen"],
        "of": sum(len(batch) for batch in dataset_batches(home / "dataset", ("id",))),
        **msgspec.structs.asdict(choice),
        "kept": asked["kept"],
        "dropped": asked["dropped"],
        "failed": sum(asked["failed"].values()),
        "generator": generator,
    }
