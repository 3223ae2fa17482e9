"""verl's contract: a dictionary with `score` and the same keys on every call, found by package or by file."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from tests.reward.hooks.trainers import need
from webscale_rl.reward import verl

ASKED: dict[str, Any] = {"data_source": "webscale", "solution_str": "The answer is 42.", "ground_truth": "42"}


def test_a_score_is_a_number_and_says_what_was_read() -> None:
    told = verl.compute_score(**ASKED, extra_info={"question": "What is 6 times 7?"})
    assert {"score": 1.0, "acc": 1.0, "undecided": 0.0}.items() <= told.items()
    assert "42" in str(told["pred"])
    assert verl.compute_score(**ASKED | {"ground_truth": "41"})["score"] == 0.0


def test_every_call_has_the_same_keys_and_no_verdict_is_told_from_wrong() -> None:
    none = verl.compute_score(**ASKED | {"ground_truth": " "})
    assert none.keys() == verl.compute_score(**ASKED).keys()
    assert (none["score"], none["undecided"]) == (0.0, 1.0)
    assert {type(value) for value in none.values()} == {float, str}


def test_what_verl_passes_besides_is_left_alone() -> None:
    extra = {"num_turns": 1, "rollout_reward_scores": {}, "answer_type": None}
    told = verl.compute_score(**ASKED, extra_info=extra, reward_router_address="a:1", reward_model_tokenizer=None)
    assert told["score"] == 1.0


def test_several_ground_truths_in_an_array_are_any_of_them() -> None:
    truths = np.array(["43", "42"], dtype=object)
    assert verl.compute_score(**ASKED | {"ground_truth": truths})["score"] == 1.0


def test_a_missing_ground_truth_is_an_error_that_names_the_column() -> None:
    with pytest.raises(ValueError, match="reward_model"):
        verl.compute_score("webscale", "x", None)


@pytest.mark.parametrize("path", ["pkg://webscale_rl.reward.verl", inspect.getfile(verl)])
@pytest.mark.filterwarnings("default")
async def test_verls_reward_manager_loads_and_calls_it(path: str) -> None:
    need("verl")
    import torch
    from omegaconf import OmegaConf
    from verl import DataProto
    from verl.experimental.reward_loop.reward_manager.dapo import DAPORewardManager
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.metric_utils import process_validation_metrics
    from verl.trainer.ppo.reward import get_custom_reward_fn

    given = {"path": path, "name": "compute_score", "reward_kwargs": {}}
    config = OmegaConf.create({"reward": {"custom_reward_function": given, "reward_kwargs": {}}})
    score = get_custom_reward_fn(config)

    class Tokenizer:
        eos_token = "<eos>"

        def decode(self, ids: Any, skip_special_tokens: bool = True) -> str:
            return ["The answer is 42.", "The answer is 41."][int(ids[0])]

    def data(place: int, truth: str) -> DataProto:
        return DataProto.from_dict(
            tensors={"responses": torch.tensor([[place, 1]]), "attention_mask": torch.ones(1, 4, dtype=torch.long)},
            non_tensors={
                "data_source": np.array(["webscale"], dtype=object),
                "reward_model": np.array([{"ground_truth": truth, "style": "rule"}], dtype=object),
                "extra_info": np.array([{"question": "What is 6 times 7?"}], dtype=object),
            },
        )

    for manager in (NaiveRewardManager, DAPORewardManager):
        managed = manager(config=config, tokenizer=Tokenizer(), compute_score=score)
        told = [await managed.run_single(data(*row)) for row in ((0, "42"), (1, "42"), (1, " "))]
        assert [one["reward_score"] for one in told] == [1.0, 0.0, 0.0]
    infos = [one["reward_extra_info"] for one in told]
    columns = {key: [info[key] for info in infos] for key in infos[0]}
    figures = process_validation_metrics(["webscale"] * 3, ["a"] * 3, columns)["webscale"]
    assert figures["acc"]["mean@3"] == figures["undecided"]["mean@3"] == pytest.approx(1 / 3)
    assert "maj@2/mean" in figures["acc"]


@pytest.mark.filterwarnings("default")
def test_it_goes_to_verls_ray_workers() -> None:
    need("verl")
    import ray
    from verl.experimental.reward_loop.reward_manager.remote import RewardComputeWorker

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        worker = RewardComputeWorker.remote(verl.compute_score)
        assert ray.get(worker.compute_score.remote(**ASKED))["score"] == 1.0
    finally:
        ray.shutdown()
