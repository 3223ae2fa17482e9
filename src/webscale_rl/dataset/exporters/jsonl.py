"""All columns, one JSON object per line: for everything that reads JSON Lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import orjson

from webscale_rl.dataset.rows import EXAMPLE_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa


class Jsonl:
    """One JSON Lines file; `metadata` is an object again."""

    form: ClassVar[str] = "jsonl"
    file_name: ClassVar[str] = "train.jsonl"
    columns: ClassVar[tuple[str, ...]] = EXAMPLE_COLUMNS

    def write(self, batches: Iterable[pa.RecordBatch], path: Path) -> int:
        """Write the batches; gives the number of rows."""
        rows = 0
        with path.open("wb") as file:
            for batch in batches:
                for row in batch.to_pylist():
                    row["metadata"] = orjson.loads(row["metadata"])
                    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                rows += len(batch)
        return rows
