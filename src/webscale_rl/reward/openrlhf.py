"""OpenRLHF: `--reward.remote_url FILE.py` with `reward_func`, or the URL of `webscale-rl reward-server`.

OpenRLHF (0.11) hands over whole queries, prompt and response in one text with the template's marks, and takes a number
for every rollout: one that nobody can decide gets 0.0, and 1.0 in the log `undecided`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.verdict import Verdict

if TYPE_CHECKING:
    import torch

_TAIL = 200
"""So many characters of a prompt's end must be in a query for its response to be found if the prompt's beginning was
cut off. Fewer could stand in the prompt twice."""

NO_PROMPT = Verdict(None, "openrlhf/prompt_not_found")
"""A query without its prompt: where the response begins is not known, and a guess could grade the prompt."""


def reward_func(
    queries: Sequence[str],
    prompts: Sequence[str],
    labels: Sequence[Any],
    judge_model: str | None = None,
    judge_base_url: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    """`rewards`, `scores` and `extra_logs` for each query, as tensors. `labels` are the ground truths
    (`--data.label_key`). With a `judge_model`, a judge is asked about what the rules cannot tell.

    Raises ImportError without torch, ValueError if a label is missing.
    """
    rows = rollouts(queries, prompts, labels)
    judge = rollout.judge_at(judge_model, judge_base_url)
    decided = iter(rollout.decide_all([row for row in rows if row is not None], judge))
    verdicts = [NO_PROMPT if row is None else next(decided) for row in rows]
    rewards = [rollout.reward_of(verdict) for verdict in verdicts]
    undecided = [float(verdict.score is None) for verdict in verdicts]
    # Two tensors: OpenRLHF subtracts penalties from its rewards in place.
    return {"rewards": _tensor(rewards), "scores": _tensor(rewards), "extra_logs": {"undecided": _tensor(undecided)}}


def rollouts(queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> list[Rollout | None]:
    """What OpenRLHF hands over, row by row; None where the response cannot be told from the prompt.

    Raises ValueError if a label is missing or the three are not of one length.
    """
    rows: list[Rollout | None] = []
    for query, prompt, label in zip(queries, prompts, labels, strict=True):
        if label is None or label == "":
            raise ValueError("no ground truth: name the dataset's column of answers with --data.label_key")
        response = response_of(query, prompt)
        rows.append(None if response is None else Rollout(response, rollout.plain(label), rollout.text_or_none(prompt)))
    return rows


def response_of(query: str, prompt: str) -> str | None:
    """The response in a query, without the template's marks at its end; None if the query does not hold its prompt.

    The first place counts: what a model writes stands behind it, and cannot move it. Spaces do not, for tokenizers
    drop or add them, and a long prompt's beginning may be cut off.
    """
    if query.startswith(prompt):
        return rollout.without_marks(query[len(prompt) :])
    squeezed_prompt, squeezed_query = "".join(prompt.split()), "".join(query.split())
    tail = squeezed_prompt[-_TAIL:]
    found = squeezed_query.find(tail) if tail else -1
    if found < 0:
        return None
    return rollout.without_marks(query[_unsqueezed(query, found + len(tail)) :])


def _unsqueezed(text: str, count: int) -> int:
    """Where the text has gone on behind its first `count` characters that are no spaces."""
    seen = 0
    for place, char in enumerate(text):
        if seen == count:
            return place
        seen += not char.isspace()
    return len(text)


def _tensor(values: list[float]) -> torch.Tensor:
    try:
        import torch
    except ImportError as error:
        raise rollout.not_installed("openrlhf", "pip install openrlhf, which brings torch", error) from error
    return torch.tensor(values, dtype=torch.float32)
