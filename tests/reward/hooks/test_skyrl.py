"""SkyRL's contract: an environment of one turn, made by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.reward.hooks.trainers import SKYRL, hook, need

SPEC = {"ground_truth": "42", "question": "What is 6 times 7?", "method": "rule"}
PROMPT = [{"role": "user", "content": "What is 6 times 7?"}]


@pytest.fixture
def module() -> Iterator[Any]:
    with hook("skyrl", SKYRL) as module:
        yield module


def test_without_skyrl_gym_the_error_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install skyrl-gym"), hook("skyrl", {"skyrl_gym": {}}):
        raise AssertionError("the import went through")


def test_an_episode_is_one_step_with_a_number(module: Any) -> None:
    env = module.WebscaleEnv({}, {"reward_spec": SPEC, "max_turns": 1})
    assert env.init(PROMPT) == (PROMPT, {})
    assert env.get_metrics() == {}
    told = env.step("The answer is 42.<|im_end|>")
    assert (told["observations"], told["reward"], told["done"]) == ([], 1.0, True)
    assert told["metadata"].keys() == {"how", "extracted"}
    assert env.get_metrics() == {"acc": 1.0, "undecided": 0.0}


def test_no_verdict_is_zero_and_counted(module: Any) -> None:
    env = module.WebscaleEnv(extras={"reward_spec": SPEC | {"ground_truth": " "}})
    assert env.step("The answer is 42.")["reward"] == 0.0
    assert env.get_metrics()["undecided"] == 1.0


def test_the_prompt_is_the_question_unless_the_row_has_one(module: Any) -> None:
    env = module.WebscaleEnv(extras={"reward_spec": {"ground_truth": "42"}})
    env.init(PROMPT)
    assert env.step("What is 6 times 7?")["reward"] == 0.0


def test_a_row_without_a_ground_truth_is_an_error(module: Any) -> None:
    with pytest.raises(ValueError, match="reward_spec has none of ground_truth"):
        module.WebscaleEnv(extras={"reward_spec": {}})


def test_the_judge_is_named_in_the_environments_configuration(module: Any) -> None:
    class Config:
        def __init__(self) -> None:
            self.judge_model = "judge"

    for config in ({"judge_model": "judge"}, Config()):
        assert module.WebscaleEnv(config, {"reward_spec": SPEC})._judge.model == "judge"
    assert module.WebscaleEnv(None, {"reward_spec": SPEC})._judge is None


def test_skyrl_gym_makes_it_by_its_name() -> None:
    gym = need("skyrl_gym")
    gym.register(id="webscale", entry_point="webscale_rl.reward.skyrl:WebscaleEnv")
    with gym.make("webscale", env_config={}, extras={"reward_spec": SPEC, "max_turns": 1}) as env:
        env.init(PROMPT)
        assert env.step("The answer is 42.")["reward"] == 1.0
        assert env.step("The answer is 41.")["reward"] == 0.0
        assert type(env).aggregate_metrics([env.get_metrics()]) == {"acc": 0.0, "undecided": 0.0}
