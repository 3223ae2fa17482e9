"""The end of a refining run: from finished shards to refined/, dropped/, failed/, summary.json and ledger.json.

The corpus is read once more beside the shards: what does not change need not be stored twice. All of it is recomputed,
and costs no call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from webscale_rl import __version__
from webscale_rl.config import Parts as RunParts
from webscale_rl.config import Run
from webscale_rl.corpus import Unreadable
from webscale_rl.dataset.writer import outcome_batches
from webscale_rl.engine.feed import Item
from webscale_rl.engine.finish import money, summarise, tally_of
from webscale_rl.engine.rundir import SUMMARY_FILE
from webscale_rl.engine.shard import finished_shards
from webscale_rl.errors import CorpusError
from webscale_rl.files import replace_folder, scratch_folder, write_text
from webscale_rl.ledger import Ledger, write_ledger
from webscale_rl.refine.chunks import REFINED, joined
from webscale_rl.refine.gdr import WORTHLESS
from webscale_rl.refine.parts import Parts
from webscale_rl.refine.qurating import CRITERIA, Select
from webscale_rl.refine.rating import Outcomes, Scores
from webscale_rl.refine.selection import EVERYONE, Mark, mark, ranked, stays
from webscale_rl.refine.tokens import estimated_tokens
from webscale_rl.tally import END_DROPPED, END_FAILED, Count, add_counts
from webscale_rl.types import Document, Drop, Failure

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "refined"
COLUMNS = ("id", "text", "source", "url", "metadata", "method", "refiner", "tokens", "created_with")
OWN_COLUMNS = {"qurating": ("score", *CRITERIA), "prox": ("edits",), "gdr": ("edits",)}
ENDED_COLUMNS = ("stage", "reason", "detail", "document_id", "source", "url")
JUDGING = frozenset({"compare", "worth"})
"""Stages whose calls judge; those of the others write what becomes the text."""
UNITS = {"qurating": "rating", "prox": "chunk", "gdr": "chunk"}
"""What the records of a document are called in the books."""
_ROWS = ("ordinal", "unit", "end", "stage", "reason", "detail", "document_id", "persona", "answer", "evidence")
_HOLES = {"prox": frozenset[str](), "gdr": frozenset({WORTHLESS})}


@dataclass(frozen=True)
class Kept:
    """A document that is written: its text, and what the method says of it."""

    text: str
    told: Mapping[str, Any] = field(default_factory=dict)


Verdict = Kept | Drop | Failure
Judge = Callable[[int, Document, Sequence[Mapping[str, Any]]], Verdict]
"""What becomes of a document that came to its pieces or comparisons, by its ordinal and the rows of its outcomes."""


@dataclass
class Books:
    """What became of the documents, and how many tokens they had, by estimate."""

    documents: Count = field(default_factory=Count)
    last: Count = field(default_factory=Count)
    source: int = 0
    kept: int = 0


def conclude(
    method: str, run: Run, parts: RunParts, corpus: Callable[[], Iterable[Item]], anchors: Sequence[int], seconds: float
) -> dict[str, Any]:
    """Write all that comes of a finished run; gives the summary. Raises CorpusError if the corpus is no longer what it
    was when it was asked about, OSError if the disk is full."""
    folder = Path(str(run.out))
    shards = finished_shards(folder)
    books = Books()
    with scratch_folder(folder / ".refining") as scratch:
        if method == "qurating":
            judge = _selecting(run, parts, shards, scratch / "scores", anchors)
        else:
            judge = _joining(method)
        _write(method, _refiner(parts), folder, _verdicts(_beside(_outcomes(shards), corpus()), judge, books), books)
    summary = _summary(method, run, parts, folder, books)
    write_ledger(folder, _ledger(summary, books, seconds))
    write_text(folder / SUMMARY_FILE, orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode() + "\n")
    return summary


def _outcomes(shards: Sequence[Path]) -> Iterator[Outcomes]:
    rows = (row for batch in outcome_batches(shards, _ROWS) for row in batch.to_pylist())
    for ordinal, group in groupby(rows, key=itemgetter("ordinal")):
        yield ordinal, list(group)


def _beside(outcomes: Iterable[Outcomes], items: Iterable[Item]) -> Iterator[tuple[Outcomes, Item]]:
    """Each document with its outcomes."""
    left = iter(items)
    for ordinal, rows in outcomes:
        item = next(left, None)
        own = item.id if isinstance(item, Document) else item.location if item is not None else ""
        if item is None or own != rows[0]["document_id"]:
            raise CorpusError(
                f"{rows[0]['document_id']}: stands no longer where it stood in the corpus; leave the files as they are"
                " while they are refined, and run again"
            )
        yield (ordinal, rows), item


def _ended(rows: Sequence[Mapping[str, Any]]) -> Drop | Failure | None:
    """How the document itself ended; None if it came to its pieces or comparisons."""
    row = rows[0]
    if row["unit"] == "document" and row["end"] == END_DROPPED:
        return Drop(row["stage"], row["reason"], row["detail"] or "")
    if row["unit"] == "document" and row["end"] == END_FAILED:
        return Failure(row["stage"], row["reason"], row["detail"] or "")
    return None


def _verdicts(documents: Iterable[tuple[Outcomes, Item]], judge: Judge, books: Books) -> Iterator[tuple[Item, Verdict]]:
    """What becomes of each document. `books.last` counts those that came to the last step."""
    for (ordinal, rows), item in documents:
        verdict: Verdict | None = _ended(rows)
        if verdict is None:
            assert isinstance(item, Document)  # what could not be read has ended
            verdict = judge(ordinal, item, rows)
            _count(books.last, verdict, by_stage=False)
        _count(books.documents, verdict, by_stage=True)
        yield item, verdict


def _joining(method: str) -> Judge:
    def judge(ordinal: int, document: Document, rows: Sequence[Mapping[str, Any]]) -> Verdict:
        whole = joined([row for row in rows if row["unit"] == "pair"], _HOLES[method])
        return whole.end or Kept(whole.text, {"edits": whole.edits})

    return judge


def _selecting(run: Run, parts: RunParts, shards: Sequence[Path], path: Path, anchors: Sequence[int]) -> Judge:
    """Scores the corpus, finds out where the budget ends, and then judges documents in the corpus's order."""
    options = {stage.name: stage.options for stage in parts.pipeline.stages}
    select = options[Select.name]
    scores = Scores(path)
    scores.rate(_outcomes(shards), options["opponents"].block, anchors)
    share = 0.5 if select.keep is None else select.keep
    budget = select.budget_tokens or int(scores.tokens * share)

    def keys() -> Iterator[Any]:
        for chunk in scores.chunks():
            values = scores.standardised(chunk, select.criteria)
            yield ranked(values, chunk["ordinal"], chunk["tokens"], select.temperature, run.seed)

    entries = _entries(scores, mark(keys, budget), select, run.seed)

    def judge(ordinal: int, document: Document, rows: Sequence[Mapping[str, Any]]) -> Verdict:
        for row in rows:
            if row["end"] == END_FAILED:
                return Failure(row["stage"], row["reason"], row["detail"] or "")
            if row["end"] == END_DROPPED:
                return Drop(row["stage"], row["reason"], row["detail"] or "")
        its_ordinal, stay, told = next(entries)
        assert its_ordinal == ordinal  # both are in the corpus's order, and hold the same documents
        if not stay:
            return Drop(Select.name, "not_selected", f"score {told['score']:.3f}; {budget:,} tokens stay")
        return Kept(document.text, told)

    return judge


def _entries(scores: Scores, end: Mark, select: Any, seed: int) -> Iterator[tuple[int, bool, dict[str, Any]]]:
    """Of each scored document: its ordinal, whether it stays, and its scores."""
    for chunk in scores.chunks():
        values = scores.standardised(chunk, select.criteria)
        chosen = stays(ranked(values, chunk["ordinal"], chunk["tokens"], select.temperature, seed), end)
        for entry, value, stay in zip(chunk, values.tolist(), chosen.tolist(), strict=True):
            told = {"score": value, **dict(zip(CRITERIA, entry["scores"].tolist(), strict=True))}
            yield int(entry["ordinal"]), stay or end == EVERYONE, told


def _write(method: str, refiner: str, folder: Path, verdicts: Iterable[tuple[Item, Verdict]], books: Books) -> None:
    with ExitStack() as stack:

        def opened(name: str, schema: pa.Schema) -> Parts:
            target = stack.enter_context(replace_folder(folder / name))
            return stack.enter_context(Parts(target, schema))

        refined = opened(FOLDER, refined_schema(method))
        dropped, failed = opened("dropped", ended_schema()), opened("failed", ended_schema())
        label = {"method": method, "refiner": refiner, "created_with": f"webscale-rl {__version__}"}
        for item, verdict in verdicts:
            books.source += estimated_tokens(item.text) if isinstance(item, Document) else 0
            if isinstance(verdict, Kept):
                assert isinstance(item, Document)
                tokens = estimated_tokens(verdict.text)
                books.kept += tokens
                refined.write(label | _row(item, verdict) | {"tokens": tokens}, len(verdict.text))
            else:
                (dropped if isinstance(verdict, Drop) else failed).write(_ended_row(item, verdict))


def _row(document: Document, kept: Kept) -> dict[str, Any]:
    metadata = orjson.dumps(dict(document.metadata), option=orjson.OPT_SORT_KEYS, default=str).decode()
    own = {"id": document.id, "text": kept.text, "source": document.source, "url": document.url, "metadata": metadata}
    return {**own, **kept.told}


def _ended_row(item: Item, end: Drop | Failure) -> dict[str, Any]:
    reason = end.reason if isinstance(end, Drop) else end.error
    row = {"stage": end.stage, "reason": reason, "detail": end.detail}
    if isinstance(item, Unreadable):
        return row | {"document_id": item.location}
    return row | {"document_id": item.id, "source": item.source, "url": item.url}


def _count(count: Count, verdict: Verdict, *, by_stage: bool) -> None:
    if isinstance(verdict, Kept):
        count.kept += 1
    elif isinstance(verdict, Drop):
        add_counts(count.dropped, {verdict.stage if by_stage else verdict.reason: 1})
    else:
        add_counts(count.failed, {verdict.stage if by_stage else verdict.error: 1})


def refined_schema(method: str) -> pa.Schema:
    """The columns of refined/ and their types."""
    import pyarrow as pa

    kinds = {"tokens": pa.int64(), **dict.fromkeys(("score", *CRITERIA), pa.float64())}
    names = (*COLUMNS[:-1], *OWN_COLUMNS[method], COLUMNS[-1])
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])


def ended_schema() -> pa.Schema:
    """The columns of dropped/ and failed/: all are strings."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ENDED_COLUMNS])


def _refiner(parts: RunParts) -> str:
    """Who refined, as the dataset's columns name it: the backend, or backend/model of the last stage that asks."""
    asked = [stage for stage in parts.pipeline.stages if stage.prompt is not None][-1]
    model = parts.model(asked)
    return parts.backend_name if model == parts.backend_name else f"{parts.backend_name}/{model}"


def _summary(method: str, run: Run, parts: RunParts, folder: Path, books: Books) -> dict[str, Any]:
    tally = tally_of(folder, finished_shards(folder))
    stages = [stage.name for stage in parts.pipeline.stages if stage.name != Select.name]
    units = {stage.name: stage.unit for stage in parts.pipeline.stages}
    told = summarise(tally, stages, units, ())
    for row in told["funnel"]:
        row["unit"] = UNITS[method] if row["unit"] == "pair" else row["unit"]
    last = Select.name if method == "qurating" else REFINED
    told["funnel"].append({"stage": last, "unit": "document", **books.last.plain()})
    cost = {key: value for key, value in money(tally, parts).items() if key != "usd_per_pair"}
    return {
        **told,
        "method": method,
        "refiner": _refiner(parts),
        "documents": books.documents.plain(),
        "tokens": {"source": books.source, "kept": books.kept},
        **cost,
        "usd_per_pair": None,
    }


def _ledger(summary: Mapping[str, Any], books: Books, seconds: float) -> Ledger:
    spent = {"generated": 0, "judged": 0}
    for stage, calls in summary["calls"].items():
        spent["judged" if stage in JUDGING else "generated"] += calls["prompt_tokens"] + calls["completion_tokens"]
    return Ledger(source=books.source, **spent, usd=summary["usd"], seconds=round(seconds, 3))
