"""NeMo Gym: a resources server whose `/verify` is our reward (nemo-gym 0.4).

A folder `resources_servers/webscale/` of yours holds `app.py` with two lines, see docs/trainers.md. A server that runs
already, `webscale-rl reward-server`, answers `/seed_session` and `/verify` as well.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import ConfigDict

from webscale_rl.reward import rollout
from webscale_rl.reward.protocols import gym_rollout, gym_told

try:
    from nemo_gym.base_resources_server import (
        BaseResourcesServerConfig,
        BaseVerifyRequest,
        BaseVerifyResponse,
        SimpleResourcesServer,
    )
except ImportError as error:
    raise rollout.not_installed("nemo_gym", "pip install nemo-gym", error) from error


class WebscaleResourcesServerConfig(BaseResourcesServerConfig):  # type: ignore[misc]
    """With a `judge_model`, a judge is asked about what the rules cannot tell."""

    judge_model: str | None = None
    judge_base_url: str | None = None


class WebscaleVerifyRequest(BaseVerifyRequest):  # type: ignore[misc]
    """A row and the model's response. The row's `ground_truth`, `answer` or `expected_answer` stands at its top or in
    `verifier_metadata`; its other columns come back as they are."""

    model_config = ConfigDict(extra="allow")


class WebscaleVerifyResponse(BaseVerifyResponse):  # type: ignore[misc]
    """The same, with `reward`, and `how`, `extracted` and `undecided` (1.0 if nobody could tell; the reward is 0.0)."""

    model_config = ConfigDict(extra="allow")


class WebscaleResourcesServer(SimpleResourcesServer):  # type: ignore[misc]
    """Grades responses."""

    config: WebscaleResourcesServerConfig

    async def verify(self, body: WebscaleVerifyRequest) -> WebscaleVerifyResponse:
        """The reward of a response. Raises ValueError without a ground truth."""
        row: dict[str, Any] = body.model_dump()
        judge = rollout.judge_at(self.config.judge_model, self.config.judge_base_url)
        (verdict,) = await asyncio.to_thread(rollout.decide_all, [gym_rollout(row)], judge)
        return WebscaleVerifyResponse(**row | gym_told(verdict))
