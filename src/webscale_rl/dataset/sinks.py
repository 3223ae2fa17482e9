"""Files of rows as exports write them: Parquet of exact types, or JSON Lines. The same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP, CHARACTERS_PER_GROUP = 1000, 8 << 20
"""A row group ends at so many rows, or characters of documents' texts: all of it is in memory."""


class Sink(Protocol):
    """Takes rows."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        ...


@contextmanager
def sink(path: Path, schema: pa.Schema | None) -> Iterator[Sink]:
    """Writes to a new file: Parquet of this schema, JSON Lines without one."""
    if schema is None:
        with path.open("wb") as file:
            yield _Lines(file)
        return
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        table = _Table(writer, schema)
        yield table
        table.flush()


class _Lines:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, row: Mapping[str, Any]) -> None:
        self._file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


class _Table:
    def __init__(self, writer: Any, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema
        self._rows: list[Mapping[str, Any]] = []
        self._characters = 0

    def write(self, row: Mapping[str, Any]) -> None:
        self._rows.append(row)
        self._characters += len(row.get("pretrain_text") or "")
        if len(self._rows) >= ROWS_PER_GROUP or self._characters >= CHARACTERS_PER_GROUP:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows, self._characters = [], 0
