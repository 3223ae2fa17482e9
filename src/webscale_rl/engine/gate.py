"""Stops a run from paying for documents whose domain is full (see `target.py`).

A document may be left out only if documents before it that have ended already fill its domain: so it lies beyond the
one that fills it in any run, whatever the timing. In memory is one number for each document that counts, hence no more
than the quotas ask for.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from webscale_rl.dataset.writer import outcome_batches
from webscale_rl.stage import Stage
from webscale_rl.tally import END_KEPT
from webscale_rl.target import ALL_FULL, FULL, UNWANTED, Target
from webscale_rl.types import Brief, Document, Drop

_BITS = 20
_MOST = (1 << _BITS) - 1
"""A document brings no more examples than this; more count as this many."""


class Filling:
    """How far one domain is filled: the first documents that fill it together, as far as they have ended."""

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._total = 0
        self._documents: list[int] = []  # negative, the last one first: ordinal and number of examples in one

    def add(self, ordinal: int, examples: int) -> None:
        """A document ended and brought so many examples."""
        if self.full_before(ordinal) or not examples:
            return
        examples = min(examples, _MOST)
        heapq.heappush(self._documents, -(ordinal << _BITS | examples))
        self._total += examples
        while self._total - (last := -self._documents[0] & _MOST) >= self._enough:
            heapq.heappop(self._documents)
            self._total -= last

    def full_before(self, ordinal: int) -> bool:
        """Whether documents before this one fill the domain."""
        if self._total < self._enough:
            return False
        return not self._documents or ordinal > -self._documents[0] >> _BITS


class Gate:
    """Says of each document, before it is asked about, whether it may be left out. One per run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._fillings: dict[str, Filling] = {}
        for domain in target.quotas:
            self._filling(domain)

    def bars(self, stage: Stage[Any, Any, Any], record: Any, ordinal: int) -> Drop | None:
        """Why a stage's question of this record need not be paid for; None if it must."""
        if isinstance(record, Document):
            if self._target.each == 0 and all(filling.full_before(ordinal) for filling in self._fillings.values()):
                return Drop(stage.name, ALL_FULL, "every domain with a quota has enough examples")
            return None
        if not isinstance(record, Brief):
            return None
        if not self._target.wanted(record.domain):
            return Drop(stage.name, UNWANTED, f"{record.domain} has no quota")
        filling = self._filling(record.domain)
        if filling is None or not filling.full_before(ordinal):
            return None
        return Drop(stage.name, FULL, f"{record.domain} has {self._target.enough(record.domain):,} examples")

    def ended(self, ordinal: int, rows: Sequence[Mapping[str, Any]]) -> None:
        """A document ended, with these outcomes."""
        kept = Counter(row["domain"] for row in rows if row["unit"] == "pair" and row["end"] == END_KEPT)
        for domain, count in kept.items():
            if (filling := self._filling(domain)) is not None:
                filling.add(ordinal, count)

    def read(self, shard: Path) -> None:
        """Take in the documents of a shard that was finished before."""
        counts: Counter[tuple[int, str]] = Counter()
        for batch in outcome_batches([shard], ("ordinal", "unit", "end", "domain")):
            for row in batch.to_pylist():
                if row["unit"] == "pair" and row["end"] == END_KEPT:
                    counts[row["ordinal"], row["domain"]] += 1
        for (ordinal, domain), count in counts.items():
            if (filling := self._filling(domain)) is not None:
                filling.add(ordinal, count)

    def _filling(self, domain: str) -> Filling | None:
        if domain not in self._fillings:
            enough = self._target.enough(domain)
            if enough is None:
                return None
            self._fillings[domain] = Filling(enough)
        return self._fillings[domain]
