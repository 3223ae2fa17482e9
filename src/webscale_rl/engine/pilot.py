"""The pilot of a run: so many documents of its input, drawn at random, and what each of them took.

The pilot is a run of its own in DIR/pilot, with the stages, models and traffic of the run. Its replies are looked up by
the content of their questions like all others, so the run in DIR does not pay for them again, and neither does a second
pilot. A pilot that is stopped goes on like any run.
"""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from webscale_rl.config import Parts
from webscale_rl.corpus import Unreadable
from webscale_rl.dataset import arrow
from webscale_rl.engine.feed import Item
from webscale_rl.engine.finish import money
from webscale_rl.engine.replies import Stored, count_calls, stored_replies
from webscale_rl.engine.shard import finished_shards
from webscale_rl.files import write_text
from webscale_rl.tally import Calls, Tally
from webscale_rl.types import Document

PACE_FILE = "pace.json"


@dataclass(frozen=True)
class Sample:
    """Documents of an input, in its order, and what is known of the whole input: how many documents and unreadable
    records it holds, and the sum of its documents' sizes (see `size`)."""

    documents: Sequence[Document]
    population: int
    unreadable: int
    size_total: float
    longest: int

    def sizes(self) -> list[float]:
        """The sizes of the sampled documents."""
        return [size(document, self.longest) for document in self.documents]


def size(document: Document, longest: int) -> float:
    """The size that a document has for prompts, in characters: what is longer is cut."""
    return float(min(len(document.text), longest))


def draw(
    items: Iterable[Item], count: int, *, seed: int, longest: int, limit: int | None, check: Callable[[], None]
) -> Sample:
    """A simple random sample without replacement, by one pass over the input that holds no more than the sample.

    Every document gets a random number, and the smallest win: a larger sample of the same seed holds the smaller one.
    `check` may raise to stop the pass.
    """
    numbers = random.Random(f"pilot {seed}")
    drawn: list[tuple[float, int, Document]] = []
    population = unreadable = 0
    size_total = 0.0
    for item in islice(items, limit):
        if isinstance(item, Unreadable):
            unreadable += 1
            continue
        if population % 256 == 0:
            check()
        population += 1
        size_total += size(item, longest)
        entry = (-numbers.random(), -population, item)
        if len(drawn) < count:
            heapq.heappush(drawn, entry)
        elif entry[:2] > drawn[0][:2]:
            heapq.heapreplace(drawn, entry)
    documents = [document for _, _, document in sorted(drawn, key=lambda entry: -entry[1])]
    return Sample(documents, population, unreadable, size_total, longest)


def longest_prompted(parts: Parts) -> int:
    """So many characters of a document reach a prompt at most."""
    prompted = [stage for stage in parts.pipeline.stages if stage.prompt is not None]
    return max((getattr(stage.options, "max_document_chars", 1 << 62) for stage in prompted), default=1 << 62)


class Ledger:
    """What each document of a sample took and what became of it: `books` holds a Tally for each, in their order.

    Calls are priced by today's prices, not by those of the day when they were made.
    """

    def __init__(self, parts: Parts, count: int) -> None:
        self.books = [Tally() for _ in range(count)]
        self._prices = parts.prices
        self._models = {stage.name: parts.model(stage) for stage in parts.pipeline.stages if stage.prompt is not None}

    def used(self, ordinal: int, stored: Stored) -> None:
        """A document took a reply, bought now or earlier."""
        if stored.reply.finish == "context_length":
            return
        usage = stored.reply.usage
        usd = self._prices.usd(self._models[stored.stage], usage)
        self.books[ordinal].calls.setdefault(stored.stage, Calls()).bought(usage, stored.latency_s, usd)

    def read_outcomes(self, folder: Path) -> None:
        """Take in what became of the documents, from the finished shards of the pilot."""
        columns = ["ordinal", "unit", "end", "stage", "reason"]
        for path in finished_shards(folder):
            for row in arrow.read(path, columns).to_pylist():
                self.books[row["ordinal"]].end(row["unit"], row["stage"] or "", row["end"], row["reason"] or "")


class Pace(msgspec.Struct, frozen=True):
    """How a pilot's calls were made, over all its processes: their latencies added up, and the time that it took."""

    latency_s: float = 0.0
    wall_s: float = 0.0

    @property
    def in_flight(self) -> float | None:
        """Calls in flight on the average; None if none was made."""
        return self.latency_s / self.wall_s if self.latency_s and self.wall_s else None


def read_pace(folder: Path) -> Pace:
    """The pace of the pilot so far; none before the first call."""
    path = folder / PACE_FILE
    return msgspec.json.decode(path.read_bytes(), type=Pace) if path.exists() else Pace()


@contextmanager
def paced(folder: Path) -> Iterator[None]:
    """Measures the calls that are made meanwhile, and keeps their pace for when all answers are known already."""
    before, started = _latency_s(folder), time.monotonic()
    try:
        yield
    finally:
        latency_s = _latency_s(folder) - before
        if latency_s > 0:
            earlier, wall_s = read_pace(folder), time.monotonic() - started
            pace = Pace(earlier.latency_s + latency_s, earlier.wall_s + wall_s)
            write_text(folder / PACE_FILE, msgspec.json.encode(pace).decode())


def _latency_s(folder: Path) -> float:
    return sum(stored.latency_s for stored in stored_replies(folder / "replies") if not stored.moved)


def paid_for(folder: Path, parts: Parts) -> dict[str, Any]:
    """The calls that the pilot made, and what they cost in US dollars; None if there is no price."""
    books = Tally()
    count_calls(books, stored_replies(folder / "replies"))
    return {"calls": sum(count.answered for count in books.calls.values()), "usd": money(books, parts)["usd"]}
