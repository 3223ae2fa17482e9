from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import yes_no
from webscale_rl.reward.reference import Reference

SMOKING = "Does smoking increase the risk of lung cancer?"


def same(reference: str, answer: str, question: str = SMOKING) -> bool | None:
    return yes_no.compare(Reference(reference, "yes_no"), answer, question).same


@pytest.mark.parametrize(
    "answer",
    [
        "Yes", "yes, it does", "True.", "Correct", "Absolutely.", "It does.", "So yes, it does.",
        "Smoking increases the risk of lung cancer.", "Smoking does increase the risk.",
        "Yes, and there is no doubt about it.", "The answer is yes.", "That is correct.",
    ],
)  # fmt: skip
def test_every_way_to_say_yes_is_yes(answer: str) -> None:
    assert same("Yes", answer) is True
    assert same("No", answer) is False


@pytest.mark.parametrize(
    "answer",
    [
        "No", "no, it does not", "False.", "It doesn't.", "Not necessarily", "Never", "Nope", "By no means.",
        "Smoking does not increase the risk of lung cancer.", "Smoking decreases the risk of lung cancer.",
        "Yes, many think so, but the answer is no.", "That's not correct.", "Not true",
    ],
)  # fmt: skip
def test_every_way_to_say_no_is_no(answer: str) -> None:
    assert same("No", answer) is True
    assert same("Yes", answer) is False


@pytest.mark.parametrize(
    "answer",
    [
        "Yes and no.", "Maybe", "It depends.", "yes or no", "", "Possibly",
        "It is not true that the answer is no.", "Yes if you smoke, no if you do not.", "Lungs are organs.",
    ],
)  # fmt: skip
def test_both_neither_and_hedges_are_never_right(answer: str) -> None:
    assert same("Yes", answer) is not True
    assert same("No", answer) is not True


def test_truth_words_and_answer_words_are_one_scale() -> None:
    question = "True or false: all squares are rectangles."
    assert same("True", "Yes", question) is True
    assert same("True", "T", question) is True
    assert same("False", "F", question) is True
    assert same("True", "It is not false.", question) is not False


def test_a_reference_with_a_reason_is_read_by_its_first_word() -> None:
    question = "Did Napoleon win the Battle of Waterloo?"
    reference = yes_no.infer("No, he lost it.", question)
    assert reference is not None
    assert yes_no.compare(reference, "He did not win the Battle of Waterloo.", question).same is True
    assert yes_no.compare(reference, "He won the Battle of Waterloo.", question).same is False


def test_a_title_that_begins_with_no_is_no_answer_to_a_yes_or_no_question() -> None:
    assert yes_no.infer("No Country for Old Men", "Which film won the award?") is None
    assert yes_no.infer("True Detective") is None
    assert yes_no.infer("no", "Is it raining?") is not None


@pytest.mark.parametrize("answer", ["yes no " * 15_000, "not " * 25_000, "yes, " * 20_000 + "no"])
def test_an_endless_answer_does_not_say_both_ways(answer: str) -> None:
    assert not (same("Yes", answer) is True and same("No", answer) is True)
