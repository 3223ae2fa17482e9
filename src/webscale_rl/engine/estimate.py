"""From the books of a pilot's documents to totals for the whole input, with 90 % intervals (see `intervals.py`).

Hours are the calls' latencies, as the pilot measured them, divided by the calls in flight at once (Little's law). So
they assume that the server answers as fast with so many calls in flight as it did in the pilot, which had `in_flight`
of them on the average: if that is less, `hours_at_pilot_pace` is what a server needs that takes no more at once. Waits
between retries, and whatever the sieves drop at the end, are not covered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from webscale_rl.config import Parts
from webscale_rl.engine.pilot import Ledger, Pace, Sample
from webscale_rl.intervals import Interval, Vector, ratio, total
from webscale_rl.tally import Calls, Tally

TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
Told = dict[str, Any] | None
_NOTHING = Interval(0.0, 0.0, 0.0)


class Totals:
    """Totals of the whole input by whatever can be told of one document's books."""

    def __init__(self, sample: Sample, ledger: Ledger, seed: int) -> None:
        self._sample = sample
        self._books = ledger.books
        self._sizes = np.array(sample.sizes())
        self._seed = seed

    def of(self, told: Callable[[Tally], float]) -> Interval:
        """The total of an amount."""
        return total(self._column(told), self._sizes, self._sample.population, self._sample.size_total, self._seed)

    def per(self, told: Callable[[Tally], float], unit: Callable[[Tally], float]) -> Interval | None:
        """One amount for each of another."""
        return ratio(self._column(told), self._column(unit), self._sample.population, self._seed)

    def _column(self, told: Callable[[Tally], float]) -> Vector:
        return np.array([told(book) for book in self._books], np.float64)


def estimated(parts: Parts, sample: Sample, ledger: Ledger, pace: Pace, concurrency: int) -> dict[str, Any]:
    """The totals as JSON. What has no price has no `usd`; a `high` of null means that the pilot says nothing of it."""
    totals = Totals(sample, ledger, parts.context.seed)
    prompted = {stage.name: parts.model(stage) for stage in parts.pipeline.stages if stage.prompt is not None}
    stages = [
        {
            **_yield(totals, stage.name, stage.unit, [later.name for later in parts.pipeline.stages[place + 1 :]]),
            **(_effort(totals, parts, {stage.name: prompted[stage.name]}) if stage.name in prompted else {}),
        }
        for place, stage in enumerate(parts.pipeline.stages)
    ]
    effort = _effort(totals, parts, prompted)
    hours = pace_hours = None
    if parts.paid:
        seconds = totals.of(lambda book: sum(calls.seconds for calls in book.calls.values()))
        hours = _told(seconds.times(1 / concurrency / 3600))
        if pace.in_flight and pace.in_flight < concurrency:
            pace_hours = _told(seconds.times(1 / pace.in_flight / 3600))
    per_pair = totals.per(lambda book: _usd(book, prompted), _pairs) if parts.paid and effort["usd"] else None
    return {
        "input": {"documents": sample.population, "unreadable": sample.unreadable},
        "sampled": len(sample.documents),
        "documents_kept": _told(totals.of(lambda book: book.total("document").kept)),
        "pairs_kept": _told(totals.of(_pairs)),
        **effort,
        "usd_per_pair": _told(per_pair),
        "concurrency": concurrency,
        "hours": hours,
        "in_flight": pace.in_flight,
        "hours_at_pilot_pace": pace_hours,
        "stages": stages,
    }


def _yield(totals: Totals, stage: str, unit: str, later: list[str]) -> dict[str, Any]:
    return {
        "stage": stage,
        "unit": unit,
        "seen": _told(totals.of(lambda book: book.at(stage, later, unit).seen)),
        "kept": _told(totals.of(lambda book: book.at(stage, later, unit).kept)),
    }


def _effort(totals: Totals, parts: Parts, models: dict[str, str]) -> dict[str, Told]:
    """Calls, tokens and money of these stages."""
    if not parts.paid:
        return {name: _told(_NOTHING) for name in ("calls", *TOKENS, "usd")}
    priced = not parts.prices.missing(models.values())
    tokens = {name: totals.of(partial(_sum, models=models, name=name)) for name in TOKENS}
    if tokens["cached_tokens"].high is None:  # none was seen; but there are no more of them than prompt tokens
        tokens["cached_tokens"] = replace(tokens["cached_tokens"], high=tokens["prompt_tokens"].high)
    return {
        "calls": _told(totals.of(lambda book: _sum(book, models, "answered"))),
        **{name: _told(interval) for name, interval in tokens.items()},
        "usd": _told(totals.of(lambda book: _usd(book, models))) if priced else None,
    }


def _sum(book: Tally, models: dict[str, str], name: str) -> float:
    return sum(float(getattr(book.calls.get(stage, Calls()), name)) for stage in models)


def _usd(book: Tally, models: dict[str, str]) -> float:
    return _sum(book, models, "usd")


def _pairs(book: Tally) -> float:
    return book.total("pair").kept


def _told(interval: Interval | None) -> Told:
    return None if interval is None else asdict(interval)
