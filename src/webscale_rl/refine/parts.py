"""Rows as part-*.parquet, a row group in memory at a time, so that the bytes depend on the rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from webscale_rl.dataset import arrow

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 1000
CHARS_PER_GROUP = 8 << 20
ROWS_PER_FILE = 100_000


class Parts:
    """Writes rows of a schema into a folder; a context manager. No row at all is one part without rows."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder = folder
        self._schema = schema
        self._buffer: list[Mapping[str, Any]] = []
        self._chars = 0
        self._writer: Any = None
        self._files = 0
        self._in_file = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left."""
        if kind is None and (self._buffer or not self._files):
            self._group()
        self._close()

    def write(self, row: Mapping[str, Any], chars: int = 0) -> None:
        """Add a row of so many characters."""
        self._buffer.append(row)
        self._chars += chars
        if len(self._buffer) >= ROWS_PER_GROUP or self._chars >= CHARS_PER_GROUP:
            self._group()

    def _group(self) -> None:
        if self._writer is None:
            path = self._folder / f"part-{self._files:05d}.parquet"
            self._writer = arrow.writer(path, self._schema)
            self._files += 1
        self._writer.write_table(arrow.table(self._buffer, self._schema), row_group_size=ROWS_PER_GROUP)
        self._in_file += len(self._buffer)
        self._buffer, self._chars = [], 0
        if self._in_file >= ROWS_PER_FILE:
            self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._in_file = None, 0
