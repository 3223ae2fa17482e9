"""verl: `reward.custom_reward_function.path=pkg://webscale_rl.reward.verl`, or this file's path.

verl (0.9) takes a number for every rollout and cannot leave one out: a rollout that nobody can decide gets 0.0 and
`undecided` 1.0, so that its share stands in the logs. Needs nothing of verl. Works with the reward managers naive,
dapo, gdpo, limited and remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.verdict import Verdict


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    judge_model: str | None = None,
    judge_base_url: str | None = None,
    **_: Any,
) -> dict[str, float | str]:
    """The verdict as verl takes it: `score` and `acc` 1.0 or 0.0, `undecided` 1.0 if nobody could tell, `pred` the
    final answer (verl's majority votes count it) and `how`. Every call has the same keys, for verl makes columns.

    `extra_info` may hold `question` and `answer_type`. With a `judge_model`, a judge is asked about what the rules
    cannot tell; verl passes it from `reward.custom_reward_function.reward_kwargs`.
    """
    row = read(solution_str, ground_truth, extra_info)
    (verdict,) = rollout.decide_all([row], rollout.judge_at(judge_model, judge_base_url))
    return scores(verdict)


def read(solution_str: str, ground_truth: Any, extra_info: Mapping[str, Any] | None) -> Rollout:
    """What verl hands over. Raises ValueError if there is no ground truth."""
    if ground_truth is None:
        raise ValueError("no ground truth: the dataset needs the column reward_model, with ground_truth in it")
    extra = extra_info if isinstance(extra_info, Mapping) else {}
    return Rollout(
        response=solution_str,
        ground_truth=rollout.plain(ground_truth),
        question=rollout.text_or_none(extra.get("question")),
        answer_type=rollout.text_or_none(extra.get("answer_type")),
    )


def scores(verdict: Verdict) -> dict[str, float | str]:
    """A verdict in verl's words."""
    score = rollout.reward_of(verdict)
    return {
        "score": score,
        "acc": score,
        "undecided": float(verdict.score is None),
        "pred": verdict.extracted,
        "how": verdict.how,
    }
