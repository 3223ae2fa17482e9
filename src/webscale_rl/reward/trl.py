"""TRL: `GRPOTrainer(reward_funcs=webscale_rl.reward.trl.reward)`, RLOO too, and `trl grpo --reward_funcs`.

`reward` needs nothing of TRL. A rollout that the rules cannot decide gets None: TRL (from 1.6; tested with 1.16) leaves
it out of the group's mean and gives it no advantage. `judged` asks a judge about those first, beside other asynchronous
rewards.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import JudgeAt, Rollout
from webscale_rl.reward.verdict import Verdict

RewardFunction = Callable[..., Coroutine[Any, Any, list[float | None]]]

_SKIPPED = Verdict(None, "row/no_ground_truth")


def reward(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    completion_ids: Sequence[Any] | None = None,
    trainer_state: Any = None,
    **columns: Any,
) -> list[float | None]:
    """1.0, 0.0 or None for each completion; None is no verdict, and TRL skips it.

    The ground truth is the column `ground_truth`, `answer`, `solution` or `expected_answer`, in that order; a row that
    has None there belongs to another reward function and gets None. `question` and `answer_type` are read if there are
    such columns; without a question, the prompt's last user message stands for it. Raises ValueError without any
    column of a ground truth.
    """
    return _graded(prompts, completions, columns, None)


async def judged_reward(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    completion_ids: Sequence[Any] | None = None,
    trainer_state: Any = None,
    *,
    judge: JudgeAt,
    **columns: Any,
) -> list[float | None]:
    """`reward` with a judge for what the rules cannot tell; None is what the judge could not tell either.

    Raises ConfigError or BackendError if the judge cannot be opened.
    """
    return await asyncio.to_thread(_graded, prompts, completions, columns, judge)


def judged(model: str, base_url: str | None = None) -> RewardFunction:
    """`judged_reward` with this judge: `GRPOTrainer(reward_funcs=judged("MODEL", "http://localhost:8000/v1"))`.

    The judge is a model at any OpenAI-compatible server, the key `$OPENAI_API_KEY`. May be pickled.
    """
    # A partial, and no object with an asynchronous __call__, for TRL before 1.14 takes that for a synchronous one.
    made = functools.partial(judged_reward, judge=JudgeAt(model, base_url))
    made.__name__ = judged_reward.__name__  # type: ignore[attr-defined]  # TRL's name of it in its logs
    return made


def _graded(
    prompts: Sequence[Any], completions: Sequence[Any], columns: dict[str, Any], judge: JudgeAt | None
) -> list[float | None]:
    rows = rollouts(prompts, completions, columns)
    decided = iter(rollout.decide_all([row for row in rows if row is not None], judge))
    verdicts = [_SKIPPED if row is None else next(decided) for row in rows]
    _log(verdicts, columns)
    return [None if verdict.score is None else float(verdict.score) for verdict in verdicts]


def rollouts(prompts: Sequence[Any], completions: Sequence[Any], columns: dict[str, Any]) -> list[Rollout | None]:
    """What TRL hands over, row by row; None where a row has no ground truth. Raises ValueError as `reward` does."""
    name = next((name for name in rollout.GROUND_TRUTH if isinstance(columns.get(name), Sequence)), None)
    if name is None:
        raise ValueError(
            f"no ground truth: the dataset needs a column {', '.join(rollout.GROUND_TRUTH)};"
            f" TRL passed {', '.join(sorted(columns)) or 'none'}"
        )
    nothing = [None] * len(completions)
    questions, types = columns.get("question") or nothing, columns.get("answer_type") or nothing
    return [
        None
        if truth is None
        else Rollout(
            response=rollout.last_reply(completion),
            ground_truth=rollout.plain(truth),
            question=rollout.text_or_none(question) or rollout.asked(prompt),
            answer_type=rollout.text_or_none(kind),
        )
        for prompt, completion, truth, question, kind in zip(
            prompts, completions, columns[name], questions, types, strict=True
        )
    ]


def _log(verdicts: list[Verdict], columns: dict[str, Any]) -> None:
    """Tell TRL what was read and why, if it listens: columns of its table of completions, and the share of rollouts
    that nobody could decide."""
    log_extra: Callable[[str, list[str]], None] | None = columns.get("log_extra")
    log_metric: Callable[[str, float], None] | None = columns.get("log_metric")
    if callable(log_extra):
        log_extra("extracted", [verdict.extracted for verdict in verdicts])
        log_extra("how", [verdict.how for verdict in verdicts])
    if callable(log_metric) and verdicts:
        undecided = sum(verdict.score is None and verdict is not _SKIPPED for verdict in verdicts)
        log_metric("rewards/undecided", undecided / len(verdicts))
