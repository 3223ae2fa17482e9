"""SkyRL loads the export with its own dataset, its environment grades it, its configuration takes the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dataset.contracts.tiny_chat import tokenizer
from tests.dataset.exported import SYSTEM, exported, words
from tests.reward.hooks.trainers import need

pytestmark = pytest.mark.filterwarnings("default")


def test_skyrls_dataset_takes_every_row_and_its_environment_grades_it(tmp_path: Path) -> None:
    need("skyrl")
    import skyrl_gym
    from skyrl.train.dataset.dataset import PromptDataset

    if "webscale" not in skyrl_gym.registry:
        skyrl_gym.register(id="webscale", entry_point="webscale_rl.reward.skyrl:WebscaleEnv")
    written = exported(tmp_path, "skyrl")
    for name, path in written.files.paths.items():
        rows = PromptDataset(str(path), tokenizer(), 512, num_workers=1)
        assert len(rows) == written.files.rows[name]
        for row in rows.collate_fn([rows[at] for at in range(len(rows))]):
            spec = row["env_extras"]["reward_spec"]
            assert row["env_extras"]["data_source"] == "webscale"
            assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
            assert row["prompt"][0]["content"] == SYSTEM
            env = skyrl_gym.make(row["env_class"], env_config={}, extras=row["env_extras"])
            env.init(row["prompt"])
            assert env.step(f"Answer: {row['env_extras']['extra_info']['answer']}")["reward"] == 1.0
            assert spec["question"] == row["prompt"][1]["content"]


def test_skyrls_configuration_knows_every_setting_of_the_command(tmp_path: Path) -> None:
    need("skyrl")
    config = pytest.importorskip("skyrl.train.config", reason="needs all of skyrl")
    command = words(exported(tmp_path / "a folder, with = 'marks'", "skyrl"))
    read = config.SkyRLTrainConfig.from_cli_overrides(command[2:])
    assert [Path(path).exists() for path in (*read.data.train_data, *read.data.val_data)] == [True, True]
