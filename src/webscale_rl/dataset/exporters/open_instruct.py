"""open-instruct: `grpo_fast`, with the verifier `webscale`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import (
    COLUMNS,
    NAME,
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


class OpenInstruct:
    """`messages`, a chat that ends with the question; `ground_truth`; `dataset`, the name of the verifier."""

    form: ClassVar[str] = "open-instruct"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        return fields(messages=chat_type(), ground_truth=None, dataset=None, id=None, document_id=None)

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        return {
            "messages": messages(example["question"], system),
            "ground_truth": ground_truth(example),
            "dataset": NAME,
            "id": example["id"],
            "document_id": example["document_id"],
        }

    def following(self, files: Files) -> list[str]:
        """open-instruct's own, from the script that imports the verifier. Of a local file it knows the split train."""
        words: list[Any] = [
            "python", "grpo_webscale.py", "--model_name_or_path", "MODEL",
            "--dataset_mixer_list", files.train_path, "1.0", "--dataset_mixer_list_splits", "train",
        ]  # fmt: skip
        if files.held_out_path:
            words += ["--dataset_mixer_eval_list", files.held_out_path, "1.0"]
            words += ["--dataset_mixer_eval_list_splits", "train"]
        script = "# in a checkout of open-instruct; grpo_webscale.py is the script in docs/trainers.md"
        return [script, command(*words, "--num_samples_per_prompt_rollout", "16")]
