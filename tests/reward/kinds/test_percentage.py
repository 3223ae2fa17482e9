"""Percentages and the other ways to say a share."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import percentage as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "percentage"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("45%", "forty-five per cent", ""),
        ("45%", "45", "What percentage is it?"),
        ("45%", "0.45", "What is the probability?"),
        ("25%", "a quarter", ""),
        ("25%", "one in four", ""),
        ("25%", "20/80 = 0.25, so 25 percent", ""),
        ("2 percentage points", "200 basis points", ""),
        ("78%", "78% nitrogen, 21% oxygen", "What percentage of the air is nitrogen?"),
        ("5%", "5% per annum", "What is the interest rate per year?"),
    ],
)
def test_the_same_share_in_other_words_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer"),
    [("45%", "54%"), ("45%", "4.5%"), ("-1.2%", "1.2%"), ("45%", "40-50%"), ("5%", "5‰")],
)
def test_another_share_is_wrong(sought: str, answer: str) -> None:
    assert same(sought, answer) is False


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("45%", "0.45"),
        ("45%", "45.2%"),
        ("45.2%", "45%"),
        ("5%", "5 percentage points"),
        ("64%", "64 patients"),
        ("5%", "$5"),
        ("5%", "5% per month"),
    ],
)
def test_a_bare_a_rounded_or_another_kind_of_share_is_not_decided(sought: str, answer: str) -> None:
    assert same(sought, answer) is None


def test_only_a_number_with_its_sign_is_a_percentage() -> None:
    assert kind.infer("45 %") is not None
    assert kind.infer("7½%") is not None
    assert kind.infer("0.45") is None
    assert kind.infer("45% of adults") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("45%", answer) is not True
