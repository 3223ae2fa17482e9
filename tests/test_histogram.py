"""Percentiles are told within the bound, and those of a whole are those of its parts put together."""

from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.histogram import FLOOR_S, PERCENTILES, RELATIVE_ERROR, Histogram

DURATIONS = st.lists(st.floats(FLOOR_S, 1e5), min_size=1, max_size=200)


def histogram(values: list[float]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


def exact(values: list[float], percent: float) -> float:
    """The nearest-rank definition."""
    return sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]


@given(DURATIONS, st.floats(0, 100))
def test_every_percentile_is_within_the_relative_error(values: list[float], percent: float) -> None:
    assert histogram(values).percentile(percent) == pytest.approx(exact(values, percent), rel=RELATIVE_ERROR + 1e-9)


@given(DURATIONS, DURATIONS)
def test_the_merged_histogram_of_two_parts_is_that_of_the_whole(one: list[float], other: list[float]) -> None:
    merged, part = histogram(one), histogram(other)
    merged.merge(part)
    assert merged == histogram(one + other)
    assert part == histogram(other)


def test_a_heavy_tail_shows_where_it_begins() -> None:
    chance = random.Random(1)
    values = [chance.lognormvariate(0.0, 1.0) for _ in range(20_000)]
    told = histogram(values).percentiles()
    assert list(told) == [f"p{percent}" for percent in PERCENTILES]
    theory = {"p50": 1.0, "p95": math.exp(1.6449), "p99": math.exp(2.3263)}
    for name, value in theory.items():  # 2 % of the buckets, the rest is the sample's own scatter
        assert told[name] == pytest.approx(value, rel=RELATIVE_ERROR + 0.06)


def test_what_has_no_duration_counts_and_a_day_takes_no_room() -> None:
    made = histogram([0.0, -1.0, 86_400.0])
    assert made.count == 3
    assert made.percentile(50) == pytest.approx(FLOOR_S, rel=RELATIVE_ERROR)
    assert max(made.buckets) - min(made.buckets) < 631


def test_an_empty_histogram_has_no_percentiles() -> None:
    assert Histogram().percentiles() == {}
    with pytest.raises(ValueError, match="empty"):
        Histogram().percentile(50)


@given(DURATIONS)
def test_a_stored_histogram_is_the_same_when_it_is_read(values: list[float]) -> None:
    made = histogram(values)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Histogram) == made
