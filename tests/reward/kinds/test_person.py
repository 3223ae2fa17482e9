from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import person
from webscale_rl.reward.reference import Reference

WHO = "Who did it?"


def same(reference: str, answer: str, question: str = WHO) -> bool | None:
    return person.compare(Reference(reference, "person"), answer, question).same


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("Albert Einstein", "Einstein"),
        ("Albert Einstein", "A. Einstein"),
        ("Albert Einstein", "Einstein, Albert"),
        ("Albert Einstein", "Dr. Albert Einstein"),
        ("J. K. Rowling", "JK Rowling"),
        ("J. K. Rowling", "Joanne Rowling"),
        ("George W. Bush", "George Walker Bush"),
        ("Martin Luther King Jr.", "Martin Luther King, Jr."),
        ("Vincent van Gogh", "Van Gogh"),
        ("Antonín Dvořák", "Antonin Dvorak"),
        ("Neil Armstrong", "Neil Alden Armstrong"),
        ("Leo Tolstoy", "Lev Tolstoy"),
        ("Queen Victoria", "Victoria"),
        ("Julius Caesar", "Gaius Julius Caesar"),
        ("Galileo Galilei", "Galileo"),
        ("James I", "James I (James VI of Scotland)"),
        ("Alexander Fleming", "It was the Scottish bacteriologist Alexander Fleming who did it."),
    ],
)
def test_one_person_under_another_form_of_the_name_is_right(reference: str, answer: str) -> None:
    assert same(reference, answer) is True


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("Albert Einstein", "Alfred Einstein"),
        ("Albert Einstein", "Albert Michelson"),
        ("George W. Bush", "George H. W. Bush"),
        ("Martin Luther King Jr.", "Martin Luther King Sr."),
        ("Queen Victoria", "Queen Anne"),
        ("James I", "James II"),
        ("Vincent van Gogh", "Theo van Gogh"),
        ("Alexander Fleming", "Not Alexander Fleming"),
        ("Alexander Fleming", "Ian Fleming or Alexander Fleming"),
    ],
)
def test_another_given_name_number_or_suffix_is_another_person(reference: str, answer: str) -> None:
    assert same(reference, answer) is False


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("Albert Einstein", "Albert"),
        ("George W. Bush", "Bush"),
        ("Henry VIII", "Henry"),
        ("Jane Austen", "Jane Austin"),
        ("Mary Shelley", "Percy Bysshe Shelley, the husband of Mary Shelley"),
        ("Albert Einstein", "Albert Einstein, Isaac Newton"),
    ],
)
def test_what_may_be_somebody_else_is_never_right(reference: str, answer: str) -> None:
    assert same(reference, answer) is not True


def test_a_title_of_the_other_sex_is_another_person() -> None:
    assert same("Queen Elizabeth II", "King Elizabeth II") is False
    question = "Who was the first female prime minister of the UK?"
    assert same("Margaret Thatcher", "Mrs. Thatcher", question) is True
    assert same("Margaret Thatcher", "Mr. Thatcher", question) is False


def test_a_song_written_for_somebody_is_not_by_somebody() -> None:
    question = "Who wrote the song?"
    assert same("Louis Armstrong", "The song was written by Louis Armstrong.", question) is True
    assert same("Louis Armstrong", "The song was written for Louis Armstrong by Bob Thiele.", question) is not True


def test_a_name_is_a_person_if_the_question_or_its_form_says_so() -> None:
    assert person.infer("Marie Curie") is not None
    assert person.infer("J. K. Rowling") is not None
    assert person.infer("Fleming", "Who discovered penicillin?") is not None
    assert person.infer("Green Bay Packers", "Who won the first Super Bowl?") is None
    assert person.infer("Harvard University", "Who founded it?") is None
    assert person.infer("the Treaty of Versailles", "Which treaty ended the war?") is None


@pytest.mark.parametrize("answer", ["Albert Einstein " * 6_000, "Einstein, " * 9_000, "A. " * 30_000])
def test_an_endless_answer_is_never_right(answer: str) -> None:
    assert same("Albert Einstein", answer) is not True
