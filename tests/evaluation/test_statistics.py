"""Scores come with errors, and the formulas are those that they say they are."""

from __future__ import annotations

import itertools
import random
import statistics
from math import sqrt

import pytest

from webscale_rl.evaluation.statistics import Mean, average, mean, paired, pass_at


def test_the_error_of_a_mean_is_the_sample_deviation_over_the_root_of_the_count() -> None:
    values = [0.0, 1.0, 1.0, 0.5]
    found = mean(values)
    assert found is not None
    assert found.value == statistics.mean(values)
    assert found.stderr == pytest.approx(statistics.stdev(values) / sqrt(4))
    assert mean([]) is None
    assert mean([1.0]) == Mean(1.0, None, 1), "one question says nothing of its error"


def test_pass_at_k_is_the_share_of_all_draws_that_hold_a_right_sample() -> None:
    for samples, right, k in [(5, 2, 1), (5, 2, 3), (6, 0, 2), (6, 6, 4), (4, 1, 4)]:
        draws = list(itertools.combinations([1] * right + [0] * (samples - right), k))
        assert pass_at(k, right, samples) == pytest.approx(sum(map(max, draws)) / len(draws))
    with pytest.raises(ValueError, match="pass@5 needs at least 5 samples"):
        pass_at(5, 1, 4)


def test_pairing_takes_the_questions_difficulty_out_of_the_error() -> None:
    draw = random.Random(0)
    hard = {str(at): draw.random() for at in range(400)}
    first = {name: float(draw.random() < level * 0.9) for name, level in hard.items()}
    second = {name: max(first[name], float(draw.random() < 0.1)) for name in hard}
    found, apart = paired(first, second), [mean(list(one.values())) for one in (first, second)]
    assert found is not None
    assert apart[0] is not None
    assert apart[1] is not None
    assert found.value == pytest.approx(apart[1].value - apart[0].value)
    assert apart[0].stderr is not None
    assert apart[1].stderr is not None
    assert found.stderr is not None
    assert found.stderr < 0.6 * sqrt(apart[0].stderr ** 2 + apart[1].stderr ** 2)
    assert found.sure


def test_a_difference_is_of_the_questions_that_both_have() -> None:
    found = paired({"a": 1.0, "b": 0.0, "x": 1.0}, {"a": 1.0, "b": 1.0, "y": 0.0})
    assert found is not None
    assert (found.value, found.count, found.sure) == (0.5, 2, False)
    assert paired({"a": 1.0}, {"b": 1.0}) is None


def test_the_error_of_an_average_is_that_of_independent_results() -> None:
    found = average([Mean(0.2, 0.03, 10), Mean(0.4, 0.04, 10)])
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert found.stderr == pytest.approx(0.025)
    assert average([Mean(0.2, None, 1), Mean(0.4, 0.04, 10)]) == Mean(pytest.approx(0.3), None, 2)
