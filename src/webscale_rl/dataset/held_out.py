"""Which documents are held out of reinforcement learning: their questions teach a model how to answer beforehand.

Held out are whole documents, for two questions of one document teach each other. A document's place in the order is a
digest of the seed and its id. Those that were held out before come first, so that a dataset that grows keeps them, and
what was written about their questions. From that order documents are taken as long as all their pairs fit.

    DIR/rationales/held_out.parquet    id and document_id of every pair of these documents
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from webscale_rl.dataset import arrow
from webscale_rl.dataset.rows import schema
from webscale_rl.dataset.writer import dataset_batches
from webscale_rl.files import replace_whole
from webscale_rl.types import content_id

RATIONALES, HELD_OUT_FILE = "rationales", "held_out.parquet"
HELD_OUT = Path(RATIONALES) / HELD_OUT_FILE
"""In a run's directory."""
HELD_OUT_COLUMNS = ("id", "document_id")
COUNT = 10_000
"""Questions that are held out, at most (the paper, section 5.1: a warm-up on 10 K)."""
SHARE = 0.2
"""Of a dataset's pairs, at most: a small dataset must have some left to learn from. Our choice."""
_METADATA = b"webscale_rl"


class Choice(msgspec.Struct, frozen=True):
    """How documents are chosen: at most so many pairs, at most this share of all, in an order that the seed gives."""

    count: int
    share: float
    seed: int


class HeldOut(NamedTuple):
    """The ids of the documents that are held out, how many pairs they have, and of how many."""

    documents: frozenset[str]
    pairs: int
    of: int


def choose(dataset: Path, choice: Choice, before: Collection[str] = ()) -> HeldOut:
    """The documents of the dataset that are held out, those in `before` first.

    In memory are no more than `choice.count` of them: no document has less than a pair.
    """
    earlier = frozenset(before)

    def rank(document: str) -> tuple[bool, str]:
        return document not in earlier, content_id(str(choice.seed), document)

    first, total = _first(_documents(dataset), choice.count, rank)
    room = min(choice.count, int(choice.share * total))
    chosen: list[str] = []
    pairs = 0
    for document in sorted(first, key=rank):
        if pairs + first[document] <= room:
            chosen.append(document)
            pairs += first[document]
    return HeldOut(frozenset(chosen), pairs, total)


def _first(documents: Iterator[str], most: int, rank: Callable[[str], tuple[bool, str]]) -> tuple[dict[str, int], int]:
    """The `most` documents that come first, with the number of their pairs, and how many pairs there are in all.

    One that was passed over or has given way never comes back: the last one's place only moves to the front.
    """
    counts: dict[str, int] = {}
    last: list[_Backwards] = []
    total = 0
    for document in documents:
        total += 1
        if document in counts:
            counts[document] += 1
            continue
        place = _Backwards(rank(document), document)
        if len(last) < most:
            heapq.heappush(last, place)
        elif last[0] < place:
            counts.pop(heapq.heapreplace(last, place).document)
        else:
            continue
        counts[document] = 1
    return counts, total


class _Backwards(NamedTuple):
    """A document in a heap whose top is the last one."""

    rank: tuple[bool, str]
    document: str

    def __lt__(self, other: Any) -> bool:
        return bool(other.rank < self.rank)


def _documents(dataset: Path) -> Iterator[str]:
    for batch in dataset_batches(dataset, ("document_id",)):
        yield from batch.column("document_id").to_pylist()


def write_held_out(path: Path, dataset: Path, chosen: HeldOut, choice: Choice) -> None:
    """Write the pairs of the chosen documents, whole or not at all. Raises OSError if the disk is full."""
    rows = (
        (row["id"], row["document_id"])
        for batch in dataset_batches(dataset, HELD_OUT_COLUMNS)
        for row in batch.to_pylist()
        if row["document_id"] in chosen.documents
    )
    with replace_whole(path) as temporary:
        arrow.write(temporary, rows, schema(HELD_OUT_COLUMNS).with_metadata({_METADATA: msgspec.json.encode(choice)}))


def read_held_out(path: Path) -> tuple[Choice, frozenset[str]] | None:
    """How documents were chosen, and the ids of those that were; None if none were."""
    import pyarrow.parquet as pq

    if not path.exists():
        return None
    choice = msgspec.json.decode(pq.read_schema(path).metadata[_METADATA], type=Choice)
    return choice, frozenset(arrow.read(path, ["document_id"]).column("document_id").to_pylist())
