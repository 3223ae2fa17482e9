"""Supervised fine-tuning on the pairs: `messages`, which TRL, verl, OpenRLHF and most others read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import PARQUET, Files, Place, chat_type, fields, messages
from webscale_rl.dataset.exporters.trl import ours, stock

if TYPE_CHECKING:
    import pyarrow as pa


class Sft:
    """`messages`: the question by the user, the answer by the assistant."""

    form: ClassVar[str] = "sft"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = ("id", "question", "answer", "document_id")
    prompts: ClassVar[bool] = True

    def schema(self) -> pa.Schema:
        """Columns and types."""
        return fields(messages=chat_type(), id=None, document_id=None)

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """One question and its answer."""
        chat = messages(example["question"], system, example["answer"])
        return {"messages": chat, "id": example["id"], "document_id": example["document_id"]}

    def following(self, files: Files) -> list[str]:
        """Ours, and TRL's own."""
        return [ours("sft", files), *stock("sft", files)]
