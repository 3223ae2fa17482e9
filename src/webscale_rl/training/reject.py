"""Rejection sampling: k responses to each question, of which those that the reward scores 1 are learned.

    DIR/sampled.jsonl   a line for each question, in order: its responses with their verdicts

What was sampled is kept: a training that goes on samples from the next question on. Each batch has a seed of its own,
so where it was stopped changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from webscale_rl.errors import TrainingError
from webscale_rl.files import write_text
from webscale_rl.reward.rollout import Rollout
from webscale_rl.training.books import SAMPLED_FILE, Books
from webscale_rl.training.data import Question, Turn
from webscale_rl.training.encode import Encoded, prompt_ids
from webscale_rl.training.grading import Grader
from webscale_rl.training.recipe import RejectRecipe
from webscale_rl.training.stop import Interrupt

_MOST_TOLD = 4


class Response(NamedTuple):
    """What a model said, and in how many tokens."""

    text: str
    tokens: int


def sampled(
    recipe: RejectRecipe,
    encoded: Encoded,
    policy: Any,
    folder: Path,
    books: Books,
    grader: Grader,
    interrupt: Interrupt,
) -> list[Turn]:
    """The responses to learn from. Raises TrainingError if none was right, RunStopped after a signal."""
    path = folder / SAMPLED_FILE
    done = _whole_lines(path)
    size = max(1, recipe.sample_batch // recipe.samples)
    if done < len(encoded.rows):
        done -= done % size  # a batch is sampled as a whole
    _keep(path, done)
    for at in range(done, len(encoded.rows), size):
        interrupt.check()
        rows: list[Question] = encoded.rows[at : at + size]
        groups = sample(recipe, rows, policy, recipe.seed + at)
        flat = [
            Rollout(one.text, row.truth, row.question, row.answer_type)
            for row, group in zip(rows, groups, strict=True)
            for one in group
        ]
        verdicts = iter(grader.grade(flat))
        with path.open("ab") as file:
            for row, group in zip(rows, groups, strict=True):
                told = [
                    {"text": one.text, "tokens": one.tokens, "score": verdict.score, "how": verdict.how}
                    for one, verdict in zip(group, verdicts, strict=False)
                ]
                line = {"question": row.question, "document_id": row.document, "responses": told}
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return _kept(recipe, encoded.rows, path, books)


def sample(recipe: RejectRecipe, rows: Sequence[Question], policy: Any, seed: int) -> list[list[Response]]:
    """`samples` responses to each question, by transformers, all at once."""
    import torch

    tokenizer, model = policy.tokenizer, policy.model
    ids = prompt_ids(rows, tokenizer)
    longest = max(map(len, ids))
    pad = tokenizer.pad_token_id
    inputs = torch.tensor([[pad] * (longest - len(one)) + one for one in ids], device=model.device)
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in ids], device=model.device)
    torch.manual_seed(seed)
    model.eval()
    mixed = model.device.type == "cuda" and recipe.precision in ("auto", "mixed")
    with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16, enabled=mixed):
        found = model.generate(
            input_ids=inputs,
            attention_mask=mask,
            do_sample=True,
            temperature=recipe.temperature,
            top_p=recipe.top_p,
            top_k=0,
            repetition_penalty=1.0,  # a model's own settings bend its distribution
            max_new_tokens=recipe.max_completion_tokens,
            num_return_sequences=recipe.samples,
            pad_token_id=pad,
        )
    ends = _ends(model, tokenizer)
    responses = [_response(row[longest:].tolist(), ends, tokenizer) for row in found]
    return [responses[at : at + recipe.samples] for at in range(0, len(responses), recipe.samples)]


def _response(ids: list[int], ends: set[int], tokenizer: Any) -> Response:
    length = next((at + 1 for at, one in enumerate(ids) if one in ends), len(ids))
    return Response(tokenizer.decode(ids[:length], skip_special_tokens=True), length)


def _ends(model: Any, tokenizer: Any) -> set[int]:
    named = model.generation_config.eos_token_id
    return {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])}


def _kept(recipe: RejectRecipe, rows: Sequence[Question], path: Path, books: Books) -> list[Turn]:
    """Different right responses, as many as the recipe allows, in the order they were sampled."""
    turns: list[Turn] = []
    why: Counter[str] = Counter()
    solved = count = 0
    books.counts.rollout = 0
    for row, line in zip(rows, _lines(path), strict=True):
        right: dict[str, None] = {}
        for one in line["responses"]:
            books.counts.rollout += one["tokens"]
            count += 1
            why[one["how"]] += 1
            if one["score"] == 1:
                right.setdefault(one["text"].strip())
        solved += bool(right)
        turns += [Turn(row.asked, text, row.document) for text in list(right)[: recipe.keep]]
    books.note(f"{solved:,} of {len(rows):,} questions solved; {len(turns):,} of {count:,} responses are learned")
    if not turns:
        told = ", ".join(f"{word} ({many:,})" for word, many in why.most_common(_MOST_TOLD))
        raise TrainingError(
            f"none of {count:,} responses was right, so there is nothing to learn; the verdicts were {told}."
            " Warm up with SFT, take easier questions, or raise samples"
        )
    return turns


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _whole_lines(path: Path) -> int:
    """Lines that were written to their ends."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(line.endswith(b"\n") for line in file)


def _keep(path: Path, lines: int) -> None:
    """Cut the file after so many lines."""
    if path.exists():
        with path.open("rb") as file:
            text = b"".join(line for line, _ in zip(file, range(lines), strict=False))
        write_text(path, text.decode())
