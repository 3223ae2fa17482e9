"""verl loads the export with its own dataset, its own configuration takes the command, and the reward gets its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dataset.contracts.tiny_chat import tokenizer
from tests.dataset.exported import HOSTILE, SYSTEM, exported, words
from tests.reward.hooks.trainers import need

pytestmark = pytest.mark.filterwarnings("default")


def test_verls_dataset_takes_every_row_and_its_reward_manager_grades_it(tmp_path: Path) -> None:
    need("verl")
    from omegaconf import OmegaConf
    from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn

    from webscale_rl.reward.verl import compute_score

    written = exported(tmp_path, "verl")
    config = OmegaConf.create({"max_prompt_length": 512, "cache_dir": str(tmp_path / "cache"),
                               "filter_overlong_prompts": True, "filter_overlong_prompts_workers": 1})  # fmt: skip
    asked = set()
    for name, path in written.files.paths.items():
        rows = RLHFDataset(str(path), tokenizer(), config)
        assert len(rows) == written.files.rows[name], "no prompt was too long or broken"
        batch = collate_fn([rows[at] for at in range(len(rows))])
        assert list(batch["index"]) == list(range(len(rows)))
        for at in range(len(rows)):
            extra = batch["extra_info"][at]
            assert batch["raw_prompt"][at][0] == {"role": "system", "content": SYSTEM}
            assert batch["raw_prompt"][at][-1] == {"role": "user", "content": extra["question"]}
            truth = batch["reward_model"][at]["ground_truth"]
            right = compute_score(batch["data_source"][at], f"Answer: {extra['answer']}", truth, extra)
            assert right["score"] == 1.0
            assert extra["split"] == name
            asked.add(extra["question"])
    assert HOSTILE in asked


def test_verls_configuration_knows_every_setting_of_the_command(tmp_path: Path) -> None:
    verl = need("verl")
    from hydra import compose, initialize_config_dir
    from verl.utils.config import validate_config

    command = words(exported(tmp_path / "a folder, with = 'marks'", "verl"))
    assert command[:3] == ["python", "-m", "verl.trainer.main_ppo"]
    with initialize_config_dir(str(Path(verl.__file__).parent / "trainer" / "config"), version_base=None):
        config = compose("ppo_trainer", overrides=command[3:])
    assert Path(config.data.train_files).exists()
    assert Path(config.data.val_files).exists()
    assert config.data.train_batch_size <= 36, "verl drops a batch that is not full"
    validate_config(config, use_reference_policy=False, use_critic=False)
