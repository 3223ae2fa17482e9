"""OpenRLHF (0.11): `PromptDataset`, with a `reward_func.py` of one line (docs/trainers.md)."""

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


_PICTURE = "<image>"


class Openrlhf:
    """`prompt`, a chat for `--data.apply_chat_template`; `question`, the same as a text without one; `ground_truth`,
    the label; `datasource`, by which OpenRLHF groups its evaluation."""

    form: ClassVar[str] = "openrlhf"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        return fields(
            prompt=chat_type(), question=None, ground_truth=None, datasource=None,
            answer=None, answer_type=None, id=None, document_id=None,
        )  # fmt: skip

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        kept = ("question", "answer", "answer_type", "id", "document_id")
        chat = messages(example["question"], system)
        return {
            "prompt": [turn | {"content": _no_picture(turn["content"])} for turn in chat],
            "ground_truth": ground_truth(example),
            "datasource": NAME,
            **{name: example[name] for name in kept},
        }

    def following(self, files: Files) -> list[str]:
        """OpenRLHF's own."""
        words: list[Any] = [
            "python", "-m", "openrlhf.cli.train_ppo_ray",
            "--actor.model_name_or_path", "MODEL",
            "--reward.remote_url", "reward_func.py",
            "--data.prompt_dataset", files.train_path,
            "--data.input_key", "prompt", "--data.apply_chat_template",
            "--data.label_key", "ground_truth",
            "--algo.advantage.estimator", "group_norm",
            "--rollout.n_samples_per_prompt", "16",
        ]  # fmt: skip
        if files.held_out_path:
            words += ["--eval.dataset", files.held_out_path, "--eval.steps", "20"]
        return ["# reward_func.py is one line: from webscale_rl.reward.openrlhf import reward_func", command(*words)]


def _no_picture(text: str) -> str:
    """The text with a space in what OpenRLHF takes for a picture's place: templates of models for text then fail."""
    return text.replace(_PICTURE, "< image>")
