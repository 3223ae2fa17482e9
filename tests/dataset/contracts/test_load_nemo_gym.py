"""NeMo Gym's own validation of data sets takes every line, and its reward reads it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.dataset.exported import SYSTEM, exported, words
from tests.reward.hooks.trainers import need
from webscale_rl.reward import rollout
from webscale_rl.reward.protocols import gym_rollout

pytestmark = pytest.mark.filterwarnings("default")


def test_a_line_is_a_row_that_the_reward_reads(tmp_path: Path) -> None:
    written = exported(tmp_path, "nemo-gym")
    for path in written.files.paths.values():
        for line in path.read_bytes().splitlines():
            row = orjson.loads(line)
            system, user = row["responses_create_params"]["input"]
            assert system == {"role": "system", "content": SYSTEM}
            assert user["content"] == row["question"]
            said = {"type": "output_text", "text": f"Answer: {row['answer']}", "annotations": []}
            message = {"type": "message", "role": "assistant", "content": [said]}
            asked = gym_rollout(row | {"response": {"output": [message]}})
            assert rollout.decide(asked).score == 1


def test_nemo_gyms_validation_takes_every_line(tmp_path: Path) -> None:
    need("nemo_gym")
    from nemo_gym.cli.main import build_parser
    from nemo_gym.config_types import DatasetConfig
    from nemo_gym.rollout_collection import RolloutCollectionConfig
    from nemo_gym.train_data_utils import TrainDataProcessor

    written = exported(tmp_path, "nemo-gym")
    for name, path in written.files.paths.items():
        config = DatasetConfig(name=name, type="example", jsonl_fpath=str(path.absolute()))
        state = TrainDataProcessor()._validate_samples_and_aggregate_metrics_single_dataset(config)
        assert state.offending_example_idxs == []
        assert state.metrics.number_of_examples == written.files.rows[name]
        assert state.key_counts["agent_ref"] == written.files.rows[name]
    parser = build_parser()
    args, rest = parser.parse_known_args(words(written)[1:])
    given = [token for flag in args._command.flags for token in flag.translate_to_hydra(args)]
    read = RolloutCollectionConfig.model_validate(dict(word.removeprefix("+").split("=", 1) for word in given))
    assert (rest, read.input_jsonl_fpath) == ([], str(written.files.train_path))
    assert read.agent_name == orjson.loads(written.files.train_path.read_bytes().splitlines()[0])["agent_ref"]["name"]
