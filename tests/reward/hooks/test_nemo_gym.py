"""NeMo Gym's contract: `/verify` gives back the row and the response, with a reward."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reward.hooks.trainers import hook, need
from webscale_rl.reward import protocols, rollout

RESPONSE = {
    "id": "r",
    "created_at": 0.0,
    "model": "m",
    "object": "response",
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {"id": "t", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Answer: 41"}]},
        {
            "id": "o",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Answer: 42", "annotations": []}],
        },
    ],
}
BODY: dict[str, Any] = {
    "responses_create_params": {"input": [{"role": "user", "content": "What is 6 times 7?"}]},
    "response": RESPONSE,
    "expected_answer": "42",
    "uuid": 7,
}


def test_without_nemo_gym_the_error_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install nemo-gym"), hook("nemo_gym", {"nemo_gym": {}}):
        raise AssertionError("the import went through")


def test_the_last_message_is_graded_and_reasoning_is_not() -> None:
    asked = protocols.gym_rollout(BODY)
    assert (asked.response, asked.ground_truth, asked.question) == ("Answer: 42", "42", "What is 6 times 7?")
    assert protocols.gym_told(rollout.decide(asked))["reward"] == 1.0
    silent = BODY | {"response": RESPONSE | {"output": RESPONSE["output"][:1]}}  # type: ignore[index]
    assert protocols.gym_told(rollout.decide(protocols.gym_rollout(silent)))["reward"] == 0.0


def test_a_ground_truth_may_stand_with_the_verifiers_metadata() -> None:
    nested = {key: value for key, value in BODY.items() if key != "expected_answer"}
    asked = protocols.gym_rollout(nested | {"verifier_metadata": {"ground_truth": "42", "answer_type": "number"}})
    assert (asked.ground_truth, asked.answer_type) == ("42", "number")


def test_a_body_without_a_response_or_a_ground_truth_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"at `\$\.response`"):
        protocols.gym_rollout(BODY | {"response": None})
    with pytest.raises(ValueError, match="the row has none of"):
        protocols.gym_rollout(BODY | {"expected_answer": None})


@pytest.mark.filterwarnings("default")
def test_nemo_gyms_own_server_answers_with_it() -> None:
    need("nemo_gym")
    from unittest.mock import MagicMock

    from fastapi.testclient import TestClient
    from nemo_gym.server_utils import ServerClient

    from webscale_rl.reward.nemo_gym import WebscaleResourcesServer, WebscaleResourcesServerConfig

    config = WebscaleResourcesServerConfig(
        host="127.0.0.1", port=0, entrypoint="app.py", name="webscale", domain="knowledge"
    )
    server = WebscaleResourcesServer(config=config, server_client=MagicMock(spec=ServerClient))
    with TestClient(server.setup_webserver()) as client:
        assert client.post("/seed_session", json=BODY).json() == {}
        told = client.post("/verify", json=BODY).json()
        wrong = client.post("/verify", json=BODY | {"expected_answer": "41"}).json()
    assert (told["reward"], wrong["reward"], told["undecided"]) == (1.0, 0.0, 0.0)
    assert (told["uuid"], told["expected_answer"]) == (7, "42")
    assert told["response"]["output"][1]["content"][0]["text"] == "Answer: 42"


@pytest.mark.filterwarnings("default")
async def test_what_the_reward_server_answers_is_nemo_gyms_form() -> None:
    need("nemo_gym")
    import aiohttp
    from nemo_gym.base_resources_server import BaseVerifyResponse

    from webscale_rl.reward.pool import Scorer
    from webscale_rl.reward.server import serving

    async with Scorer(1) as scorer, serving(scorer, "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        answer = await client.post("/verify", json=BODY)
        assert BaseVerifyResponse.model_validate(await answer.json()).reward == 1.0
