"""TRL (1.16): `GRPOTrainer`, `RLOOTrainer` and `trl grpo`, with `webscale_rl.reward.trl.reward`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import (
    COLUMNS,
    PARQUET,
    Files,
    Place,
    chat_type,
    command,
    fields,
    ground_truth,
    messages,
)

if TYPE_CHECKING:
    import pyarrow as pa


class Trl:
    """`prompt`, a chat, and columns that TRL hands to the reward by their names."""

    form: ClassVar[str] = "trl"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        import pyarrow as pa

        return fields(
            prompt=chat_type(), ground_truth=None, question=None, answer=None, answer_type=None,
            id=None, document_id=None, domain=None, difficulty=pa.float64(),
        )  # fmt: skip

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        kept = ("question", "answer", "answer_type", "id", "document_id", "domain", "difficulty")
        return {
            "prompt": messages(example["question"], system),
            "ground_truth": ground_truth(example),
            **{name: example[name] for name in kept},
        }

    def following(self, files: Files) -> list[str]:
        """Ours, and TRL's own."""
        return [ours("grpo", files), *stock("grpo", files, "--reward_funcs", "webscale_rl.reward.trl.reward")]


def ours(method: str, files: Files) -> str:
    """`webscale-rl train` with the file."""
    return command("webscale-rl", "train", method, files.train_path, "--model", "MODEL", "--out", f"runs/{method}")


def stock(method: str, files: Files, *options: str) -> list[str]:
    """`trl METHOD` with the folder; it takes no single file."""
    if files.folder is None:
        return [f"# trl {method} reads a folder: export without --out, or to a folder"]
    words = ["trl", method, "--model_name_or_path", "MODEL", "--dataset_name", str(files.folder), *options]
    words += [] if files.train == "train" else ["--dataset_train_split", files.train]
    if files.held_out:
        words += ["--dataset_test_split", files.held_out, "--eval_strategy", "steps"]
    return [command(*words, "--output_dir", f"runs/trl-{method}")]
