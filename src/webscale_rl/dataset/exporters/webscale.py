"""The paper's five columns, as its dataset has them on the hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from webscale_rl.dataset.exporter import PARQUET, Files, Place, fields
from webscale_rl.errors import ExportError

if TYPE_CHECKING:
    import pyarrow as pa


class Webscale:
    """Parquet with pretrain_text, domain, persona, question, answer."""

    form: ClassVar[str] = "webscale"
    ending: ClassVar[str] = PARQUET
    columns: ClassVar[tuple[str, ...]] = ("pretrain_text", "domain", "persona", "question", "answer")
    prompts: ClassVar[bool] = False

    def schema(self) -> pa.Schema:
        """Columns and types."""
        return fields(**dict.fromkeys(self.columns))

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """The columns as they are. Raises ExportError if the run kept no texts."""
        if example["pretrain_text"] is None:
            raise ExportError(
                "the dataset has no pretrain_text; run again with dataset.pretrain_text: true"
                " and --accept-changes (it pays nothing again)"
            )
        return {name: example[name] for name in self.columns}

    def following(self, files: Files) -> list[str]:
        """Nothing in particular reads it."""
        return []
