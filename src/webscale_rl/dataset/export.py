"""Writes a run's dataset in another form, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from webscale_rl import registry
from webscale_rl.errors import ExportError
from webscale_rl.files import replace_whole

if TYPE_CHECKING:
    import pyarrow as pa


class Written(NamedTuple):
    """What was written, and where."""

    rows: int
    path: Path


def export(directory: Path, form: str, out: Path | None = None) -> Written:
    """Write the dataset of a run directory. `out` is the file; by default DIR/export/FORM/. Raises ExportError."""
    exporter = registry.load("dataset.exporters", form, "form")()
    parts = sorted((directory / "dataset").glob("part-*.parquet"))
    if not parts:
        raise ExportError(f"{directory}: no dataset here; finish the run first (webscale-rl status {directory})")
    if out is not None and out.is_dir():
        raise ExportError(f"{out}: is a folder; name the file to write")
    path = out or directory / "export" / form / exporter.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_whole(path) as temporary:
        rows = exporter.write(_batches(parts, exporter.columns), temporary)
    return Written(rows, path)


def _batches(parts: list[Path], columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(part) as file:
            for batch in file.iter_batches(batch_size=1000, columns=list(columns)):
                yield batch.select(list(columns))
