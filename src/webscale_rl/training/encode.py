"""Rows as a model's own tokens: blocks of documents, turns whose completion alone is learned, prompts that fit.

Each takes no more rows than the trainer will see, so that the ledger counts what was used: a training of a few steps
draws its rows, seeded, from all that there are.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from webscale_rl.errors import TrainingError
from webscale_rl.training.data import Question, Text, Turn
from webscale_rl.training.prompting import completion_of, has_template, prompt_of
from webscale_rl.training.recipe import ContinueRecipe, GrpoRecipe, Recipe, RejectRecipe, SftRecipe

IGNORED = -100
"""The label that no loss is taken of: transformers' own."""
_AT_ONCE = 1000
Row = TypeVar("Row")


class Encoded(NamedTuple):
    """What a trainer is given: columns of equal length, the rows they were made of, how many rows were too long, and
    the tokens of the rows' documents, if it is documents that are learned."""

    columns: dict[str, list[Any]]
    rows: list[Any]
    too_long: int = 0
    source: int = 0


def encode_texts(rows: Sequence[Text], tokenizer: Any, recipe: ContinueRecipe) -> Encoded:
    """The documents in a seeded order, each ended by the end-of-text token, joined and cut into blocks. The last block
    is as long as what is left."""
    order = list(rows)
    random.Random(recipe.seed).shuffle(order)
    end, added = _end(tokenizer), tokenizer.num_special_tokens_to_add()
    most = None if recipe.max_steps is None else recipe.max_steps * recipe.batch * recipe.max_tokens
    pieces: list[Any] = []
    length = source = 0
    for ids in _tokens((row.text for row in order), tokenizer, special=True):
        pieces.append(np.asarray([*ids, end], np.int32))
        length += len(ids) + 1
        source += len(ids) - added
        if most is not None and length >= most:
            break
    stream = np.concatenate(pieces)[:most]
    blocks = [stream[at : at + recipe.max_tokens] for at in range(0, len(stream), recipe.max_tokens)]
    if len(blocks) > 1 and len(blocks[-1]) == 1:
        blocks.pop()  # of a single token nothing can be predicted
    return Encoded({"input_ids": blocks, "labels": blocks}, order[: len(pieces)], source=source)


def encode_turns(rows: Sequence[Turn], tokenizer: Any, recipe: SftRecipe | RejectRecipe) -> Encoded:
    """Prompt and completion of each turn, the prompt's labels ignored. A turn that is too long is left out: cut, it
    would teach answers without an end. Raises TrainingError if all are too long."""
    end = _end(tokenizer)
    told = [completion_of(row.asked, row.answer, tokenizer) for row in rows]
    prompts = _prompts([row.asked for row in rows], tokenizer)
    answers = _tokens((text for text, _ in told), tokenizer, special=False)
    fitting: list[tuple[Turn, list[int], int]] = []
    for row, before, answer, (_, ended) in zip(rows, prompts, answers, told, strict=True):
        whole = [*before, *answer] if ended else [*before, *answer, end]
        if len(whole) <= recipe.max_tokens:
            fitting.append((row, whole, len(before)))
    if not fitting:
        raise TrainingError(
            f"max_tokens: all {len(rows):,} rows are longer than {recipe.max_tokens:,} tokens; raise it"
        )
    kept = portion(fitting, None if recipe.max_steps is None else recipe.max_steps * recipe.batch, recipe)
    columns = {
        "input_ids": [whole for _, whole, _ in kept],
        "labels": [[IGNORED] * asked + whole[asked:] for _, whole, asked in kept],
    }
    return Encoded(columns, [row for row, _, _ in kept], len(rows) - len(fitting))


def encode_questions(rows: Sequence[Question], tokenizer: Any, recipe: GrpoRecipe | RejectRecipe) -> Encoded:
    """Prompts that fit, with what the reward needs; for GRPO as many as fill whole batches. Raises TrainingError if
    none fits."""
    _end(tokenizer)
    most = recipe.max_prompt_tokens
    asked = zip(rows, _prompts([row.asked for row in rows], tokenizer), strict=True)
    fitting = [row for row, ids in asked if len(ids) <= most]
    if not fitting:
        raise TrainingError(f"max_prompt_tokens: all {len(rows):,} questions are longer than {most:,} tokens; raise it")
    kept = fitting
    if isinstance(recipe, GrpoRecipe):
        whole = len(fitting) // recipe.batch * recipe.batch
        if not whole:
            raise TrainingError(f"batch: {recipe.batch:,} questions a step, and there are {len(fitting):,}; lower it")
        steps = recipe.max_steps
        kept = portion(fitting, whole if steps is None else min(whole, steps * recipe.batch), recipe)
    template = has_template(tokenizer)
    columns: dict[str, list[Any]] = {
        "prompt": [[dict(turn) for turn in row.asked] if template else prompt_of(row.asked, tokenizer) for row in kept],
        "question": [row.question for row in kept],
        "ground_truth": [row.truth for row in kept],
        "answer_type": [row.answer_type for row in kept],
    }
    return Encoded(columns, kept, len(rows) - len(fitting))


def portion(rows: list[Row], most: int | None, recipe: Recipe) -> list[Row]:
    """So many of the rows, drawn by the recipe's seed, in their order."""
    if most is None or most >= len(rows):
        return rows
    return [rows[at] for at in sorted(random.Random(recipe.seed).sample(range(len(rows)), most))]


def prompt_ids(rows: Sequence[Question], tokenizer: Any) -> list[list[int]]:
    """The tokens that a model continues with its answer."""
    return list(_prompts([row.asked for row in rows], tokenizer))


def count_tokens(texts: Sequence[str], tokenizer: Any) -> int:
    """Tokens of the texts, without what a tokenizer adds."""
    return sum(len(ids) for ids in _tokens(texts, tokenizer, special=False))


def _prompts(asked: Sequence[Any], tokenizer: Any) -> Iterator[list[int]]:
    """Prompts as tokens. A template writes the special tokens itself."""
    texts = (prompt_of(talk, tokenizer) for talk in asked)
    return _tokens(texts, tokenizer, special=not has_template(tokenizer))


def _tokens(texts: Iterable[str], tokenizer: Any, *, special: bool) -> Iterator[list[int]]:
    held: list[str] = []
    for text in texts:
        held.append(text)
        if len(held) == _AT_ONCE:
            yield from tokenizer(held, add_special_tokens=special)["input_ids"]
            held = []
    if held:
        yield from tokenizer(held, add_special_tokens=special)["input_ids"]


def _end(tokenizer: Any) -> int:
    end = tokenizer.eos_token_id
    if end is None:
        raise TrainingError("the model's tokenizer has no end-of-text token (eos_token); without one no answer ends")
    return int(end)
