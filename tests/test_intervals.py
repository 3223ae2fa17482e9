"""Intervals for the totals of a population cover the truth as often as they say, and no sample is made to say more."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl import intervals
from webscale_rl.intervals import Vector, ratio, share, total

POPULATION = 2000


def documents(rng: np.random.Generator, population: int) -> dict[str, tuple[Vector, Vector]]:
    """Amounts that pipelines have, and sizes: long-tailed documents of which most say nothing to later stages."""
    sizes = np.minimum(rng.lognormal(7.5, 1, population), 32_000)
    kept = rng.random(population) < 0.4
    personas = rng.integers(1, 4, population)
    amounts = {
        "tokens of the first stage": 300 + sizes / 4 * rng.uniform(0.9, 1.1, population),
        "tokens of later stages": kept * personas * (500 + sizes / 4),
        "pairs": (rng.random(population) < 0.3) * rng.binomial(3, 0.6, population),
        "calls": 1 + kept * (1 + 2 * personas),
        "seconds": rng.lognormal(0, 0.5, population) * kept * personas,
        "kept by half": rng.random(population) < 0.5,
        "kept by a tenth": rng.random(population) < 0.1,
    }
    return {name: (amount.astype(np.float64), sizes) for name, amount in amounts.items()}


@pytest.fixture
def _fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "RESAMPLES", 399)


@pytest.mark.usefixtures("_fewer_resamples")
@pytest.mark.parametrize(("population", "sample"), [(2000, 50), (100, 50), (2000, 150)])
def test_nine_of_ten_intervals_cover_the_truth(population: int, sample: int) -> None:
    rng = np.random.default_rng(7)
    hits: dict[str, list[bool]] = {}
    for _ in range(150):  # a population each, so that no lucky one decides
        for name, (amounts, sizes) in documents(rng, population).items():
            drawn = rng.choice(population, sample, replace=False)
            found = total(amounts[drawn], sizes[drawn], population, sizes.sum())
            covered = found.low <= amounts.sum() and (found.high is None or amounts.sum() <= found.high)
            hits.setdefault(name, []).append(covered)
    covers = {name: float(np.mean(covered)) for name, covered in hits.items()}
    assert 0.87 < np.mean(list(covers.values())) < 0.94, covers
    assert all(0.83 < cover < 0.97 for cover in covers.values()), covers  # 150 trials: +- 0.05 by chance alone


@pytest.mark.usefixtures("_fewer_resamples")
def test_nine_of_ten_intervals_of_a_cost_per_pair_cover_it() -> None:
    rng = np.random.default_rng(11)
    hits = []
    for _ in range(300):
        found = documents(rng, POPULATION)
        (cost, _), (pairs, _) = found["tokens of later stages"], found["pairs"]
        pairs = np.minimum(pairs, np.ceil(cost))
        drawn = rng.choice(POPULATION, 80, replace=False)
        interval = ratio(cost[drawn], pairs[drawn], POPULATION)
        assert interval is not None
        truth = cost.sum() / pairs.sum()
        hits.append(interval.low <= truth and (interval.high is None or truth <= interval.high))
    assert 0.85 < np.mean(hits) < 0.95


def test_a_known_size_shortens_the_interval_of_what_goes_with_it() -> None:
    rng = np.random.default_rng(3)
    amounts, sizes = documents(rng, POPULATION)["tokens of the first stage"]
    drawn = rng.choice(POPULATION, 50, replace=False)
    with_size = total(amounts[drawn], sizes[drawn], POPULATION, sizes.sum())
    without = total(amounts[drawn], np.ones(50), POPULATION, POPULATION)
    assert with_size.high is not None
    assert without.high is not None
    assert with_size.high - with_size.low < (without.high - without.low) / 3


def test_a_sample_that_is_everything_leaves_nothing_to_estimate() -> None:
    amounts = np.array([3.0, 0.0, 5.0])
    assert total(amounts, np.ones(3), 3, 3) == intervals.Interval(8, 8, 8)
    assert share(2, 3, 3) == intervals.Interval(2, 2, 2)
    assert ratio(amounts, np.array([1.0, 1.0, 2.0]), 3) == intervals.Interval(2, 2, 2)


def test_what_was_never_seen_has_no_upper_bound_unless_it_is_a_share() -> None:
    assert total(np.zeros(50), np.ones(50), 1000, 1000) == intervals.Interval(0, 0, None)
    nothing = share(0, 50, 1000)
    assert (nothing.value, nothing.low) == (0, 0)
    assert nothing.high is not None
    assert 20 < nothing.high < 70  # the rule of three at 95 %: 0.05 ** (1 / 50) leaves 5.8 %, mid-P a little less
    assert ratio(np.ones(50), np.zeros(50), 1000) is None


@given(st.data())
def test_a_share_is_the_inversion_of_the_exact_distribution(data: st.DataObject) -> None:
    population = data.draw(st.integers(2, 60))
    sample = data.draw(st.integers(1, population - 1))
    hits = data.draw(st.integers(0, sample))
    found = share(hits, sample, population)

    def beyond(count: int) -> float:
        ways = [comb(count, k) * comb(population - count, sample - k) for k in range(sample + 1)]
        return (sum(ways[hits + 1 :]) + ways[hits] / 2) / comb(population, sample)

    possible = range(hits, population - (sample - hits) + 1)
    surely = [count for count in possible if 0.05 + 1e-9 < beyond(count) < 0.95 - 1e-9]
    at_most = [count for count in possible if 0.05 - 1e-9 < beyond(count) < 0.95 + 1e-9]
    assert found.high is not None
    if surely:
        assert at_most[0] <= found.low <= surely[0]
        assert surely[-1] <= found.high <= at_most[-1]
    assert hits <= found.low <= found.high <= population - (sample - hits)


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=40), st.integers(1, 100_000))
def test_no_interval_is_upside_down_or_denies_what_was_seen(amounts: list[float], more: int) -> None:
    values = np.array(amounts)
    found = total(values, np.arange(1.0, len(values) + 1), len(values) + more, 10.0 * (len(values) + more))
    assert values.sum() <= found.low * (1 + 1e-9) or found.value == 0
    assert found.low <= found.value * (1 + 1e-9)
    assert found.high is None or found.value <= found.high * (1 + 1e-9)
    assert found == total(values, np.arange(1.0, len(values) + 1), len(values) + more, 10.0 * (len(values) + more))
