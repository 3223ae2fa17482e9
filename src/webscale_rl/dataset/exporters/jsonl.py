"""All columns, one JSON object per line: for everything that reads JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from webscale_rl.dataset.exporter import JSON_LINES, Files, Place
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS


class Jsonl:
    """JSON Lines; `metadata` is an object again."""

    form: ClassVar[str] = "jsonl"
    ending: ClassVar[str] = JSON_LINES
    columns: ClassVar[tuple[str, ...]] = EXAMPLE_COLUMNS
    prompts: ClassVar[bool] = False

    def schema(self) -> None:
        """JSON Lines."""
        return

    def row(self, example: Mapping[str, Any], place: Place, system: str | None) -> dict[str, Any]:
        """All of it, in the dataset's order."""
        values: dict[str, Any] = {name: example[name] for name in self.columns}
        return values | {"metadata": orjson.loads(values["metadata"])}

    def following(self, files: Files) -> list[str]:
        """Nothing in particular reads it."""
        return []
