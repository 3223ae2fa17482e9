"""Numbers: the value decides, and which of several values an answer gives."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import number as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "number"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("42", "The answer is 42 apples.", ""),
        ("42", "42 (not 43)", ""),
        ("42", "12 + 30 = 42", ""),
        ("42", "about 42", ""),
        ("5", "x = 5", ""),
        ("0.5", "1/2", ""),
        ("3.14", "3.14159", ""),
        ("26", "Of the 50 states, 26 are red.", "How many states are red?"),
        ("5000", "5 km", "How many metres is it?"),
        ("0.25", "25%", "What is the probability?"),
        ("12", "$12", "How much is it?"),
        ("3", "She finished third with 25 points.", "In which place did she finish?"),
    ],
)
def test_the_value_that_an_answer_gives_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("42", "43", ""),
        ("42", "42 or 43", ""),
        ("42", "between 42 and 44", ""),
        ("42", "42-44", ""),
        ("42", "43, not 42", ""),
        ("42", "-42", ""),
        ("1.234", "1,234", ""),
        ("3", "3.0001", ""),
        ("5", "5 miles", "How many kilometres is it?"),
        ("42", "Paris", ""),
        ("42", "40, 41, 42", ""),
    ],
)
def test_another_value_or_several_are_wrong(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is False


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("42", "more than 42", ""),
        ("42", "at least 42", ""),
        ("42", "It might be 42.", ""),
        ("42", "There were 42 men and 17 boys on board then.", ""),
        ("0.5", "0.52", ""),
        ("1/3", "0.33", ""),
        ("2", "2\\sqrt{3}", ""),
    ],
)
def test_what_the_wording_leaves_open_is_not_decided(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is None


def test_a_tolerance_admits_what_is_near() -> None:
    reference = Reference("100", "number", tolerance=0.01)
    assert kind.compare(reference, "100.9").same is True
    assert kind.compare(reference, "101.1").same is False


def test_a_number_is_inferred_only_from_a_number_alone() -> None:
    assert kind.infer("1,234") is not None
    assert kind.infer("x = 5") is not None
    assert kind.infer("5 apples") is None
    assert kind.infer("version 1.2.3") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("42", answer) is not True
