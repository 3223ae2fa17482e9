"""NeMo RL: an environment of one turn, a Ray actor. `register()` before NeMo RL makes its environments.

NeMo RL takes a number for every rollout: one that nobody can decide gets 0.0. It is no package of an index (the one of
its name is a placeholder): install it from its repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import Rollout

try:
    import ray
    import torch
    from nemo_rl.environments.interfaces import EnvironmentInterface, EnvironmentReturn
except ImportError as error:
    raise rollout.not_installed("nemo_rl", "clone github.com/NVIDIA-NeMo/RL", error) from error

NAME = "webscale"
ACTOR = "webscale_rl.reward.nemo_rl.WebscaleEnvironment"


class Environment(EnvironmentInterface):  # type: ignore[misc]
    """Grades the last message of each log by the metadata's `ground_truth`; `question` and `answer_type` may stand
    beside it. `cfg` is the environment's part of NeMo RL's configuration: with a `judge_model` (and `judge_base_url`)
    in it, a judge is asked about what the rules cannot tell."""

    def __init__(self, cfg: Mapping[str, Any] | None = None) -> None:
        self.cfg = cfg or {}
        self._judge = rollout.judge_at(self.cfg.get("judge_model"), self.cfg.get("judge_base_url"))

    def step(
        self, message_log_batch: list[list[dict[str, Any]]], metadata: list[Any], *_: Any, **__: Any
    ) -> EnvironmentReturn:
        """Rewards of the batch. Every episode has ended. Raises ValueError if a row has no ground truth."""
        rows = [_read(log, row) for log, row in zip(message_log_batch, metadata, strict=True)]
        verdicts = rollout.decide_all(rows, self._judge)
        rewards = torch.tensor([rollout.reward_of(verdict) for verdict in verdicts], dtype=torch.float32)
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": f"Environment: {verdict.how}"} for verdict in verdicts],
            metadata=metadata,
            next_stop_strings=[None] * len(verdicts),
            rewards=rewards,
            terminateds=torch.ones_like(rewards),
            answers=[verdict.extracted or None for verdict in verdicts],
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float | int]]:
        """The batch with no reward for what was cut off, and its figures, in the names of NeMo RL's own."""
        batch["rewards"] = batch["rewards"] * batch["is_end"]
        return batch, {
            "accuracy": batch["rewards"].mean().item(),
            "fraction_of_samples_properly_ended": batch["is_end"].float().mean().item(),
            "num_problems_in_batch": batch["is_end"].shape[0],
        }

    def shutdown(self) -> None:
        """Nothing to let go of."""


WebscaleEnvironment = ray.remote(Environment)
"""The actor that NeMo RL makes."""


def register(name: str = NAME) -> None:
    """Make the environment known to NeMo RL by this name, in its own Python. Once is enough, twice does no harm."""
    from nemo_rl.distributed.ray_actor_environment_registry import ACTOR_ENVIRONMENT_REGISTRY
    from nemo_rl.distributed.virtual_cluster import PY_EXECUTABLES
    from nemo_rl.environments.utils import ENV_REGISTRY, register_env

    ACTOR_ENVIRONMENT_REGISTRY.setdefault(ACTOR, PY_EXECUTABLES.SYSTEM)
    if name not in ENV_REGISTRY:
        register_env(name, ACTOR)


def _read(log: list[dict[str, Any]], row: Mapping[str, Any] | None) -> Rollout:
    row = row or {}
    return Rollout(
        response=rollout.without_marks(rollout.last_reply(log)),
        ground_truth=rollout.ground_truth(row, "extra_env_info"),
        question=rollout.text_or_none(row.get("question")) or rollout.asked(log),
        answer_type=rollout.text_or_none(row.get("answer_type")),
    )
