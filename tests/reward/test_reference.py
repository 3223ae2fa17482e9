from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.reward import Reference, from_json, infer, references, to_json
from webscale_rl.reward.reference import ORDER, TYPES, kind

OPTIONS = "Which planet is the largest?\nA) Mars\nB) Jupiter\nC) Venus\nD) Saturn"


def test_every_type_has_a_module_and_a_place_in_the_order() -> None:
    assert sorted(ORDER) == sorted(TYPES)
    for name in TYPES:
        module = kind(name)
        assert module is not None, name
        assert callable(module.infer)
        assert callable(module.compare)


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (OPTIONS, "B", "choice"),
        ("Is a tomato a fruit?", "Yes", "yes_no"),
        ("What share of air is nitrogen?", "78%", "percentage"),
        ("What did it cost?", "$15 million", "money"),
        ("When did the Berlin Wall fall?", "9 November 1989", "date"),
        ("When did the Berlin Wall fall?", "1989", "date"),
        ("What is the pH range of blood?", "7.35-7.45", "range"),
        ("How many legs does a spider have?", "8", "number"),
        ("How many legs does a spider have?", "eight", "number"),
        ("How tall is it?", "330 metres", "quantity"),
        ("Which function gives a list's length?", "len()", "code"),
        ("Which are the primary colours?", "red, yellow and blue", "list"),
        ("What is the derivative of x^3?", "3x^2", "formula"),
        ("Who wrote Emma?", "Jane Austen", "person"),
        ("What is the capital of France?", "Paris", "name"),
        ("Why is the sky blue?", "because air scatters blue light more than red light", "phrase"),
    ],
)
def test_a_plain_answer_is_typed_by_its_wording_and_its_question(question: str, answer: str, expected: str) -> None:
    assert infer(answer, question).type == expected


def test_a_hint_is_believed_only_if_the_answer_reads_so() -> None:
    assert infer("10.5.1984", "", "date").type == "date"
    assert infer("Paris", "", "number").type != "number"
    assert infer("Paris", "", "no such type") == infer("Paris")
    assert infer("colour", "", "code").type == "code"
    assert infer("Romulus and Remus", "", "list").type == "list"
    assert infer("Romulus", "", "list").type != "list"


def test_what_is_called_a_phrase_may_still_be_a_value() -> None:
    assert infer("42", "", "phrase").type == "number"
    assert infer("flour and water", "Which two things make dough?", "phrase").type == "phrase"


def test_what_nothing_else_knows_is_a_phrase() -> None:
    assert infer("").type == "phrase"
    assert infer("x" * 5000).type == "phrase"


def test_a_stored_reference_is_read_back_as_it_was() -> None:
    whole = Reference("3 km", "quantity", "m", 0.01, ("3000 m",), True)
    assert from_json(to_json(whole)) == whole
    assert to_json(Reference("Paris", "name")) == '{"answer":"Paris","type":"name"}'


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(TYPES), st.floats(0, 1), st.booleans())
def test_any_reference_survives_its_stored_form(answer: str, name: str, tolerance: float, ordered: bool) -> None:
    stored = Reference(answer, name, "m", tolerance, (answer,), ordered)  # type: ignore[arg-type]
    assert from_json(to_json(stored)) == stored


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"answer":"x","type":"colour"}', "type: there is no 'colour'; known: number, quantity"),
        ('{"answer":"x"}', "type: there is no None"),
        ('{"answer":"x","type":"name","color":1}', "has no 'color'; known: answer, type"),
        ('{"answer":1,"type":"name"}', "cannot be read"),
        ("[1]", "not list"),
        ("{", "is a JSON object"),
    ],
)
def test_a_stored_form_that_is_none_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", "\\(").replace("[", "\\[")):
        from_json(text)


def test_a_ground_truth_is_text_or_stored_or_several_of_them() -> None:
    name = Reference("Paris", "name")
    assert references(name) == references(to_json(name)) == references({"answer": "Paris", "type": "name"}) == (name,)
    assert [one.answer for one in references(["Paris", name, ["Lutetia"]])] == ["Paris", "Paris", "Lutetia"]  # type: ignore[list-item]
    with pytest.raises(TypeError, match="not int"):
        references(3)  # type: ignore[arg-type]


def test_json_that_is_an_answer_itself_is_text() -> None:
    answer = json.dumps({"answer": "x", "type": "colour"}, separators=(",", ":"))
    assert references(answer)[0].answer == answer
