from __future__ import annotations

import pytest

from tests.training.fakes import Characters
from webscale_rl.errors import TrainingError
from webscale_rl.training.data import Question, Text, Turn
from webscale_rl.training.encode import IGNORED, encode_questions, encode_texts, encode_turns
from webscale_rl.training.prompting import messages
from webscale_rl.training.recipe import ContinueRecipe, GrpoRecipe, RejectRecipe, SftRecipe


def texts(*words: str) -> list[Text]:
    return [Text(word, word) for word in words]


def questions(*words: str) -> list[Question]:
    return [Question(word, messages(word), "1", None, word) for word in words]


def test_documents_are_joined_each_with_its_end_and_cut_into_blocks_without_loss() -> None:
    rows = texts("abc", "defgh", "ij")
    encoded = encode_texts(rows, Characters(), ContinueRecipe(max_tokens=8))
    blocks = [list(map(int, block)) for block in encoded.columns["input_ids"]]
    assert [len(block) for block in blocks] == [8, 5]
    stream = "".join(chr(token) for block in blocks for token in block)
    assert sorted(stream.removesuffix("\1").split("\1")) == ["abc", "defgh", "ij"]
    assert encoded.source == 10  # the documents' own tokens: neither ends nor beginnings


def test_what_a_tokenizer_adds_is_no_token_of_the_source() -> None:
    encoded = encode_texts(texts("abc", "de"), Characters(begins=True), ContinueRecipe(max_tokens=8))
    assert encoded.source == 5


def test_a_training_of_few_steps_reads_no_more_documents_than_it_needs() -> None:
    rows = texts(*(str(at) * 10 for at in range(9)))
    encoded = encode_texts(rows, Characters(), ContinueRecipe(max_tokens=8, batch=2, max_steps=1))
    assert sum(map(len, encoded.columns["input_ids"])) == 16
    assert (len(encoded.rows), encoded.source) == (2, 20)


def test_the_loss_is_the_completions_alone_and_it_ends() -> None:
    encoded = encode_turns([Turn(messages("Who?"), "Ann", "")], Characters(begins=True), SftRecipe(max_tokens=64))
    (ids,), (labels,) = encoded.columns["input_ids"], encoded.columns["labels"]
    prompt = [2, *map(ord, "Question: Who?\nAnswer:")]
    assert ids == [*prompt, *map(ord, " Ann"), 1]
    assert labels == [*([IGNORED] * len(prompt)), *map(ord, " Ann"), 1]


def test_a_turn_that_the_template_ends_gets_no_second_end() -> None:
    encoded = encode_turns([Turn(messages("Who?"), "Ann", "")], Characters(template=True, begins=True), SftRecipe())
    assert "".join(map(chr, encoded.columns["input_ids"][0])) == "[u:Who?][a:Ann]"


def test_a_sequence_that_is_too_long_is_left_out_and_counted() -> None:
    rows = [Turn(messages("Who?"), "Ann", ""), Turn(messages("Who?"), "Ann" * 50, "")]
    encoded = encode_turns(rows, Characters(), SftRecipe(max_tokens=64))
    assert (len(encoded.rows), encoded.too_long) == (1, 1)
    asked = encode_questions(questions("a", "b" * 200), Characters(), RejectRecipe(max_prompt_tokens=64))
    assert ([row.question for row in asked.rows], asked.too_long) == (["a"], 1)


def test_if_all_are_too_long_that_is_an_error_that_names_the_key() -> None:
    with pytest.raises(TrainingError, match="max_tokens: all 1 rows are longer than 8 tokens"):
        encode_turns([Turn(messages("Who?"), "Ann", "")], Characters(), SftRecipe(max_tokens=8))
    with pytest.raises(TrainingError, match="max_prompt_tokens: all 2 questions are longer than 4 tokens"):
        encode_questions(questions("a", "b"), Characters(), GrpoRecipe(max_prompt_tokens=4))


def test_grpo_takes_whole_batches_and_no_more_than_its_steps_need() -> None:
    rows = questions(*(f"question {at}" for at in range(11)))
    whole = encode_questions(rows, Characters(), GrpoRecipe(batch=4))
    assert len(whole.rows) == 8
    few = encode_questions(rows, Characters(), GrpoRecipe(batch=4, max_steps=1))
    assert len(few.rows) == len(few.columns["prompt"]) == 4
    assert encode_questions(rows, Characters(), GrpoRecipe(batch=4, max_steps=1)).rows == few.rows
    assert encode_questions(rows, Characters(), GrpoRecipe(batch=4, max_steps=1, seed=1)).rows != few.rows


def test_fewer_questions_than_a_step_asks_is_an_error_for_trl_would_take_no_step() -> None:
    with pytest.raises(TrainingError, match="batch: 8 questions a step, and there are 2; lower it"):
        encode_questions(questions("a", "b"), Characters(), GrpoRecipe(batch=8))


def test_a_tokenizer_without_an_end_is_refused() -> None:
    endless = Characters()
    endless.eos_token_id = None  # type: ignore[assignment]
    with pytest.raises(TrainingError, match="no end-of-text token"):
        encode_questions(questions("a"), endless, GrpoRecipe())
