"""The books of a run: what became of every document and pair, and what every stage's calls took.

kept + dropped + failed = seen, for documents and for pairs, at every stage and in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from webscale_rl.backend import Usage
from webscale_rl.histogram import Histogram

END_KEPT, END_DROPPED, END_FAILED = "kept", "dropped", "failed"


class Count(msgspec.Struct):
    """What became of so many records; reasons and errors by their words."""

    kept: int = 0
    dropped: dict[str, int] = {}
    failed: dict[str, int] = {}

    @property
    def seen(self) -> int:
        """All of them."""
        return self.kept + sum(self.dropped.values()) + sum(self.failed.values())

    def plain(self) -> dict[str, Any]:
        """As JSON wants it."""
        return {
            "seen": self.seen,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "failed": dict(sorted(self.failed.items())),
        }


class Calls(msgspec.Struct):
    """Calls of one stage that were answered 200, whatever the answer was worth, their tokens and their latency.

    `unusable` are the answered ones of no use, by kind; `retried` those that brought no answer and were tried again.
    `usd` is what they cost, without the `unpriced` ones: those for which no price was known when they were made.
    """

    answered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    unusable: dict[str, int] = {}
    retried: dict[str, int] = {}
    latency: Histogram = msgspec.field(default_factory=Histogram)
    usd: float = 0.0
    unpriced: int = 0
    unpriced_tokens: Usage = Usage()

    def bought(self, usage: Usage, seconds: float, usd: float | None) -> None:
        """Count one answer."""
        self.answered += 1
        self.seconds += seconds
        self.latency.add(seconds)
        for name in usage.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(usage, name))
        if usd is None:
            self.unpriced += 1
            self.unpriced_tokens = _sum(self.unpriced_tokens, usage)
        else:
            self.usd += usd


class Tally(msgspec.Struct):
    """All counts of a shard or a run. `ends` holds (unit, stage, end, word) -> number of records, `endpoints` how many
    answers each server gave."""

    ends: dict[str, int] = {}
    calls: dict[str, Calls] = {}
    endpoints: dict[str, int] = {}

    def end(self, unit: str, stage: str, end: str, word: str = "", count: int = 1) -> None:
        """Count the end of a record."""
        key = "|".join((unit, stage, end, word))
        self.ends[key] = self.ends.get(key, 0) + count

    def add(self, other: Tally) -> None:
        """Add another's counts to these."""
        add_counts(self.ends, other.ends)
        for stage, theirs in other.calls.items():
            add_calls(self.calls.setdefault(stage, Calls()), theirs)
        add_counts(self.endpoints, other.endpoints)

    def each_end(self) -> Iterable[tuple[str, str, str, str, int]]:
        """All ends: unit, stage, end, word, number of records."""
        for key, count in self.ends.items():
            unit, stage, end, word = key.split("|", 3)
            yield unit, stage, end, word, count

    def total(self, unit: str) -> Count:
        """What became of all documents, or of all pairs; drops and failures by stage."""
        total = Count()
        for its_unit, stage, end, _, count in self.each_end():
            if its_unit == unit:
                _put(total, end, stage, count)
        return total

    def at(self, stage: str, later: Sequence[str], unit: str) -> Count:
        """What became of the records at one stage; `later` names the stages after it."""
        counted = Count()
        for its_unit, its_stage, end, word, count in self.each_end():
            if its_unit != unit:
                continue
            if end == END_KEPT or its_stage in later:
                counted.kept += count
            elif its_stage == stage:
                _put(counted, end, word, count)
        return counted

    def dropped_by(self, stage: str) -> dict[str, int]:
        """Drops of one stage, by reason, documents and pairs together."""
        reasons: dict[str, int] = {}
        for _, its_stage, end, word, count in self.each_end():
            if its_stage == stage and end == END_DROPPED:
                reasons[word] = reasons.get(word, 0) + count
        return dict(sorted(reasons.items()))

    def failures(self) -> dict[str, int]:
        """All failures by stage and error."""
        found: dict[str, int] = {}
        for _, stage, end, word, count in self.each_end():
            if end == END_FAILED:
                found[f"{stage}: {word}"] = found.get(f"{stage}: {word}", 0) + count
        return dict(sorted(found.items()))


def add_calls(ours: Calls, theirs: Calls) -> None:
    """Add the second's counts to the first."""
    for name in ("answered", *Usage.__struct_fields__, "seconds", "usd", "unpriced"):
        setattr(ours, name, getattr(ours, name) + getattr(theirs, name))
    add_counts(ours.unusable, theirs.unusable)
    add_counts(ours.retried, theirs.retried)
    ours.latency.merge(theirs.latency)
    ours.unpriced_tokens = _sum(ours.unpriced_tokens, theirs.unpriced_tokens)


def add_counts(ours: dict[str, int], theirs: Mapping[str, int]) -> None:
    """Add the second's counts to the first, word by word."""
    for word, count in theirs.items():
        ours[word] = ours.get(word, 0) + count


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(*(getattr(one, name) + getattr(other, name) for name in Usage.__struct_fields__))


def _put(count: Count, end: str, word: str, number: int) -> None:
    if end == END_KEPT:
        count.kept += number
    elif end == END_DROPPED:
        count.dropped[word] = count.dropped.get(word, 0) + number
    else:
        count.failed[word] = count.failed.get(word, 0) + number
