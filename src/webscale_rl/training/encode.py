"""Rows as a model's own tokens: blocks of documents, turns of which only the completion is learned, prompts that fit."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from webscale_rl.errors import TrainingError
from webscale_rl.training.data import Question, Text, Turn
from webscale_rl.training.prompting import completion_of, has_template, prompt_of

IGNORED = -100
"""The label that no loss is taken of: transformers' own."""
_AT_ONCE = 1000


class Encoded(NamedTuple):
    """What a trainer is given: columns of equal length, the rows they were made of, and how many rows were too long."""

    columns: dict[str, list[Any]]
    rows: list[Any]
    too_long: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def encode_texts(rows: Sequence[Text], tokenizer: Any, max_tokens: int, seed: int) -> Encoded:
    """The documents in an order of their own, each ended by the end-of-text token, joined and cut into blocks. The last
    block is as long as what is left."""
    order = list(rows)
    random.Random(seed).shuffle(order)
    end = _end(tokenizer)
    pieces = [np.asarray([*ids, end], np.int32) for ids in _tokens((row.text for row in order), tokenizer, True)]
    stream = np.concatenate(pieces)
    blocks = [stream[at : at + max_tokens] for at in range(0, len(stream), max_tokens)]
    if len(blocks) > 1 and len(blocks[-1]) == 1:
        blocks.pop()  # of a single token nothing can be predicted
    return Encoded({"input_ids": blocks, "labels": blocks}, list(rows))


def encode_turns(rows: Sequence[Turn], tokenizer: Any, max_tokens: int) -> Encoded:
    """Prompt and completion of each turn, the prompt's labels ignored. A turn that is too long is left out: cut, it
    would teach answers without an end. Raises TrainingError if all are too long."""
    end = _end(tokenizer)
    special = not has_template(tokenizer)  # a template writes the special tokens itself
    told = [completion_of(row.asked, row.answer, tokenizer) for row in rows]
    prompts = _tokens((prompt_of(row.asked, tokenizer) for row in rows), tokenizer, special)
    answers = _tokens((text for text, _ in told), tokenizer, False)
    ids: list[list[int]] = []
    labels: list[list[int]] = []
    kept: list[Turn] = []
    for row, before, answer, (_, ended) in zip(rows, prompts, answers, told, strict=True):
        whole = [*before, *answer] if ended else [*before, *answer, end]
        if len(whole) > max_tokens:
            continue
        ids.append(whole)
        labels.append([IGNORED] * len(before) + whole[len(before) :])
        kept.append(row)
    if not kept:
        raise TrainingError(f"max_tokens: all {len(rows):,} rows are longer than {max_tokens:,} tokens; raise it")
    return Encoded({"input_ids": ids, "labels": labels}, kept, len(rows) - len(kept))


def encode_questions(rows: Sequence[Question], tokenizer: Any, max_prompt_tokens: int) -> Encoded:
    """Prompts that fit, with what the reward needs. Raises TrainingError if none fits."""
    _end(tokenizer)
    template = has_template(tokenizer)
    texts = (prompt_of(row.asked, tokenizer) for row in rows)
    lengths = [len(ids) for ids in _tokens(texts, tokenizer, not template)]
    kept = [row for row, length in zip(rows, lengths, strict=True) if length <= max_prompt_tokens]
    if not kept:
        raise TrainingError(
            f"max_prompt_tokens: all {len(rows):,} questions are longer than {max_prompt_tokens:,} tokens; raise it"
        )
    asked = [[dict(turn) for turn in row.asked] if template else prompt_of(row.asked, tokenizer) for row in kept]
    columns = {
        "prompt": asked,
        "question": [row.question for row in kept],
        "ground_truth": [row.truth for row in kept],
        "answer_type": [row.answer_type for row in kept],
    }
    return Encoded(columns, kept, len(rows) - len(kept))


def count_tokens(texts: Sequence[str], tokenizer: Any) -> int:
    """Tokens of the texts, without what a tokenizer adds."""
    return sum(len(ids) for ids in _tokens(texts, tokenizer, False))


def _tokens(texts: Any, tokenizer: Any, special: bool) -> Iterator[list[int]]:
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
