"""verifiers (0.4) and prime-rl: the rows that `webscale_rl.reward.verifiers.WebscaleTaskset` loads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import COLUMNS, PARQUET, Files, Place, command, fields, ground_truth

if TYPE_CHECKING:
    import pyarrow as pa


class Verifiers:
    """`question`, `ground_truth`, `answer_type`, `id` and, if there is one, `system_prompt`."""

    form: ClassVar[str] = "verifiers"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        import pyarrow as pa

        return fields(
            id=None, question=None, ground_truth=None, answer=None, answer_type=None, system_prompt=None,
            document_id=None, domain=None, difficulty=pa.float64(),
        )  # fmt: skip

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        kept = ("id", "question", "answer", "answer_type", "document_id", "domain", "difficulty")
        rest = {name: example[name] for name in kept}
        return rest | {"ground_truth": ground_truth(example), "system_prompt": system}

    def following(self, files: Files) -> list[str]:
        """verifiers' own; prime-rl reads the same configuration."""
        return [
            "# my_questions.py is the module of two lines in docs/trainers.md",
            command(
                "vf-eval", "my-questions", "--env.taskset.dataset", files.train_path, "--model", "MODEL",
                "--env.agent.harness.id", "null", "--env.agent.runtime.type", "subprocess", "--no-push",
            ),
        ]  # fmt: skip
