"""The dataset that is exported: a run's, or a Parquet file with its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webscale_rl.dataset.rows import EXAMPLE_COLUMNS, schema
from webscale_rl.dataset.writer import outcome_batches
from webscale_rl.errors import ExportError

if TYPE_CHECKING:
    import pyarrow as pa

NEVER_EMPTY = frozenset({"id", "question", "answer", "document_id"})


@dataclass(frozen=True)
class Source:
    """Files of rows, in order. `shown` is what the user called them."""

    shown: str
    paths: tuple[Path, ...]
    types: pa.Schema

    @classmethod
    def of(cls, path: Path) -> Source:
        """The dataset in a run directory or in a folder, or one file. Raises ExportError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if path.is_file():
            paths = [path]
        else:
            paths = sorted((path / "dataset").glob("part-*.parquet")) or sorted(path.glob("part-*.parquet"))
        if not paths:
            raise ExportError(f"{path}: no dataset here; finish the run first (webscale-rl status {path})")
        try:
            return cls(str(path), tuple(paths), pq.read_schema(paths[0]))
        except (pa.ArrowException, OSError) as error:
            raise ExportError(f"{paths[0]}: no Parquet file that can be read ({error})".splitlines()[0]) from error

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        return list(self.types.names)

    def require(self, columns: Sequence[str], form: str) -> None:
        """Raises ExportError unless there are these columns, of the dataset's types."""
        import pyarrow as pa

        expected = schema(EXAMPLE_COLUMNS)
        for name in dict.fromkeys(columns):
            if name not in self.types.names:
                raise ExportError(f"{self.shown}: no column {name!r}, which {form} needs; is it a run's dataset?")
            kind = self.types.field(name).type
            wanted = expected.field(name).type if name in expected.names else kind
            fits = pa.types.is_floating(kind) if pa.types.is_floating(wanted) else pa.types.is_large_string(kind)
            if not (kind == wanted or fits or pa.types.is_null(kind)):
                raise ExportError(f"{self.shown}: the column {name!r} holds {kind}, not {wanted}")

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """All rows with these columns, a few in memory at a time. Raises ExportError."""
        import pyarrow as pa

        names = tuple(dict.fromkeys(columns))
        required = [name for name in names if name in NEVER_EMPTY]
        number = 0
        try:
            for batch in outcome_batches(self.paths, names):
                for row in batch.to_pylist():
                    number += 1
                    for name in required:
                        if not row[name]:
                            raise ExportError(f"{self.shown}: row {number:,} has no {name}")
                    yield row
        except (pa.ArrowException, OSError) as error:
            raise ExportError(
                f"{self.shown}: cannot be read on from row {number + 1:,} ({error})".splitlines()[0]
            ) from error
