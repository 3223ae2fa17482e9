"""SkyRL: an environment of one turn for skyrl-gym (0.4), which SkyRL's trainer and its generators run.

    skyrl_gym.register(id="webscale", entry_point="webscale_rl.reward.skyrl:WebscaleEnv")

SkyRL takes a number for every rollout: one that nobody can decide gets 0.0, and 1.0 in the metric `undecided`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import Rollout

try:
    from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput
except ImportError as error:
    raise rollout.not_installed("skyrl", "pip install skyrl-gym", error) from error


class WebscaleEnv(BaseTextEnv):  # type: ignore[misc]
    """Grades one response.

    The row's `reward_spec` holds `ground_truth`, and may hold `question` and `answer_type`; without a question, the
    prompt's last user message stands for it. With `judge_model` (and `judge_base_url`) in the environment's
    configuration, a judge is asked about what the rules cannot tell. Raises ValueError without a ground truth.
    """

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        spec = (extras or {}).get("reward_spec") or {}
        self._ground_truth = rollout.ground_truth(spec, "reward_spec")
        self._question = rollout.text_or_none(spec.get("question"))
        self._answer_type = rollout.text_or_none(spec.get("answer_type"))
        config = env_config if isinstance(env_config, Mapping) else vars(env_config or object)
        self._judge = rollout.judge_at(config.get("judge_model"), config.get("judge_base_url"))
        self._metrics: dict[str, float] = {}

    def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """The prompt as it is."""
        self._question = self._question or rollout.asked(prompt)
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """The reward for the response. The episode has ended."""
        self.turns += 1
        row = Rollout(rollout.without_marks(action), self._ground_truth, self._question, self._answer_type)
        (verdict,) = rollout.decide_all([row], self._judge)
        reward = rollout.reward_of(verdict)
        self._metrics = {"acc": reward, "undecided": float(verdict.score is None)}
        told = {"how": verdict.how, "extracted": verdict.extracted}
        return BaseTextEnvStepOutput(observations=[], reward=reward, done=True, metadata=told)

    def get_metrics(self) -> dict[str, float]:
        """`acc` and `undecided` of the episode; empty before its step."""
        return dict(self._metrics)
