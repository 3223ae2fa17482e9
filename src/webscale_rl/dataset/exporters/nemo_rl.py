"""NeMo RL: JSON Lines for its `ResponseDataset`, with the environment `webscale`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from webscale_rl.dataset.exporter import COLUMNS, JSON_LINES, NAME, Files, Place, command, ground_truth, setting


class NemoRl:
    """`input`, what the user says, and `output`, which the processor makes the environment's ground truth.

    NeMo RL's processor takes one user's message and nothing else, so a system prompt stands at the head of `input`, and
    there are no columns that it would drop.
    """

    form: ClassVar[str] = "nemo-rl"
    ending: ClassVar[str] = JSON_LINES
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> None:
        """JSON Lines."""
        return

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        question = example["question"]
        asked = f"{system}\n\n{question}" if system else question
        return {"input": asked, "output": ground_truth(example), "id": example["id"]}

    def following(self, files: Files) -> list[str]:
        """NeMo RL's own, from the script that registers the environment, in its checkout."""
        data = [("train", files.train_path), ("validation", files.held_out_path)]
        read = [
            word
            for part, path in data
            if path is not None
            for word in (
                f"++data.{part}.dataset_name=ResponseDataset",
                setting(f"++data.{part}.data_path", path),
                f"++data.{part}.split=train",  # of a local file there is no other
            )
        ]
        return [
            "# in a checkout of NeMo RL; run_webscale.py is the script in docs/trainers.md",
            command(
                "uv", "run", "run_webscale.py", "--config", "examples/configs/grpo_math_1B.yaml",
                *read,
                "++data.train.split_validation_size=0",
                "++data.default.prompt_file=null",
                f"++data.default.env_name={NAME}",
                f"++env.{NAME}={{}}",
                "policy.model_name=MODEL",
            ),
        ]  # fmt: skip
