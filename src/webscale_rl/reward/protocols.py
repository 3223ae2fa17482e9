"""The bodies that trainers send to a reward server over HTTP, and what they get back. Pure.

/score           ours: rows with response and ground_truth
/get_reward      OpenRLHF's remote reward model: query, prompts, labels
/verify          NeMo Gym's resources server: a row and a Responses object
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from webscale_rl.reward import openrlhf, rollout
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.verdict import Verdict

Stored = dict[str, str | float | bool | list[str] | None]
GroundTruth = str | float | list[str | float | Stored] | Stored
"""What JSON holds of a ground truth: a text or number, the stored form of a Reference, or several of these."""
T = TypeVar("T")


class BodyError(ValueError):
    """A body that is not what its route takes: one line for people, which names the place."""


class ScoreRow(msgspec.Struct, frozen=True):
    """One row of `/score`. Other keys are left alone."""

    response: str
    ground_truth: GroundTruth
    question: str | None = None
    answer_type: str | None = None

    def rollout(self) -> Rollout:
        """As the reward takes it."""
        return Rollout(self.response, rollout.plain(self.ground_truth), self.question, self.answer_type)


class ScoreBody(msgspec.Struct, frozen=True):
    """`/score`: the rows to grade."""

    rows: list[ScoreRow]


class RewardBody(msgspec.Struct, frozen=True):
    """`/get_reward`: as OpenRLHF sends it."""

    query: list[str]
    prompts: list[str]
    labels: list[GroundTruth | None]


def read(body: bytes, kind: type[T]) -> T:
    """A body in its type. Raises BodyError.

    What Python's own json takes is taken too: clients write lone surrogates as escapes, for a model's output can hold
    them, and strict readers refuse those.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BodyError(str(error)) from None
    except (msgspec.DecodeError, RecursionError) as strict:
        try:
            return msgspec.convert(json.loads(body), kind)
        except msgspec.ValidationError as error:
            raise BodyError(str(error)) from None
        except (ValueError, RecursionError):
            raise BodyError(f"the body is no JSON: {strict}") from None


def written(value: Any) -> bytes:
    """JSON of anything that `read` can have read, lone surrogates included."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def score_told(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The answer of `/score`: a verdict for each row, in their order."""
    return {
        "verdicts": [
            {"score": verdict.score, "how": verdict.how, "extracted": verdict.extracted, "span": verdict.span}
            for verdict in verdicts
        ]
    }


def reward_rollouts(body: RewardBody) -> list[Rollout | None]:
    """The rollouts of `/get_reward`; None where the response cannot be told from its prompt. Raises BodyError."""
    try:
        return openrlhf.rollouts(body.query, body.prompts, body.labels)
    except ValueError as error:
        raise BodyError(str(error)) from None


def reward_told(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """The answer of `/get_reward`, in OpenRLHF's form: lists as long as the queries."""
    rewards = [rollout.reward_of(verdict) for verdict in verdicts]
    undecided = [float(verdict.score is None) for verdict in verdicts]
    return {"rewards": rewards, "scores": rewards, "extra_logs": {"undecided": undecided}}


def gym_rollout(body: Mapping[str, Any]) -> Rollout:
    """The rollout in a body of `/verify`. Raises ValueError if there is no ground truth or no response."""
    within = body.get("verifier_metadata")
    row = {**body, **within} if isinstance(within, Mapping) else body
    response, asked = body.get("response"), body.get("responses_create_params")
    if not isinstance(response, Mapping) or not isinstance(response.get("output"), list):
        raise ValueError("no response: expected an object with `output` - at `$.response`")
    given = asked.get("input") if isinstance(asked, Mapping) else None
    return Rollout(
        response=_output_text(response["output"]),
        ground_truth=_truth(rollout.ground_truth(row, "the row")),
        question=rollout.text_or_none(row.get("question")) or rollout.asked(given),
        answer_type=rollout.text_or_none(row.get("answer_type")),
    )


def gym_told(verdict: Verdict) -> dict[str, Any]:
    """What `/verify` adds to the body that it sends back."""
    return {
        "reward": rollout.reward_of(verdict),
        "how": verdict.how,
        "extracted": verdict.extracted,
        "undecided": float(verdict.score is None),
    }


def _truth(value: Any) -> GroundTruth:
    try:
        return msgspec.convert(value, GroundTruth)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise ValueError(f"no ground truth: {error}") from None


def _output_text(output: list[Any]) -> str:
    """The text of the last message in a Responses object's output: reasoning and calls of tools are no answer."""
    for item in reversed(output):
        if isinstance(item, Mapping) and item.get("type", "message") == "message" and item.get("role") == "assistant":
            return rollout.content(item.get("content"))
    return ""
