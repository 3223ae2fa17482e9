"""Totals of a population from a simple random sample of it, drawn without replacement, with 90 % intervals.

    a share (0 or 1 of each)        exact: the hypergeometric distribution, with mid-P (Lancaster 1961, J. Am. Stat.
                                    Assoc. 56; Berry and Armitage 1995, The Statistician 44)
    an amount                       estimated by the mean, or by the ratio or the regression on a size that is known of
                                    every unit, whichever has the smallest standard error (Cochran 1977, Sampling
                                    Techniques, chapters 6 and 7); interval by the studentised bootstrap over the units
                                    (Efron and Tibshirani 1993, An Introduction to the Bootstrap, 12.5)
    an amount that few units have   share times mean of those that have it, their intervals joined on the log scale
                                    (Zou and Donner 2008, Stat. Med. 27: method of variance estimates recovery)

All are corrected for the finite population: a sample that is the whole population leaves nothing to estimate. What was
never seen in the sample has no upper bound unless it is a share, and none is made up.

Not covered: sampling in clusters or strata, units that are not drawn at random, tails so long that a few units, none of
them in the sample, bear most of the total.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

import numpy as np
import numpy.typing as npt

LEVEL = 0.9
RESAMPLES = 1999
FEW = 12
"""An amount that fewer units of the sample have is estimated by its share: resamples would hardly hold any."""

Vector = npt.NDArray[np.float64]
Estimator = Callable[[Vector, Vector, float], tuple[Vector, Vector]]
"""Values, sizes and the population's mean size -> means and their standard errors, along the last axis."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its 90 % interval; `high` is None if the sample says nothing about it."""

    value: float
    low: float
    high: float | None

    def times(self, factor: float) -> Interval:
        """The same in another unit."""
        return Interval(self.value * factor, self.low * factor, None if self.high is None else self.high * factor)


def total(values: Vector, sizes: Vector, population: int, size_total: float, seed: int = 0) -> Interval:
    """The total of an amount (never negative) in a population of so many units, whose sizes add up to `size_total`.

    `values` and `sizes` are those of the sampled units. The same arguments give the same interval.
    """
    sample, seen = len(values), float(values.sum())
    if sample >= population:
        return Interval(seen, seen, seen)
    having = values[values > 0]
    if len(having) == 0:
        return Interval(0.0, 0.0, None)
    if np.ptp(having) == 0:
        return share(len(having), sample, population).times(float(having[0]))
    found = (
        _rare(having, sample, population)
        if len(having) < FEW
        else _bootstrapped(values, sizes, population, size_total, seed)
    )
    assert found.high is not None
    return Interval(max(found.value, seen), max(found.low, seen), max(found.high, seen))


def share(hits: int, sample: int, population: int) -> Interval:
    """How many units of the population are hits, when so many of the sample are."""
    if sample >= population:
        return Interval(hits, hits, hits)
    tail = (1 - LEVEL) / 2
    least, most = hits, population - (sample - hits)
    low = _first(least, most, lambda count: _upper_tail(hits, count, sample, population) > tail)
    high = _first(least, most, lambda count: 1 - _upper_tail(hits, count, sample, population) <= tail)
    if 1 - _upper_tail(hits, high, sample, population) <= tail:
        high = max(least, high - 1)
    return Interval(hits * population / sample, low, high)


def _first(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The smallest count for which it holds, which it does from there on; `most` if for none."""
    while least < most:
        middle = (least + most) // 2
        if holds(middle):
            most = middle
        else:
            least = middle + 1
    return least


def _upper_tail(hits: int, count: int, sample: int, population: int) -> float:
    """P(more hits) + P(as many) / 2 in a sample of a population with so many hits: rises with `count`."""
    drawn = range(max(0, sample - (population - count)), min(sample, count) + 1)
    whole = _log_choose(population, sample)
    logs = {k: _log_choose(count, k) + _log_choose(population - count, sample - k) - whole for k in drawn}
    return sum(exp(value) * (1.0 if k > hits else 0.5) for k, value in logs.items() if k >= hits)


def _log_choose(many: int, few: int) -> float:
    return lgamma(many + 1) - lgamma(few + 1) - lgamma(many - few + 1)


def _rare(having: Vector, sample: int, population: int) -> Interval:
    number = len(having)
    found = share(number, sample, population)
    assert found.high is not None
    mean = float(having.mean())
    # one or two values say little of their spread: no less than an exponential distribution's is taken
    spread = float(having.std(ddof=1)) / mean if number > 1 else 1.0
    spread = max(spread, 1.0) if number < 4 else spread
    error = spread / sqrt(number) * sqrt(1 - sample / population) * _student(max(number - 1, 2))
    down = exp(-sqrt(log(found.value / max(found.low, 0.5)) ** 2 + error**2))
    up = exp(sqrt(log(max(found.high, found.value) / found.value) ** 2 + error**2))
    value = found.value * mean
    return Interval(value, value * down, value * up)


def _student(degrees: int) -> float:
    """The 95th percentile of Student's t, by the Cornish-Fisher expansion (Abramowitz and Stegun 1964, 26.7.5)."""
    z = 1.6448536269514722
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3


def ratio(values: Vector, others: Vector, population: int, seed: int = 0) -> Interval | None:
    """The population's total of one amount for each unit of another's; None if the sample has none of the other."""
    if others.sum() == 0:
        return None
    found = float(values.sum() / others.sum())
    if len(values) >= population:
        return Interval(found, found, found)
    if np.count_nonzero(others) < FEW:
        return Interval(found, 0.0, None)
    least, most = _studentised(values, others, 1.0, _by_ratio, seed)
    shrink = sqrt(1 - len(values) / population)
    return Interval(found, max(0.0, found - most * shrink), found - least * shrink)


def _bootstrapped(values: Vector, sizes: Vector, population: int, size_total: float, seed: int) -> Interval:
    mean_size = size_total / population
    kind = min((_by_mean, _by_ratio, _by_regression), key=lambda kind: float(kind(values, sizes, mean_size)[1]))
    mean = float(kind(values, sizes, mean_size)[0])
    least, most = _studentised(values, sizes, mean_size, kind, seed)
    shrink = sqrt(1 - len(values) / population)
    return Interval(mean * population, (mean - most * shrink) * population, (mean - least * shrink) * population)


def _studentised(values: Vector, sizes: Vector, mean_size: float, kind: Estimator, seed: int) -> tuple[float, float]:
    """How far the estimate lies from the truth at both ends of the interval, as the resamples lie from the estimate."""
    mean, error = (float(part) for part in kind(values, sizes, mean_size))
    draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    with np.errstate(divide="ignore", invalid="ignore"):
        means, errors = kind(values[draws], sizes[draws], mean_size)
        usable = np.isfinite(means) & (errors > error / 100)  # a resample of equal units says nothing
    if error == 0 or not usable.any():
        return 0.0, 0.0
    deviations = (means[usable] - mean) / errors[usable]
    tail = (1 - LEVEL) / 2
    least, most = np.quantile(deviations, [tail, 1 - tail])
    return float(least) * error, float(most) * error


def _by_mean(values: Vector, sizes: Vector, mean_size: float) -> tuple[Vector, Vector]:
    """Means and their standard errors, along the last axis."""
    return values.mean(-1), values.std(-1, ddof=1) / sqrt(values.shape[-1])


def _by_ratio(values: Vector, sizes: Vector, mean_size: float) -> tuple[Vector, Vector]:
    number = values.shape[-1]
    ratio = values.sum(-1) / sizes.sum(-1)
    rest = values - ratio[..., None] * sizes
    return ratio * mean_size, mean_size / sizes.mean(-1) * np.sqrt((rest**2).sum(-1) / (number - 1) / number)


def _by_regression(values: Vector, sizes: Vector, mean_size: float) -> tuple[Vector, Vector]:
    number = values.shape[-1]
    centred = sizes - sizes.mean(-1, keepdims=True)
    squares = np.maximum((centred**2).sum(-1), 1e-12)
    slope = (values * centred).sum(-1) / squares
    mean = values.mean(-1)
    away = mean_size - sizes.mean(-1)
    rest = values - mean[..., None] - slope[..., None] * centred
    variance = (rest**2).sum(-1) / (number - 2)
    return mean + slope * away, np.sqrt(variance * (1 / number + away**2 / squares))
