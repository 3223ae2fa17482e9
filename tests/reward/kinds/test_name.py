from __future__ import annotations

import pytest

from webscale_rl.reward.kinds import name
from webscale_rl.reward.reference import Reference


def same(reference: str, answer: str, question: str = "") -> bool | None:
    return name.compare(Reference(reference, "name"), answer, question).same


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("Bogotá", "Bogota"),
        ("The White House", "White House"),
        ("Apple Inc.", "Apple"),
        ("Mount Everest", "Mt. Everest"),
        ("Saint Patrick", "St. Patrick"),
        ("Standard & Poor's", "Standard and Poor's"),
        ("World Health Organization", "the World Health Organisation"),
        ("World Health Organization", "WHO"),
        ("NATO", "North Atlantic Treaty Organization"),
        ("United States", "U.S."),
        ("United States", "the United States of America"),
        ("City of Paris", "Paris"),
        ("World War II", "the Second World War"),
        ("Apollo 11", "Apollo XI"),
        ("Nineteen Eighty-Four", "1984"),
        ("Boston Harbor", "Boston Harbour"),
        ("Beijing", "Beijing, China"),
        ("RMS Titanic", "Titanic"),
    ],
)
def test_one_name_in_another_spelling_is_right(reference: str, answer: str) -> None:
    assert same(reference, answer) is True


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("World War II", "World War I"),
        ("Henry VIII", "Henry VII"),
        ("South Carolina", "North Carolina"),
        ("Sudan", "South Sudan"),
        ("United States", "United Kingdom"),
        ("Republic of the Congo", "Democratic Republic of the Congo"),
        ("Treaty of Versailles", "Treaty of Paris"),
        ("Apple Inc.", "Apple Records"),
        ("Food and Drug Administration (FDA)", "Federal Drug Agency"),
        ("Paris", "London"),
        ("Mars/Venus", "Jupiter"),
    ],
)
def test_a_neighbour_is_not_the_name(reference: str, answer: str) -> None:
    assert same(reference, answer) is not True


def test_a_generic_word_may_be_missing_if_the_question_has_it() -> None:
    assert same("Treaty of Versailles", "Versailles", "Which treaty ended World War I?") is True
    assert same("University of Chicago", "Chicago", "Where did she study?") is not True


def test_a_container_that_contradicts_the_question_is_not_right() -> None:
    assert same("Paris", "Paris, France", "What is the capital of France?") is True
    assert same("Paris", "Paris, Texas", "What is the capital of France?") is not True


def test_two_places_are_not_one() -> None:
    question = "Which city hosted the Games?"
    assert same("London", "London, Paris", question) is not True
    assert same("London", "London and Paris", question) is not True
    assert same("London", "London or Paris", question) is False


@pytest.mark.parametrize(
    "answer",
    [
        "Lhotse, next to Mount Everest",
        "It is not Mount Everest.",
        "K2 is smaller than Mount Everest.",
        "The husband of Mount Everest",
        "K2 (Mount Everest)",
    ],
)
def test_a_name_in_another_role_is_not_right(answer: str) -> None:
    assert same("Mount Everest", answer, "What is the highest mountain?") is not True


def test_roles_are_not_exchanged() -> None:
    question = "Who did the Ottomans defeat in 1453?"
    assert same("the Byzantine Empire", "The Ottomans defeated the Byzantine Empire.", question) is True
    assert same("the Byzantine Empire", "The Byzantine Empire defeated the Ottomans.", question) is not True


def test_capitals_make_a_name_and_a_sentence_does_not() -> None:
    assert name.infer("Treaty of Versailles") is not None
    assert name.infer("Paris", "Which city is the capital of France?") is not None
    assert name.infer("Photosynthesis", "What process feeds plants?") is None
    assert name.infer("the treaty of 1919") is None
    assert name.infer("Paris is the capital. It lies on the Seine.") is None


@pytest.mark.parametrize("answer", ["Paris " * 20_000, "P." * 50_000, ", " * 50_000, "Paris or " * 9_000])
def test_an_endless_answer_is_never_right(answer: str) -> None:
    assert same("Paris", answer, "What is the capital of France?") is not True
