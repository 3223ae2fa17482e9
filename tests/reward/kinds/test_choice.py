from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import choice
from webscale_rl.reward.reference import Reference

CAPITAL = "What is the capital of France?\nA. London\nB. Paris\nC. Rome\nD. Berlin"


def same(reference: str, answer: str, question: str = CAPITAL) -> bool | None:
    return choice.compare(Reference(reference, "choice"), answer, question).same


@pytest.mark.parametrize(
    "question",
    [
        CAPITAL,
        "Capital of France? (A) London (B) Paris (C) Rome (D) Berlin",
        "Capital of France? A) London, B) Paris, C) Rome, or D) Berlin",
        "Choose: A. London B. Paris C. Rome D. Berlin. What is the capital of France?",
        "Capital of France?\na) London\nb) Paris\nc) Rome\nd) Berlin",
    ],
)
def test_options_are_read_from_every_common_form(question: str) -> None:
    assert choice.options(question) == {"A": "London", "B": "Paris", "C": "Rome", "D": "Berlin"}


def test_a_text_without_a_run_of_labels_has_no_options() -> None:
    assert choice.options("Vitamin A and plan B. What now?") == {}
    assert choice.options("") == {}


@pytest.mark.parametrize(
    "answer",
    [
        "B", "b", "(B)", "B.", "B) Paris", "B: Paris", "B - Paris", "Option B", "Paris", "The answer is B.",
        "The answer is (B) Paris because London is in England.", "It is B, not A.", "The capital of France is Paris.",
        "The capital of France is Paris, so the correct option is B.", '"B"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("reference", ["B", "Paris", "B. Paris"])
def test_letter_text_or_both_choose_the_option(reference: str, answer: str) -> None:
    assert same(reference, answer) is True


@pytest.mark.parametrize(
    "answer",
    [
        "A", "A) Paris", "B) London", "A and B", "B or C", "A B C D", "London", "Not B", "Neither A nor B", "E",
        "B is wrong.", "All of the above", "", "The answer is A because B is wrong.",
    ],
)  # fmt: skip
def test_another_option_several_or_a_contradiction_is_wrong(answer: str) -> None:
    assert same("B", answer) is False


def test_an_article_is_no_label() -> None:
    assert same("A", "A city in Italy", CAPITAL) is not True


def test_a_hedged_letter_is_left_to_a_judge() -> None:
    assert same("B", "It might be B.") is None


def test_several_right_options_are_all_named_and_no_other() -> None:
    question = "Which are prime?\nA) 2\nB) 4\nC) 7\nD) 9"
    assert [same("A, C", answer, question) for answer in ("A and C", "C, A", "AC", "2 and 7")] == [True] * 4
    assert [same("A, C", answer, question) for answer in ("A", "A, B, C", "A or C", "A, D")] == [False] * 4


def test_a_letter_is_a_choice_only_if_there_are_options_or_no_question() -> None:
    assert choice.infer("B", CAPITAL) is not None
    assert choice.infer("Paris", CAPITAL) is not None
    assert choice.infer("D") is not None
    assert choice.infer("D", "Which vitamin does the sun give?") is None
    assert choice.infer("Madrid", CAPITAL) is None


@pytest.mark.parametrize("answer", ["A " * 50_000, "(B) " * 25_000, "((((" * 25_000, "- " * 50_000])
def test_an_endless_answer_is_never_right(answer: str) -> None:
    assert same("B", answer + " A C D") is not True
