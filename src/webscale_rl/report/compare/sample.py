"""What is compared of a run: some of its documents, what became of each, and their pairs in the dataset.

The documents are those with the smallest digests of seed and document id: a random choice that is the same in two runs
over one corpus, so that they are compared on the same documents. One pass over the run; no more than the sample and a
batch is in memory.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from webscale_rl.config import read_yaml
from webscale_rl.dataset.writer import outcome_batches
from webscale_rl.engine.rundir import RUN_FILE, SUMMARY_FILE
from webscale_rl.engine.shard import finished_shards
from webscale_rl.errors import ConfigError
from webscale_rl.sieves.fingerprints import digest
from webscale_rl.tally import END_KEPT
from webscale_rl.target import LEFT_OUT

_OUTCOMES = ("ordinal", "unit", "end", "stage", "reason", "id", "document_id")
_PAIRS = ("id", "question", "answer", "answer_type", "domain", "persona")
_ALL = 1 << 64


class Asked(NamedTuple):
    """A pair of the dataset."""

    id: str
    question: str
    answer: str
    answer_type: str
    domain: str
    persona: str


class Ended(NamedTuple):
    """The end of one record: its unit, the stage where it ended, or None if all stages kept it, and whether that stage
    looked at it, which it did not if the record was left out for a quota."""

    unit: str
    stage: str | None
    seen: bool = True


class Taken(NamedTuple):
    """A document of a sample."""

    digest: int
    document_id: str
    ends: tuple[Ended, ...]
    pairs: tuple[Asked, ...]


class Sampled(NamedTuple):
    """A run and its sample, by ascending digest. `bound`: all of the run's documents with smaller digests are in it."""

    folder: Path
    record: Mapping[str, Any]
    summary: Mapping[str, Any]
    documents: Sequence[Taken]
    bound: int

    @property
    def pairs(self) -> list[Asked]:
        """The pairs of all its documents."""
        return [pair for document in self.documents for pair in document.pairs]


def read_run(folder: Path, size: int, seed: int) -> Sampled:
    """A finished run and a sample of so many documents. Raises ConfigError if there is none."""
    for name, what in ((RUN_FILE, "holds no run"), (SUMMARY_FILE, "its run has not finished; run it to its end")):
        if not (folder / name).exists():
            raise ConfigError(f"{folder}: {what} (there is no {name})")
    record = read_yaml(folder / RUN_FILE)
    summary = orjson.loads((folder / SUMMARY_FILE).read_bytes())
    drawn: list[tuple[int, int, Taken]] = []
    for number, document in enumerate(_documents(folder, seed)):
        entry = (-document.digest, -number, document)
        if len(drawn) < size:
            heapq.heappush(drawn, entry)
        elif entry[:2] > drawn[0][:2]:
            heapq.heapreplace(drawn, entry)
    documents = [document for _, _, document in sorted(drawn, key=lambda entry: (-entry[0], -entry[1]))]
    bound = documents[-1].digest if len(documents) == size else _ALL
    return Sampled(folder, record, summary, documents, bound)


def common(a: Sampled, b: Sampled) -> tuple[Sampled, Sampled]:
    """Both samples cut so that a document that both runs have is in both or in none."""
    bound = min(a.bound, b.bound)
    cut = (run._replace(documents=[one for one in run.documents if one.digest <= bound], bound=bound) for run in (a, b))
    first, second = cut
    return first, second


def joined(a: Sampled, b: Sampled) -> list[tuple[Taken | None, Taken | None]]:
    """The documents of both samples, those that both have side by side, by ascending digest."""
    ours, theirs = _named(a), _named(b)
    names = sorted({**ours, **theirs})
    return [(ours.get(name), theirs.get(name)) for name in names]


def _named(run: Sampled) -> dict[tuple[int, str, int], Taken]:
    """Documents by id; one that comes several times is told apart by its number."""
    times: Counter[str] = Counter()
    found = {}
    for document in run.documents:
        found[document.digest, document.document_id, times[document.document_id]] = document
        times[document.document_id] += 1
    return found


def _documents(folder: Path, seed: int) -> Iterator[Taken]:
    """All documents of a run in the order of the corpus."""
    dataset = _dataset(folder)
    following = next(dataset, None)
    rows = (row for batch in outcome_batches(finished_shards(folder), _OUTCOMES) for row in batch.to_pylist())
    for _, group in groupby(rows, key=lambda row: row["ordinal"]):
        ends, pairs, name = [], [], ""
        for row in group:
            name = row["document_id"]
            stage = None if row["end"] == END_KEPT else row["stage"]
            ends.append(Ended(row["unit"], stage, row["reason"] not in LEFT_OUT))
            # what the sieves left stands in the dataset, in the same order
            if following is not None and row["unit"] == "pair" and row["end"] == END_KEPT and row["id"] == following.id:
                pairs.append(following)
                following = next(dataset, None)
        yield Taken(digest(f"{seed}\0{name}"), name, tuple(ends), tuple(pairs))


def _dataset(folder: Path) -> Iterator[Asked]:
    for batch in outcome_batches(sorted((folder / "dataset").glob("part-*.parquet")), _PAIRS):
        yield from (Asked(*(row[name] or "" for name in _PAIRS)) for row in batch.to_pylist())
