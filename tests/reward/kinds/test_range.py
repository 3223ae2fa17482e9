"""Ranges, bounds and approximate values."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import range as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "range"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("10-20", "between 10 and 20", ""),
        ("10–20 km", "10,000 m to 20,000 m", ""),
        ("10-20 minutes", "10-20", "How many minutes does it take?"),
        ("at least 5", "≥ 5", ""),
        ("at least 5", "5 or more", ""),
        ("20 to 25", "at least 20 and at most 25", ""),
        ("about 50", "50", ""),
        ("50", "about 50", ""),
        ("50 ± 2", "48 to 52", ""),
        ("50 ± 2", "50 plus or minus 2", ""),
        ("0 < x < 1", "(0, 1)", ""),
        ("2-3 million", "between two and three million", ""),
        ("$10-20", "$10–$20", ""),
        ("-5 to 5", "from −5 to 5", ""),
    ],
)
def test_the_same_range_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("10-20", "15"),
        ("10-20", "10"),
        ("10-20", "10-25"),
        ("10-20 m", "10-20 cm"),
        ("10-20", "10-20 or 20-30"),
        ("at least 5", "at most 5"),
        ("about 50", "90"),
        ("[0, 1)", "(0, 1)"),
        ("-5 to 5", "5 to 5"),
        ("$10-20", "€10-20"),
    ],
)
def test_a_point_another_end_or_another_bound_is_wrong(sought: str, answer: str) -> None:
    assert same(sought, answer) is False


@pytest.mark.parametrize(("sought", "answer"), [("more than 5", "at least 5"), ("about 50", "52"), ("at least 5", "5")])
def test_how_near_is_near_enough_is_not_decided(sought: str, answer: str) -> None:
    assert same(sought, answer) is None


def test_a_plain_value_is_no_range() -> None:
    assert kind.infer("10-20") is not None
    assert kind.infer("about 50 km") is not None
    assert kind.infer("50 km") is None
    assert kind.infer("20-10") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("10-20", answer) is not True
