"""What chance does: resamples of documents, for intervals, and of labels, for the question whether two runs differ.

    interval    bootstrap over documents, since pairs of one document are no independent draws (Efron and Tibshirani
                1993, An Introduction to the Bootstrap); with Poisson weights, which need one pass
    p           permutation: documents that both runs have swap their two outcomes, the others their run (Good 2005,
                Permutation, Parametric and Bootstrap Tests of Hypotheses)
    verdict     over all findings of a comparison together, Holm's method at 10 % (S. Holm 1979, Scand. J. Stat. 6): in
                nine of ten comparisons of equal runs no finding is called larger than chance

All statistics are functions of sums over documents, so they share their resamples: matrix products.

Not covered: what would differ if a model with a temperature were asked again; two runs of one configuration show that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from webscale_rl.intervals import LEVEL, RESAMPLES, Interval

Matrix = npt.NDArray[np.float64]
Statistic = Callable[[Matrix], Matrix]
"""Of sums (their last axis: one for each feature) of one run."""
Distance = Callable[[Matrix, Matrix], Matrix]
_AT_ONCE = 1 << 20
TAILS = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]


@dataclass(frozen=True)
class Finding:
    """A figure of both runs, its difference (b - a, or a distance), and how likely chance would do as much."""

    name: str
    a: Interval | None
    b: Interval | None
    difference: Interval | None
    p: float | None = None
    larger: bool = False

    def plain(self) -> dict[str, Any]:
        """As JSON wants it."""

        def told(interval: Interval | None) -> dict[str, float | None] | None:
            return None if interval is None else {"value": interval.value, "low": interval.low, "high": interval.high}

        values = {"name": self.name, "a": told(self.a), "b": told(self.b), "difference": told(self.difference)}
        return values | {"p": self.p, "larger_than_chance": self.larger}


class Resamples:
    """Sums over documents, resampled. `a` and `b` hold a row for each document (zeros where a run lacks it) and a
    column for each feature; `both` says which documents both runs have."""

    def __init__(
        self, a: Matrix, b: Matrix, both: npt.NDArray[np.bool_], in_a: npt.NDArray[np.bool_], seed: int
    ) -> None:
        self.a, self.b = a.sum(0), b.sum(0)
        rng = np.random.default_rng(seed)
        step = max(1, _AT_ONCE // max(1, len(a)))
        swap, lone = (b - a)[both], (a + b)[~both]
        ours = int(np.count_nonzero(in_a & ~both))
        fixed_a, fixed_b = a[both].sum(0), b[both].sum(0)
        boot_a, boot_b, swap_a, swap_b = [], [], [], []
        for start in range(0, RESAMPLES, step):
            count = min(step, RESAMPLES - start)
            weights = rng.poisson(1.0, (count, len(a))).astype(np.float64)
            boot_a.append(weights @ a)
            boot_b.append(weights @ b)
            moved = rng.integers(0, 2, (count, len(swap))).astype(np.float64) @ swap
            dealt = (np.argsort(rng.random((count, len(lone))), axis=1) < ours).astype(np.float64) @ lone
            swap_a.append(fixed_a + moved + dealt)
            swap_b.append(fixed_b - moved + lone.sum(0) - dealt)
        self._boot = np.concatenate(boot_a), np.concatenate(boot_b)
        self._swap = np.concatenate(swap_a), np.concatenate(swap_b)

    def compared(self, name: str, statistic: Statistic) -> Finding:
        """The statistic of both runs, and its difference."""
        values = statistic(self.a), statistic(self.b)
        if not np.isfinite(values).all():
            one, other = (
                _interval(float(value), statistic(boot)) if np.isfinite(value) else None
                for value, boot in zip(values, self._boot, strict=True)
            )
            return Finding(name, one, other, None)
        boots = [statistic(part) for part in self._boot]
        swapped = statistic(self._swap[1]) - statistic(self._swap[0])
        difference = float(values[1] - values[0])
        one, other = (_interval(float(value), boot) for value, boot in zip(values, boots, strict=True))
        return Finding(name, one, other, _interval(difference, boots[1] - boots[0]), _p(difference, swapped))

    def single(self, name: str, statistic: Statistic) -> Finding:
        """The statistic of both runs by itself, without a question."""
        return replace(self.compared(name, statistic), difference=None, p=None)

    def apart(self, name: str, distance: Distance) -> tuple[Finding, float, float]:
        """A distance of the runs, as it is in the sample, and what chance stays below in nineteen of twenty cases.

        A distance is never negative, so a sample overstates it, by about as much as resamples overstate the sample's:
        the finding is without that, and its interval is the basic one.
        """
        value = float(distance(self.a, self.b))
        boots = distance(*self._boot)
        least, most = np.quantile(boots, TAILS)
        swapped = distance(*self._swap)
        less, low, high = (max(0.0, 2 * value - float(part)) for part in (boots.mean(), most, least))
        finding = Finding(name, None, None, Interval(less, low, high), _p(value, swapped))
        return finding, value, float(np.quantile(swapped, 0.95))


def ratio(over: int | Sequence[int], under: int | Sequence[int]) -> Statistic:
    """Sums of one or more features for each unit of others; not a number where there is none of these."""

    def of(sums: Matrix) -> Matrix:
        above = sums[..., np.atleast_1d(over)].sum(-1)
        below = sums[..., np.atleast_1d(under)].sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Matrix = np.where(below > 0, above / below, np.nan)
        return found

    return of


def total_variation(columns: slice) -> Distance:
    """The share of one distribution that would have to be moved to make it the other."""

    def of(a: Matrix, b: Matrix) -> Matrix:
        one, other = a[..., columns], b[..., columns]
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = one / one.sum(-1, keepdims=True), other / other.sum(-1, keepdims=True)
        found: Matrix = np.nan_to_num(np.abs(shares[0] - shares[1]).sum(-1) / 2)
        return found

    return of


def grouped(name: str, a: Matrix, b: Matrix, seed: int) -> Finding:
    """A figure in 0..1 that was measured on groups of one size: its mean in both runs, and their difference."""
    rng = np.random.default_rng(seed)
    means = []
    for values in (a, b):
        draws = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(1)
        # the spread of resamples is that of a population as large as the sample: too small by this
        wide = np.sqrt(len(values) / max(1, len(values) - 1))
        means.append(np.clip(values.mean() + (draws - values.mean()) * wide, 0.0, 1.0))
    difference = float(b.mean() - a.mean())
    pool = np.concatenate([a, b])
    order = np.argsort(rng.random((RESAMPLES, len(pool))), axis=1)
    mixed = pool[order]
    swapped = mixed[:, len(a) :].mean(1) - mixed[:, : len(a)].mean(1)
    one, other = (_interval(float(values.mean()), boot) for values, boot in zip((a, b), means, strict=True))
    return Finding(name, one, other, _interval(difference, means[1] - means[0]), _p(difference, swapped))


def judged(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with their verdicts: Holm's method over all that have a p."""
    asked = sorted((at for at, one in enumerate(findings) if one.p is not None), key=lambda at: findings[at].p or 0.0)
    larger = set()
    for place, at in enumerate(asked):
        if (findings[at].p or 0.0) > (1 - LEVEL) / (len(asked) - place):
            break
        larger.add(at)
    return [replace(one, larger=at in larger) for at, one in enumerate(findings)]


def _interval(value: float, boots: Matrix) -> Interval:
    if not np.isfinite(boots).any():
        return Interval(value, value, value)
    low, high = np.nanquantile(boots, TAILS)
    return Interval(value, float(low), float(high))


def _p(value: float, swapped: Matrix) -> float:
    """How often chance does at least as much."""
    reached = np.count_nonzero(np.abs(np.nan_to_num(swapped)) >= abs(value) * (1 - 1e-9))
    return float((1 + reached) / (1 + len(swapped)))
