"""Means and their standard errors, over questions.

    mean          over the questions, each with the mean of its samples. Its standard error is the central limit's,
                  sqrt(variance / n), the variance with n - 1: samples of one question are one cluster, and a mean of
                  clusters of equal size needs no more (Miller 2024, "Adding error bars to evals", arXiv 2411.00640,
                  sections 2 and 3)
    pass@k        1 - C(n - c, k) / C(n, k) of a question with c right samples of n, which has no bias (Chen et al.
                  2021, "Evaluating large language models trained on code", arXiv 2107.03374, section 2.1)
    difference    of two results on the same questions: the mean of the questions' differences, whose standard error is
                  smaller than that of two independent results by their covariance (Miller 2024, section 4.2)

Not covered: a few dozen questions, for which the central limit's error is too small; a mean of 0 or 1, whose error is 0
and says nothing; questions that are alike because they come from one document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, sqrt

import msgspec

NORMAL_95 = 1.959963984540054
"""Half the width of a 95 % interval, in standard errors."""


class Mean(msgspec.Struct, frozen=True):
    """A mean over `count` questions; `stderr` is None where fewer than two say nothing of it."""

    value: float
    stderr: float | None
    count: int


class Difference(msgspec.Struct, frozen=True):
    """What the second result has more than the first, on the `count` questions that both have."""

    value: float
    stderr: float | None
    count: int

    @property
    def sure(self) -> bool:
        """Whether 0 lies outside the 95 % interval."""
        return self.stderr is not None and abs(self.value) > NORMAL_95 * self.stderr


def mean(values: Sequence[float]) -> Mean | None:
    """The mean of the questions' scores; None if there is none."""
    count = len(values)
    if count == 0:
        return None
    value = sum(values) / count
    if count == 1:
        return Mean(value, None, 1)
    variance = sum((one - value) ** 2 for one in values) / (count - 1)
    return Mean(value, sqrt(variance / count), count)


def pass_at(k: int, right: int, samples: int) -> float:
    """The chance that one of k samples is right, drawn without putting back from `samples` of which `right` are."""
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} needs at least {k} samples (there are {samples})")
    return 1 - comb(samples - right, k) / comb(samples, k)


def paired(first: Mapping[str, float], second: Mapping[str, float]) -> Difference | None:
    """The difference on the questions that both have; None if there is none."""
    shared = sorted(first.keys() & second.keys())
    found = mean([second[name] - first[name] for name in shared])
    return None if found is None else Difference(found.value, found.stderr, found.count)


def average(means: Sequence[Mean]) -> Mean | None:
    """The unweighted mean of results on different questions; its error is None if one of theirs is."""
    if not means:
        return None
    errors = [one.stderr for one in means]
    known = [error for error in errors if error is not None]
    stderr = sqrt(sum(error**2 for error in known)) / len(means) if len(known) == len(errors) else None
    return Mean(sum(one.value for one in means) / len(means), stderr, len(means))
