from __future__ import annotations

import importlib

import pytest

from webscale_rl.reward.reference import Reference

kind = importlib.import_module("webscale_rl.reward.kinds.list")

COLOURS = "red, green, blue"


def same(reference: str, answer: str, question: str = "", ordered: bool = False) -> bool | None:
    return kind.compare(Reference(reference, "list", ordered=ordered), answer, question).same


@pytest.mark.parametrize(
    "answer",
    [
        "red, green, and blue", "blue, green and red", "red; green; blue",
        "1. red\n2. green\n3. blue", "- red\n- green\n- blue",
        "{red, green, blue}", "Red, Green, Blue.", "1) red 2) green 3) blue", "They are red, green, and blue.",
    ],
)  # fmt: skip
def test_separators_and_order_do_not_matter(answer: str) -> None:
    assert same(COLOURS, answer, "What are the primary colours of light?") is True


@pytest.mark.parametrize(
    "answer",
    [
        "red, green", "red, green, yellow", "red, green, blue, yellow", "red, red, blue", "red, green, or blue", "",
        "red, green, blue\nred, yellow, blue", "red",
    ],
)  # fmt: skip
def test_every_item_once_and_no_other(answer: str) -> None:
    assert same(COLOURS, answer) is False


def test_order_matters_only_if_it_was_asked_for() -> None:
    question = "List the stages in order."
    reference = kind.infer("prophase, metaphase, anaphase", question)
    assert reference.ordered
    assert kind.compare(reference, "prophase → metaphase → anaphase", question).same is True
    assert kind.compare(reference, "metaphase, prophase, anaphase", question).same is False
    assert not kind.infer("prophase, metaphase, anaphase", "Which stages are there?").ordered


def test_items_are_compared_by_their_own_kinds() -> None:
    assert same("James Watson and Francis Crick", "Crick and Watson") is True
    assert same("$100, $250", "250 dollars and 100 dollars") is True
    assert same("2, 3", "x = 2 or x = 3") is True
    assert same("2, 3", "-2, -3") is False


def test_a_comma_in_brackets_or_in_a_number_separates_nothing() -> None:
    assert kind.items("calculus (with Leibniz, independently), optics") == [
        "calculus (with Leibniz, independently)",
        "optics",
    ]
    assert kind.items("1,234 and 5,678") == ["1,234", "5,678"]


def test_items_may_share_words_that_stand_once() -> None:
    assert same("the making, sale and transport of alcohol", "the making, transport, and sale of alcohol") is True


def test_what_has_commas_is_not_yet_a_list() -> None:
    assert kind.infer("Paris, France", "Where is it?") is None
    assert kind.infer("July 4, 1776") is None
    assert kind.infer("red, which is a colour, and nothing else") is None
    assert kind.infer("salt and pepper", "What is on the table?") is None
    assert kind.infer("Spain and France", "Which two countries border Andorra?") is not None


@pytest.mark.parametrize("answer", ["red, " * 20_000, "and " * 25_000, "(" * 100_000, "\n- " * 30_000, ";" * 100_000])
def test_an_endless_list_is_never_right(answer: str) -> None:
    assert same(COLOURS, answer) is not True
