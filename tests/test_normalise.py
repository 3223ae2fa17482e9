"""How texts are compared: by wording, by tokens, by whether an answer stands in its question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.normalise import restates, tokens, wording


def test_wording_forgets_case_white_space_and_the_form_of_characters() -> None:
    assert wording("  What\u00a0IS\n\tＸ ﬁne? ") == "what is x fine?"
    assert wording("STRASSE") == wording("straße")


@pytest.mark.parametrize(
    ("one", "other"), [("2+3", "2-3"), ("a<b", "a>b"), ("C", "C++"), ("résumé", "resume"), ("1.5", "15")]
)
def test_wording_keeps_signs_accents_and_points(one: str, other: str) -> None:
    assert wording(one) != wording(other)


@given(st.text(max_size=40))
def test_wording_does_not_depend_on_white_space_around(text: str) -> None:
    assert wording(f"\n {text}\t") == wording(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200.0 people", ("1200", "people")),
        ("1,000,000", ("1000000",)),
        ("1,2,3", ("1", "2", "3")),
        ("(3,4)", ("3", "4")),
        ("1,2345", ("1", "2345")),
        ("0.50", ("0.5",)),
        (".5", ("0.5",)),
        ("100", ("100",)),
        ("007", ("7",)),
        ("-5 °C", ("-5", "c")),
        ("−5", ("-5",)),
        ("10-3", ("10", "3")),
        ("1887–1889", ("1887", "1889")),
        ("Émile Zola's", ("emile", "zola", "s")),
        ("snake_case", ("snake", "case")),
        ("", ()),
        ("?!…—", ("",)[:0]),
        ("x²", ("x2",)),
    ],
)
def test_tokens_are_words_without_accents_and_numbers_by_value(text: str, found: tuple[str, ...]) -> None:
    assert tokens(text) == found


@given(st.integers(0, 10**12))
def test_a_number_has_one_token_however_it_is_written(number: int) -> None:
    for spelled in (f"{number}", f"{number:,}", f"{number}.0", f"{number:,}.00", f"0{number}"):
        assert tokens(spelled) == (str(number),)


@given(st.text(max_size=60))
def test_tokens_never_fail(text: str) -> None:
    assert all(tokens(text)) or not text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Is the Eiffel Tower 330 metres tall?", "330 metres"),
        ("Which of the 1,200 soldiers fell?", "1200.0"),
        ("How did Émile Zola die?", "emile zola"),
        ("Was it Gustave Eiffel, who designed it?", "Gustave  Eiffel."),
        ("Who wrote C?", "C"),
        ("Was Doom written in C++?", "C++"),
        ('Is "x" a variable?', "X"),
        ("东京塔有多高？330米吗？", "330米"),
        ("In 1912, did it sink in 1912?", "1912"),
    ],
)
def test_an_answer_that_stands_in_its_question_is_found(question: str, answer: str) -> None:
    assert restates(question, answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How tall is the Eiffel Tower?", "330 metres"),
        ("Is it 330 feet or 100 metres tall?", "330 metres"),
        ("Which language extends C with classes?", "C++"),
        ("Which language has C++ as its successor?", "C"),
        ("If f(x) = x^2 - 2, what is f(2)?", "2"),
        ("What is the largest of 12, 13 and 14?", "3"),
        ("Who designed the tower of Eiffeltown?", "Eiffel"),
        ("What is 2+3?", ""),
        ("What comes after -5?", "5 6"),
        ("What comes after +?", "+"),
        ("东京塔有多高？", "332米"),
    ],
)
def test_an_answer_that_does_not_stand_in_its_question_is_not_found(question: str, answer: str) -> None:
    assert not restates(question, answer)
