"""How hard a question is for a model: asked several times without the document, how often is it right?

Measured by a run of its own in DIR/difficulty, whose documents are the questions of DIR's dataset: one stage makes the
samples of each, the other asks the model. So its answers are journalled, retried, capped and resumed as in any run. A
sample ends solved (kept), as a Drop, or as a Failure; of the drops "wrong" alone counts against the question: what the
rules could not decide, what was cut off and what was refused say nothing of it.

    run.yaml  replies/  shards/  events.jsonl      as in any run directory
    rates.parquet                                  one row for each question; the dataset's column is made of it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from webscale_rl.backend import Sampling, Text
from webscale_rl.config import Parts, Run
from webscale_rl.dataset.difficulty import RATE_COLUMNS, RATES_FILE, Measure, write_rates
from webscale_rl.dataset.writer import dataset_batches, outcome_batches
from webscale_rl.engine.finish import fill_in_difficulty, money, tally_of
from webscale_rl.engine.rundir import DIFFICULTY
from webscale_rl.engine.sequel import Questions, sequel
from webscale_rl.engine.shard import finished_shards
from webscale_rl.prompt import defuse
from webscale_rl.reward import reward
from webscale_rl.stage import PromptedOptions, Stage, StageOptions
from webscale_rl.tally import END_DROPPED, END_FAILED, END_KEPT
from webscale_rl.types import Brief, Document, Drop, Pair, content_id

MAX_TOKENS = 4096
"""Of one answer, as in the run's stages (the paper's 4096). What is cut off there is not decided."""
SAMPLES_PER_SHARD = 4000
"""Answers that are in memory together: 2 KB each, some megabytes."""
_WRONG, _OPEN = "wrong", ("undecided", "cut_off", "refused")


class SamplesOptions(StageOptions):
    """How often each question is asked."""

    samples: int = Field(8, ge=1, le=1000, description="samples of each question")


class Samples(Stage[Document, None, Brief]):
    """Makes the samples of a question. A sample is a Brief whose persona is its number."""

    name = "samples"
    takes = Document
    gives = Brief
    Options: ClassVar[Any] = SamplesOptions

    def decide(self, record: Document, reply: None) -> list[Brief]:
        """All samples."""
        return [Brief(record, "", str(number)) for number in range(self.options.samples)]


class ClosedBookOptions(PromptedOptions):
    """How the model samples: by default as a trainer's rollouts do."""

    temperature: float | None = Field(1.0, ge=0, description="sampling temperature; null leaves it to the server")
    max_tokens: int = Field(MAX_TOKENS, ge=1, description="most tokens of one answer")


class ClosedBook(Stage[Brief, Text, Pair]):
    """Asks a question without its document. No form is asked for: a trainee answers in its own words, too.

    Each sample asks with a seed of its own, so that it is a request of its own; the prompt is the same for all samples
    of a question, so that a server's prefix cache serves them.
    """

    name = "closed_book"
    takes = Brief
    gives = Pair
    reasons = frozenset({_WRONG, *_OPEN})
    slots = frozenset({"question"})
    reply_type = Text
    Options: ClassVar[Any] = ClosedBookOptions

    def sampling_of(self, record: Brief) -> Sampling:
        """The run's sampling, seeded by the sample's number."""
        options = self.options
        return Sampling(options.temperature, options.max_tokens, options.top_p, seed=int(record.persona))

    def ask(self, record: Brief) -> dict[str, str]:
        """The question, and nothing else."""
        return {"question": record.document.text}

    def decide(self, record: Brief, reply: Text) -> list[Pair] | Drop:
        """The pair as the model answered it, with the rule that found it right; or why it is not solved."""
        if reply.end != "stop":
            return self.drop("cut_off" if reply.end == "length" else "refused")
        told = record.document.metadata
        question, kind = record.document.text, told["answer_type"]
        verdict = reward(reply.text, told["reference"] or told["answer"], question, kind)
        if verdict.score == 1:
            return [Pair(record, question, verdict.extracted, kind, verdict.how)]
        detail = defuse(f"{verdict.how}: {verdict.extracted}")[:300]
        return self.drop("undecided" if verdict.score is None else _WRONG, detail)


def closed_book_run(
    home: Path, model: str, samples: int, temperature: float | None, settings: Mapping[str, Any]
) -> Run:
    """The run that measures: asks the servers of the run in `home`, with keys of a Run (`settings`) laid over it.

    Raises ConfigError if `home` holds no finished run, or none that tells which server to ask.
    """
    own = {
        "pipeline": [f"{__name__}:{stage.__name__}" for stage in (Samples, ClosedBook)],
        "stages": {"samples": {"samples": samples}, "closed_book": {"model": model, "temperature": temperature}},
        "shard_size": max(1, SAMPLES_PER_SHARD // max(1, samples)),
    }
    return sequel(home, DIFFICULTY, settings, own)


def questions(home: Path) -> Questions:
    """All questions of the dataset, and a digest of them and of their ground truths."""
    digest, count = "", 0
    for batch in dataset_batches(home / "dataset", ("id", "reference")):
        columns = [batch.column(name).to_pylist() for name in ("id", "reference")]
        digest = content_id(digest, *columns[0], *columns[1])
        count += len(batch)
    return Questions(digest, count, _documents(home))


def _documents(home: Path) -> Iterator[Document]:
    """The dataset's questions as documents; the ground truth stands in their metadata."""
    for batch in dataset_batches(home / "dataset", ("id", "question", "answer", "answer_type", "reference")):
        for row in batch.to_pylist():
            truth = {name: row[name] for name in ("answer", "answer_type", "reference")}
            yield Document(row["id"], row["question"], metadata=truth)


def conclude(config: Run, parts: Parts) -> dict[str, Any]:
    """Write rates.parquet from the finished shards, and fill them in; gives what was found and what it cost."""
    folder = Path(str(config.out))
    shards = finished_shards(folder)
    asked = next(stage for stage in parts.pipeline.stages if stage.name == ClosedBook.name)
    samples = parts.pipeline.stages[0].options.samples
    assert asked.prompt is not None
    measure = Measure(parts.model(asked), samples, asked.options.temperature, asked.prompt.digest)
    write_rates(folder / RATES_FILE, _rates(shards), measure)
    books = tally_of(folder, shards)
    ends = books.at(ClosedBook.name, (), "pair")
    answers = {"solved": ends.kept, **{word: ends.dropped.get(word, 0) for word in (_WRONG, *_OPEN)}}
    calls = sum(count.answered for count in books.calls.values())
    home = folder.parent
    return {
        **fill_in_difficulty(home)["difficulty"],
        "answers": answers | {"failed": sum(ends.failed.values())},
        "failures": books.failures(),
        "calls": calls,
        "usd": money(books, parts)["usd"],
        "dataset": str(home / "dataset"),
    }


def _rates(shards: Any) -> Iterator[dict[str, Any]]:
    """A row for each question, from the outcomes of its samples, which stand together."""
    at: int | None = None
    row: dict[str, Any] = {}
    for batch in outcome_batches(shards, ("ordinal", "unit", "end", "reason", "document_id")):
        for outcome in batch.to_pylist():
            if outcome["ordinal"] != at:
                if row:
                    yield _rated(row)
                at, row = outcome["ordinal"], dict.fromkeys(RATE_COLUMNS, 0) | {"id": outcome["document_id"]}
            if outcome["unit"] == "pair":
                row[_counted_as(outcome["end"], outcome["reason"])] += 1
    if row:
        yield _rated(row)


def _counted_as(end: str, reason: str | None) -> Literal["solved", "wrong", "undecided", "failed"]:
    if end == END_KEPT:
        return "solved"
    if end == END_FAILED:
        return "failed"
    assert end == END_DROPPED
    return "wrong" if reason == _WRONG else "undecided"


def _rated(row: dict[str, Any]) -> dict[str, Any]:
    decided = row["solved"] + row["wrong"]
    return row | {"difficulty": row["solved"] / decided if decided else None}
