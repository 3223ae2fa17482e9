from __future__ import annotations

from tests.training.fakes import Characters
from webscale_rl.training.prompting import completion_of, messages, prompt, prompt_of, response


def test_without_a_chat_template_a_question_stands_in_a_plain_form() -> None:
    assert prompt("Who?") == "Question: Who?\nAnswer:"
    assert prompt("Who?", "Be brief.", Characters()) == "Be brief.\n\nQuestion: Who?\nAnswer:"


def test_with_a_chat_template_that_is_what_stands() -> None:
    assert prompt("Who?", "Be brief.", Characters(template=True)) == "[s:Be brief.][u:Who?][a:"


def test_a_prompt_and_its_completion_are_the_conversation_as_the_template_writes_it() -> None:
    tokenizer = Characters(template=True)
    asked = messages("Who?", "Be brief.")
    text, ended = completion_of(asked, "Ann", tokenizer)
    whole = tokenizer.apply_chat_template([*asked, {"role": "assistant", "content": "Ann"}], tokenize=False)
    assert prompt_of(asked, tokenizer) + text == whole
    assert ended  # the template closes the turn itself


def test_an_answer_in_the_plain_form_stands_after_a_space_and_has_no_end_of_its_own() -> None:
    assert completion_of(messages("Who?"), " Ann ") == (" Ann", False)


def test_earlier_turns_stand_before_the_question_in_the_plain_form() -> None:
    talk = [*messages("Who?"), {"role": "assistant", "content": "Ann"}, *messages("Why?")]
    assert prompt_of(talk) == "Question: Who?\nAnswer: Ann\n\nQuestion: Why?\nAnswer:"


def test_a_question_that_a_base_model_goes_on_with_is_no_part_of_its_response() -> None:
    assert response(" Ann\nQuestion: When?\nAnswer: Now") == "Ann"
    assert response(" Ann\nQuestion: When?", Characters(template=True)) == "Ann\nQuestion: When?"


def test_braces_and_slots_in_a_question_stay_what_they_are() -> None:
    assert prompt("What is {question} in {{ it }}?") == "Question: What is {question} in {{ it }}?\nAnswer:"
