"""verl (0.9): `RLHFDataset`, with the reward `pkg://webscale_rl.reward.verl`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import (
    COLUMNS,
    NAME,
    PARQUET,
    Files,
    Place,
    about,
    about_type,
    chat_type,
    command,
    fields,
    ground_truth,
    messages,
    setting,
)

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 256
"""Questions in a step: the paper's batch."""


class Verl:
    """`prompt`, a chat; `reward_model` with style and ground truth; `data_source`, `ability` and `extra_info`."""

    form: ClassVar[str] = "verl"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        import pyarrow as pa

        reward_model = pa.struct([("style", pa.string()), ("ground_truth", pa.string())])
        return fields(
            data_source=None, prompt=chat_type(), ability=None, reward_model=reward_model, extra_info=about_type()
        )

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        return {
            "data_source": NAME,
            "prompt": messages(example["question"], system),
            "ability": example["domain"],
            "reward_model": {"style": "rule", "ground_truth": ground_truth(example)},
            "extra_info": about(example, place),
        }

    def following(self, files: Files) -> list[str]:
        """verl's own. It drops what does not fill a batch, so a small file gets small batches."""
        rows = 1 << (min(files.rows[files.train], MOST_ROWS).bit_length() - 1)
        return [
            command(
                "python", "-m", "verl.trainer.main_ppo",
                "reward.custom_reward_function.path=pkg://webscale_rl.reward.verl",
                setting("data.train_files", files.train_path),
                setting("data.val_files", files.held_out_path or files.train_path),
                f"data.train_batch_size={rows}",
                f"actor_rollout_ref.actor.ppo_mini_batch_size={rows}",
                "actor_rollout_ref.actor.use_dynamic_bsz=True",
                "actor_rollout_ref.model.path=MODEL",
                "actor_rollout_ref.rollout.name=vllm",
                "actor_rollout_ref.rollout.n=16",
                "algorithm.adv_estimator=grpo",
                "trainer.n_gpus_per_node=1",
                "trainer.logger=console",
            )
        ]  # fmt: skip
