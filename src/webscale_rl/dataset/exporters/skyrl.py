"""SkyRL (0.3, with skyrl-gym 0.4): `PromptDataset`, with the environment `webscale`."""

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


class Skyrl:
    """`prompt`, a chat; `env_class`; `reward_spec` with the ground truth, the question and the answer's type;
    `data_source`, by which SkyRL groups its evaluation, and `extra_info`."""

    form: ClassVar[str] = "skyrl"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        import pyarrow as pa

        spec = pa.struct([(name, pa.string()) for name in ("method", "ground_truth", "question", "answer_type")])
        return fields(data_source=None, prompt=chat_type(), env_class=None, reward_spec=spec, extra_info=about_type())

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question."""
        spec = {"method": "rule", "ground_truth": ground_truth(example)}
        return {
            "data_source": NAME,
            "prompt": messages(example["question"], system),
            "env_class": NAME,
            "reward_spec": spec | {name: example[name] for name in ("question", "answer_type")},
            "extra_info": about(example, place),
        }

    def following(self, files: Files) -> list[str]:
        """SkyRL's own, from the script that registers the environment."""
        return [
            "# skyrl_webscale.py is the script in docs/trainers.md",
            command(
                "python", "skyrl_webscale.py",
                setting("data.train_data", files.train_path, several=True),
                setting("data.val_data", files.held_out_path or files.train_path, several=True),
                f"environment.env_class={NAME}",
                "trainer.policy.model.path=MODEL",
                "trainer.algorithm.advantage_estimator=grpo",
                "generator.n_samples_per_prompt=16",
            ),
        ]  # fmt: skip
