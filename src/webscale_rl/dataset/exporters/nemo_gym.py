"""NeMo Gym (0.4): JSON Lines for the resources server `webscale` of docs/trainers.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from webscale_rl.dataset.exporter import COLUMNS, JSON_LINES, NAME, Files, Place, command, ground_truth, messages

AGENT = f"{NAME}_simple_agent"
"""The agent in the configuration of docs/trainers.md."""


class NemoGym:
    """`responses_create_params`, as OpenAI's Responses API takes it; the ground truth; `agent_ref`, who answers."""

    form: ClassVar[str] = "nemo-gym"
    ending: ClassVar[str] = JSON_LINES
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> None:
        """JSON Lines."""
        return

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        kept = ("question", "answer", "answer_type", "id", "document_id", "domain", "difficulty")
        return {
            "responses_create_params": {"input": messages(example["question"], system)},
            "ground_truth": ground_truth(example),
            **{name: example[name] for name in kept},
            "agent_ref": {"type": "responses_api_agents", "name": AGENT},
        }

    def following(self, files: Files) -> list[str]:
        """Rollouts by NeMo Gym; to train, NeMo RL reads the same file as its `NemoGymDataset`."""
        return [
            "# with the servers of docs/trainers.md running; NeMo RL's NemoGymDataset takes the same file",
            command(
                "gym", "eval", "run", "--no-serve", "--agent", AGENT,
                "--input", files.train_path, "--output", "rollouts.jsonl",
            ),
        ]  # fmt: skip
