"""Targeted generation: how many examples of each domain a run aims at, so that it pays for no domain that is full.

A domain is full for a document when `quota * margin` examples of it came from documents before it, in the order of the
corpus. The margin is for what the sieves take later. Which documents a run has paid for beyond that is a matter of
timing, so what they brought is cut before any sieve sees it (`Beyond`): a document up to the one that fills its domain
is never left out, hence the first `quota * margin` examples are the same in every run, and so are the dataset's bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, ClassVar

from webscale_rl.sieve import Examples, Rejected, SieveOptions
from webscale_rl.types import content_id

FULL, ALL_FULL, UNWANTED = "domain_full", "all_domains_full", "domain_unwanted"
LEFT_OUT = frozenset({FULL, ALL_FULL, UNWANTED})
"""Why a document is left out: its questions, or, when all is full, all of its calls."""


@dataclass(frozen=True)
class Target:
    """`quotas` by domain; `each` is that of a domain not named: so many, none at all (0), or any number (None)."""

    quotas: Mapping[str, int]
    each: int | None
    margin: float

    def enough(self, domain: str) -> int | None:
        """So many examples of a domain fill it; None if nothing does."""
        quota = self.quotas.get(domain, self.each)
        return None if quota is None else ceil(quota * self.margin)

    def wanted(self, domain: str) -> bool:
        """Whether any example of the domain can stay."""
        return self.enough(domain) != 0

    @property
    def digest(self) -> str:
        """A digest of all that decides which documents are left out."""
        return content_id(repr(sorted(self.quotas.items())), repr(self.each), repr(self.margin))


class Beyond:
    """The first pass over the examples of a targeted run: cuts each domain where it is full. Reads one column."""

    name: ClassVar[str] = "target"
    reasons: ClassVar[frozenset[str]] = frozenset({"beyond_target"})
    Options: ClassVar[type[SieveOptions]] = SieveOptions

    def __init__(self, target: Target) -> None:
        self.options = SieveOptions()
        self._target = target
        self._seen: Counter[str] = Counter()

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """All examples of a domain but the first, as many as fill it."""
        self._seen.clear()
        for rows, batch in examples.batches(("domain",)):
            for row, domain in zip(rows, batch.column(0).to_pylist(), strict=True):
                enough = self._target.enough(domain)
                if enough is not None and self._seen[domain] >= enough:
                    yield Rejected(row, "beyond_target", f"{domain} is full: {enough:,} examples come before")
                else:
                    self._seen[domain] += 1

    @property
    def told(self) -> dict[str, Any]:
        """For each domain with a quota, the examples that fill it and those that there were, up to as many."""
        named = {*self._target.quotas, *(self._seen if self._target.each is not None else ())}
        return {domain: {"enough": self._target.enough(domain), "made": self._seen[domain]} for domain in sorted(named)}
