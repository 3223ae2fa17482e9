"""Dates: the same day, however written; partial dates; which of several an answer gives."""

from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import date as kind
from webscale_rl.reward.reference import Reference

HOSTILE = ("1" * 100_000, "9^9^9^9", "1e999999999", "5 " * 50_000, "one " * 25_000, "$" * 100_000, "\\frac{" * 16_000)


def same(sought: str, answer: str, question: str = "") -> bool | None:
    return kind.compare(Reference(sought, "date"), answer, question).same


@pytest.mark.parametrize(
    ("sought", "answer", "question"),
    [
        ("5 January 1933", "January 5th, 1933", ""),
        ("5 January 1933", "1933-01-05", ""),
        ("5 January 1933", "5.1.1933", ""),
        ("25 January 1933", "01/25/1933", ""),
        ("1937", "It opened in 1937, four years after work began.", "When did it open?"),
        ("1933", "5 January 1933", "When was it?"),
        ("5 January 1933", "1933", "In what year was he born?"),
        ("April 17, 2011", "April 17", "On what date in 2011 was it first aired?"),
        ("44 BC", "15 March 44 BCE", ""),
        ("the 1930s", "the nineteen-thirties", ""),
        ("19th century", "the nineteenth century", ""),
        ("1914-18", "from 1914 to 1918", ""),
        ("3:30 pm", "15:30", ""),
        ("12:00 UTC", "7 am EST", ""),
        ("Saturday", "on Saturdays", ""),
        ("476 AD", "4 September 476", ""),
    ],
)
def test_the_same_or_a_more_precise_date_is_right(sought: str, answer: str, question: str) -> None:
    assert same(sought, answer, question) is True


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("5 January 1933", "6 January 1933"),
        ("5 January 1933", "5 January 1934"),
        ("1937", "1937 or 1938"),
        ("1937", "1937 BC"),
        ("44 BC", "44 AD"),
        ("1914-1918", "1914"),
        ("1914-1918", "1914-1919"),
        ("3:30 pm", "3:30 am"),
        ("Saturday", "Sunday"),
        ("1930s", "1940s"),
        ("spring 1933", "autumn 1933"),
    ],
)
def test_another_date_is_wrong(sought: str, answer: str) -> None:
    assert same(sought, answer) is False


@pytest.mark.parametrize(
    ("sought", "answer"),
    [
        ("5 January 1933", "05/01/1933"),
        ("5 January 1933", "January 1933"),
        ("1937", "after 1937"),
        ("1937", "by 1937"),
        ("19th century", "1850"),
        ("early 1933", "1933"),
        ("3:30 pm", "3:30"),
    ],
)
def test_a_date_that_says_less_or_may_be_another_is_not_decided(sought: str, answer: str) -> None:
    assert same(sought, answer) is not True


def test_a_bare_number_is_a_year_only_where_a_time_is_asked_for() -> None:
    assert kind.infer("1969", "In what year was it?") is not None
    assert kind.infer("1969", "How many years did it last?") is None
    assert kind.infer("1969") is None
    assert kind.infer("21", "Which year of his reign was it?") is None
    assert kind.infer("20 July 1969") is not None
    assert kind.infer("May") is None


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:8])
def test_a_hostile_answer_is_never_right_and_never_slow(answer: str) -> None:
    assert same("5 May 1933", answer) is not True
