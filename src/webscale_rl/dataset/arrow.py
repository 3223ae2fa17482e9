"""From Python to Arrow, and no pandas in between.

Where pandas is installed, Arrow imports it at the first list or constant that it is handed, to see whether it is one of
its: half a second, of which a run's event loop sees little. Columns that are made of buffers ask for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS_PER_GROUP = 500
REPEATED = frozenset(
    "unit end stage reason document_id source url domain pretrain_text metadata answer_type generator checker"
    " created_with model finish endpoint".split()
)
"""Columns in which the same values come again and again. They are written with a dictionary; the others would fill
theirs in vain, with a megabyte of memory each."""
_MOST_BYTES = 2**31 - 1
"""Arrow's limit for one array of strings."""


def read(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A small Parquet file, whole, or some of its columns."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read(None if columns is None else list(columns))


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows as a table; what a row lacks is null. Raises UnicodeEncodeError for half a character."""
    return _table([tuple(map(row.get, schema.names)) for row in rows], schema)


def write(path: Path, rows: Iterable[Sequence[Any]], schema: pa.Schema) -> None:
    """The rows, each with its values in the schema's order, as a Parquet file, a few hundred of them in memory at a
    time. Raises OSError if the disk is full."""
    left = iter(rows)
    with writer(path, schema) as out:
        while group := list(islice(left, ROWS_PER_GROUP)):
            out.write_table(_table(group, schema))


def writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Writes a Parquet file of ours."""
    import pyarrow.parquet as pq

    repeated = [name for name in schema.names if name in REPEATED]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeated)


def _table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [column(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """The values as an array of strings, numbers, booleans, or bytes of a fixed length; None is null."""
    import pyarrow as pa

    missing = values.count(None)
    if missing == len(values):
        return pa.nulls(missing, kind)
    valid = None
    if missing:
        valid = pa.py_buffer(np.packbits([value is not None for value in values], bitorder="little"))
    if pa.types.is_string(kind):
        data = _strings(values)
        if data is None:
            return pa.array(values, kind)
    elif pa.types.is_fixed_size_binary(kind):
        data = [pa.py_buffer(b"".join(bytes(kind.byte_width) if value is None else value for value in values))]
    elif pa.types.is_boolean(kind):
        data = [pa.py_buffer(np.packbits(np.array(values, bool), bitorder="little"))]
    else:
        plain = [0 if value is None else value for value in values]
        data = [pa.py_buffer(np.array(plain, kind.to_pandas_dtype()))]
    return pa.Array.from_buffers(kind, len(values), [valid, *data])


def _strings(values: Sequence[str | None]) -> list[pa.Buffer] | None:
    """The buffers of an array of strings; None if they are too long for one."""
    import pyarrow as pa

    texts = [value or "" for value in values]
    joined = "".join(texts)
    if joined.isascii():  # as most columns: encoded at once
        lengths, encoded = map(len, texts), joined.encode()
    else:
        pieces = [text.encode() for text in texts]
        lengths, encoded = map(len, pieces), b"".join(pieces)
    if len(encoded) > _MOST_BYTES:
        return None
    offsets = np.fromiter(accumulate(lengths, initial=0), np.int32, len(texts) + 1)
    return [pa.py_buffer(offsets), pa.py_buffer(encoded)]


def rows(batch: pa.RecordBatch, numbers: Sequence[int]) -> pa.RecordBatch:
    """These rows of a batch; the numbers ascend.

    Arrow's own `take` and `filter` want its functions, which take 9 MB and a tenth of a second to import.
    """
    import pyarrow as pa

    if len(numbers) == len(batch):
        return batch
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, number + 1])
    slices = [batch.slice(first, end - first) for first, end in runs]
    (found,) = pa.Table.from_batches(slices, batch.schema).combine_chunks().to_batches() or [batch.slice(0, 0)]
    return found


def lengths(strings: pa.Array) -> np.ndarray:
    """How many bytes each of the strings has; those of a null do not count."""
    _, offsets, _ = strings.buffers()
    if offsets is None:
        return np.zeros(len(strings), np.int64)
    ends = np.frombuffer(offsets, np.int32)[strings.offset : strings.offset + len(strings) + 1]
    return np.diff(ends).astype(np.int64)
