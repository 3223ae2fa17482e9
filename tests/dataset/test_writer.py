"""What the writer writes depends on the rows alone, and every record ends in one place."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webscale_rl.dataset import writer
from webscale_rl.dataset.rows import (
    CREATED_WITH,
    DROPPED_COLUMNS,
    EXAMPLE_COLUMNS,
    OUTCOME_COLUMNS,
    outcome_row,
    pair_row,
    schema,
)
from webscale_rl.dataset.writer import Facts, PartWriter, sift, write_dataset, write_dropped
from webscale_rl.pipeline import Outcome
from webscale_rl.sieves.dedup import Dedup
from webscale_rl.types import Brief, Drop, Example, Failure
from tests.records import brief, document, ended, kept, pair, shard

NAMES = ("question", "answer")


def rows(count: int) -> pa.Table:
    return pa.table({name: [f"{name} {number}" for number in range(count)] for name in NAMES}, schema(NAMES))


def written(folder: Path, batches: Sequence[pa.RecordBatch], rows_per_file: int) -> dict[str, str]:
    folder.mkdir(parents=True)
    with PartWriter(folder, NAMES, rows_per_file) as parts:
        for batch in batches:
            parts.write(batch)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.sampled_from([1, 7, 16, 100]), st.lists(st.integers(0, 40), max_size=6))
def test_the_bytes_depend_on_the_rows_only(count: int, rows_per_file: int, cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.TempPathFactory.from_config.__self__ and _folder() as folder:
        patch.setattr(writer, "ROWS_PER_GROUP", 8)
        table = rows(count)
        bounds = [0, *sorted(min(cut, count) for cut in cuts), count]
        pieces = [
            batch
            for start, stop in zip(bounds, bounds[1:], strict=False)
            for batch in table.slice(start, stop - start).to_batches() or [pa.RecordBatch.from_pylist([], schema(NAMES))]
        ]
        whole = written(folder / "whole", table.to_batches(), rows_per_file)
        assert written(folder / "cut", pieces, rows_per_file) == whole
        assert len(whole) == max(1, -(-count // rows_per_file))
        back = [row for name in whole for row in pq.read_table(folder / "cut" / name).to_pylist()]
        assert back == table.to_pylist()
        for name in whole:
            metadata = pq.read_metadata(folder / "cut" / name)
            sizes = [metadata.row_group(at).num_rows for at in range(metadata.num_row_groups)]
            assert all(size == 8 for size in sizes[:-1])


def _folder():  # type: ignore[no-untyped-def]
    from tempfile import TemporaryDirectory

    class Folder(TemporaryDirectory[str]):
        def __enter__(self) -> Path:  # type: ignore[override]
            return Path(super().__enter__())

    return Folder()
