"""Money: amount and currency, however they are written."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import money as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "money"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("$5", "5 US dollars", ""),
        ("$5", "USD 5", ""),
        ("$1.5 million", "$1,500,000", ""),
        ("$1.5 million", "1.5m dollars", ""),
        ("50 cents", "$0.50", ""),
        ("$3.25", "3 dollars and 25 cents", ""),
        ("₹5 crore", "50 million rupees", ""),
        ("€2bn", "2 billion euros", ""),
        ("£20", "20 pounds", ""),
        ("$5", "5", "How much does it cost?"),
        ("$7.25 per hour", "$7.25 an hour", ""),
        ("C$60,000", "$60,000", "What is the salary in Canadian dollars?"),
    ],
)
def test_the_same_amount_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("$5", "£5"),
        ("$5", "A$5"),
        ("$5", "5 cents"),
        ("-$5", "$5"),
        ("$1.5 million", "$1.5 billion"),
        ("$5", "$5 or $6"),
        ("¥5", "$5"),
    ],
)
def test_another_amount_or_currency_is_wrong(sought: str, answer: str) -> None:
    assert same(sought, answer) is False


@pytest.mark.parametrize(
    ("sought", "answer"),
    [("$5", "5"), ("A$5", "$5"), ("$5", "more than $5"), ("$3 million", "3 million shares"), ("$18", "$18 per egg")],
)
def test_a_currency_that_is_not_said_is_not_guessed(sought: str, answer: str) -> None:
    assert same(sought, answer) is None


def test_the_reference_knows_its_currency() -> None:
    reference = kind.infer("£1.2m")
    assert reference is not None
    assert reference.unit == "GBP"
    assert kind.infer("20 pounds", "How heavy is it?") is None
    assert kind.infer("5 m") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("$5", answer) is not True
