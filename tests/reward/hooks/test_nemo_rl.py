"""NeMo RL's contract: a batch of message logs in, an EnvironmentReturn of tensors out, as a Ray actor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.reward.hooks.trainers import NEMO_RL, hook, need

METADATA = [{"ground_truth": "42"}, {"answer": "42", "answer_type": "number"}, {"ground_truth": " "}]


def logs(*replies: str) -> list[list[dict[str, Any]]]:
    asked = {"role": "user", "content": "What is 6 times 7?"}
    return [[asked, {"role": "assistant", "content": reply}] for reply in replies]


@pytest.fixture
def module() -> Iterator[Any]:
    with hook("nemo_rl", NEMO_RL) as module:
        yield module


def test_without_nemo_rl_the_error_says_what_to_install() -> None:
    with (
        pytest.raises(ImportError, match=r"clone github\.com/NVIDIA-NeMo/RL"),
        hook("nemo_rl", {"ray": {}, "torch": {}, "nemo_rl": {}}),
    ):
        raise AssertionError("the import went through")


def test_a_step_ends_every_episode_with_a_reward(module: Any) -> None:
    told = module.Environment({}).step(logs("It is 42.<|im_end|>", "It is 41.", "It is 42."), METADATA)
    assert told.rewards.tolist() == [1.0, 0.0, 0.0]
    assert told.rewards.dtype == np.float32
    assert told.terminateds.tolist() == [1.0, 1.0, 1.0]
    assert told.metadata == METADATA
    assert told.next_stop_strings == [None] * 3
    assert [seen["role"] for seen in told.observations] == ["environment"] * 3
    assert "42" in told.answers[0]


def test_what_was_cut_off_has_no_reward(module: Any) -> None:
    batch = {"rewards": np.array([1.0, 1.0]), "is_end": np.array([1.0, 0.0], np.float32)}
    batch["is_end"] = batch["is_end"].view(type("Tensor", (np.ndarray,), {"float": lambda self: self}))
    after, figures = module.Environment().global_post_process_and_metrics(batch)
    assert after["rewards"].tolist() == [1.0, 0.0]
    assert figures == {"accuracy": 0.5, "fraction_of_samples_properly_ended": 0.5, "num_problems_in_batch": 2}


def test_a_row_without_a_ground_truth_is_an_error(module: Any) -> None:
    for row in ({}, None):
        with pytest.raises(ValueError, match="extra_env_info has none of ground_truth"):
            module.Environment().step(logs("42"), [row])


def test_registering_twice_does_no_harm(module: Any) -> None:
    import sys

    module.register()
    module.register()
    registry = sys.modules["nemo_rl.distributed.ray_actor_environment_registry"]
    assert {module.ACTOR: "python"} == registry.ACTOR_ENVIRONMENT_REGISTRY
    assert sys.modules["nemo_rl.environments.utils"].ENV_REGISTRY == {"webscale": module.ACTOR}
    assert f"{module.__name__}.WebscaleEnvironment" == module.ACTOR


def test_nemo_rl_makes_the_actor_and_steps_it() -> None:
    need("nemo_rl.environments.interfaces")
    import ray
    import torch
    from nemo_rl.environments.interfaces import EnvironmentReturn
    from nemo_rl.environments.utils import create_env

    from webscale_rl.reward import nemo_rl

    nemo_rl.register()
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        env = create_env("webscale", {"webscale": {}})
        told = ray.get(env.step.remote(logs("It is 42.", "It is 41.", "It is 42."), METADATA))
        assert isinstance(told, EnvironmentReturn)
        assert told.rewards.tolist() == [1.0, 0.0, 0.0]
        batch = {"rewards": torch.tensor([1.0, 1.0]), "is_end": torch.tensor([1, 0])}
        assert ray.get(env.global_post_process_and_metrics.remote(batch))[1]["accuracy"] == 0.5
    finally:
        ray.shutdown()
