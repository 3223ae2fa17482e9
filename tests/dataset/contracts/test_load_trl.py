"""TRL reads the exported folder, its parsers take the commands, and a step of GRPO and of SFT trains on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dataset.contracts.tiny_chat import saved
from tests.dataset.exported import exported, words
from tests.reward.hooks.trainers import need
from webscale_rl.reward.trl import reward

pytestmark = pytest.mark.filterwarnings("default")


def test_a_step_of_grpo_trains_on_the_export_and_the_reward_sees_its_columns(tmp_path: Path) -> None:
    trl = need("trl")
    from datasets import load_dataset

    written = exported(tmp_path, "trl", system=None)
    data = load_dataset(str(written.files.folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(data[name]) for name in data} == dict(written.files.rows)
    seen: list[dict[str, Any]] = []

    def watched(prompts: Any, completions: Any, **columns: Any) -> list[float | None]:
        seen.append(columns)
        told = [[{"role": "assistant", "content": f"Answer: {answer}"}] for answer in columns["answer"]]
        assert reward(prompts, told, **columns) == [1.0] * len(told)
        return reward(prompts, completions, **columns)

    args = trl.GRPOConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=4, num_generations=4,
        max_completion_length=8, report_to=[], use_cpu=True, save_strategy="no",
    )  # fmt: skip
    trainer = trl.GRPOTrainer(str(saved(tmp_path / "model")), watched, args=args, train_dataset=data["train"])
    trainer.train()
    assert {"ground_truth", "question", "answer_type"} <= seen[0].keys()


def test_a_step_of_sft_trains_on_the_export(tmp_path: Path) -> None:
    trl = need("trl")
    from datasets import load_dataset

    written = exported(tmp_path, "sft")
    data = load_dataset(str(written.files.folder), cache_dir=str(tmp_path / "cache"))
    args = trl.SFTConfig(
        output_dir=str(tmp_path / "out"), max_steps=1, per_device_train_batch_size=2, report_to=[], use_cpu=True,
        save_strategy="no", max_length=512,
    )  # fmt: skip
    trainer = trl.SFTTrainer(str(saved(tmp_path / "model")), args=args, train_dataset=data["train"])
    assert trainer.train().training_loss > 0


@pytest.mark.parametrize(("form", "method"), [("trl", "grpo"), ("sft", "sft")])
def test_trls_command_line_knows_every_option_of_the_command(tmp_path: Path, form: str, method: str) -> None:
    need("trl")
    import importlib

    script = importlib.import_module(f"trl.scripts.{method}")
    command = words(exported(tmp_path / "a folder", form))
    assert command[:2] == ["trl", method]
    read, training = script.make_parser().parse_args_and_config(
        [*command[2:], "--use_cpu"], fail_with_unknown_args=True
    )[:2]
    assert Path(read.dataset_name, "train.parquet").exists()
    assert read.dataset_test_split == "test"
    assert training.eval_strategy == "steps"
