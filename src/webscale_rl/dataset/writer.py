"""Turns finished shards into the dataset: the sieves judge, then its folders are written, whole or not at all.

Streams: no more than a row group is in memory, whatever the size of the corpus.
"""

from __future__ import annotations

import heapq
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import orjson

from webscale_rl.dataset import arrow
from webscale_rl.dataset.rows import DROPPED_COLUMNS, EXAMPLE_COLUMNS, schema
from webscale_rl.sieve import Rejected, Sieve
from webscale_rl.tally import END_DROPPED, END_FAILED, END_KEPT

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_GROUP = 1000
BYTES_PER_GROUP = 8 << 20
"""A row group ends at so many rows, or bytes of documents' texts: all of it is in memory, several times over."""
ROWS_READ = 64


class ShardExamples:
    """The examples of finished shards that no sieve has rejected yet (see `sieve.Examples`).

    Rejections lie in files of `scratch`; in memory is one byte per example.
    """

    def __init__(self, shards: Sequence[Path], scratch: Path) -> None:
        self._shards = shards
        self._scratch = scratch
        self._out = bytearray()
        self._files: list[tuple[str, Path]] = []

    def stays(self, row: int) -> bool:
        """Whether no sieve has rejected the example."""
        return row >= len(self._out) or not self._out[row]

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[list[int], pa.RecordBatch]]:
        """Batches of these columns, each with the row numbers of its examples."""
        for first, batch in kept_batches(self._shards, columns):
            rows = [row for row in range(first, first + len(batch)) if self.stays(row)]
            if rows:
                yield rows, arrow.rows(batch, [row - first for row in rows])

    def apply(self, sieve: Sieve) -> None:
        """Let a sieve judge what is still in."""
        own = self._scratch / sieve.name
        own.mkdir()
        path = self._scratch / f"{sieve.name}.jsonl"
        with path.open("wb") as file:
            last = -1
            for rejected in sieve.judge(self, own):
                if rejected.row <= last or not self.stays(rejected.row):
                    raise ValueError(f"sieve {sieve.name}: row {rejected.row} is out of order or rejected already")
                last = rejected.row
                if rejected.reason not in sieve.reasons:
                    raise ValueError(f"sieve {sieve.name}: {rejected.reason!r} is not one of its reasons")
                file.write(orjson.dumps(tuple(rejected), option=orjson.OPT_APPEND_NEWLINE))
        shutil.rmtree(own)
        self._files.append((sieve.name, path))
        for _, rejected in _read_rejected(sieve.name, path):
            if rejected.row >= len(self._out):
                self._out.extend(bytes(rejected.row + 1 - len(self._out)))
            self._out[rejected.row] = 1

    def rejections(self) -> Iterator[tuple[str, Rejected]]:
        """Everything that was rejected, with its sieve, by ascending row."""
        return heapq.merge(*(_read_rejected(*entry) for entry in self._files), key=lambda entry: entry[1].row)


def _read_rejected(sieve: str, path: Path) -> Iterator[tuple[str, Rejected]]:
    with path.open("rb") as file:
        for line in file:
            yield sieve, Rejected(*orjson.loads(line))


def kept_batches(shards: Sequence[Path], columns: tuple[str, ...]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """All kept examples of the shards in order, with the number of the first one of each batch."""
    row = 0
    for batch in outcome_batches(shards, ("end", "unit", *columns)):
        ends = zip(batch.column("end").to_pylist(), batch.column("unit").to_pylist(), strict=True)
        kept = [at for at, end in enumerate(ends) if end == (END_KEPT, "pair")]
        chosen = arrow.rows(batch.select(list(columns)), kept)
        yield row, chosen
        row += len(chosen)


def outcome_batches(shards: Sequence[Path], columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """All rows of the files in order, a few at a time."""
    import pyarrow.parquet as pq

    for path in shards:
        with pq.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as file:  # pages, not whole columns
            yield from file.iter_batches(batch_size=ROWS_READ, columns=list(columns), use_threads=False)


def dataset_batches(folder: Path, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """These columns of a dataset that is written already, in order, a few rows at a time."""
    for batch in outcome_batches(sorted(folder.glob("part-*.parquet")), columns):
        yield batch.select(list(columns))


def scattered_rows(folder: Path, columns: tuple[str, ...], count: int) -> Iterator[dict[str, Any]]:
    """A few rows from all over a dataset, in order. Reads the row groups that they stand in, whatever its size."""
    import pyarrow.parquet as pq

    parts = sorted(folder.glob("part-*.parquet"))
    shown = None
    for number in range(count):
        part, within = divmod(number * len(parts), count)
        with pq.ParquetFile(parts[part], buffer_size=1 << 16, pre_buffer=False) as file:
            row = within * file.metadata.num_rows // count
            if (part, row) == shown or not file.metadata.num_rows:
                continue
            shown = part, row
            group = 0
            while row >= file.metadata.row_group(group).num_rows:
                row -= file.metadata.row_group(group).num_rows
                group += 1
            yield from file.read_row_group(group, list(columns), use_threads=False).slice(row, 1).to_pylist()


class PartWriter:
    """Writes rows as part-*.parquet into a folder, with row groups of a fixed size, so that the bytes depend on the
    rows alone."""

    def __init__(self, folder: Path, columns: tuple[str, ...], rows_per_file: int) -> None:
        self._folder = folder
        self._schema = schema(columns)
        self._rows_per_file = rows_per_file
        self._buffer: list[pa.RecordBatch] = []
        self._buffered = 0
        self._bytes = 0
        self._writer: Any = None
        self._in_file = 0
        self._parts = 0
        self.rows = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left; an empty dataset is one part without rows."""
        if kind is None:
            if self._buffered or not self._parts:
                self._group()
            self._close()
        elif self._writer is not None:
            self._writer.close()

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows that have exactly our columns."""
        self.rows += len(batch)
        sizes = _sizes(batch)
        while len(batch):
            room = min(ROWS_PER_GROUP, self._rows_per_file - self._in_file) - self._buffered
            fits = int(np.searchsorted(np.cumsum(sizes) + self._bytes, BYTES_PER_GROUP)) + 1
            count = min(room, fits, len(batch))
            self._buffer.append(batch.slice(0, count))
            self._buffered += count
            self._bytes += int(sizes[:count].sum())
            batch, sizes = batch.slice(count), sizes[count:]
            if count == room or self._bytes >= BYTES_PER_GROUP:
                self._group()

    def _group(self) -> None:
        import pyarrow as pa

        if self._writer is None:
            path = self._folder / f"part-{self._parts:05d}.parquet"
            self._writer = arrow.writer(path, self._schema)
            self._parts += 1
        table = pa.Table.from_batches(self._buffer, self._schema).combine_chunks()
        self._writer.write_table(table, row_group_size=ROWS_PER_GROUP)
        self._in_file += self._buffered
        self._buffer, self._buffered, self._bytes = [], 0, 0
        if self._in_file >= self._rows_per_file:
            self._close()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._in_file = None, 0


def _sizes(batch: pa.RecordBatch) -> Any:
    """Bytes of each row, as far as they can be many."""
    if "pretrain_text" not in batch.schema.names:
        return np.zeros(len(batch), np.int64)
    return arrow.lengths(batch.column("pretrain_text"))


class Facts(Counter[tuple[str, str]]):
    """Counts of the dataset's values, for its card: (column, value) -> examples."""

    columns = ("domain", "answer_type", "source")

    def note(self, batch: pa.RecordBatch) -> None:
        """Count a batch."""
        for column in self.columns:
            self.update((column, str(value)) for value in batch.column(column).to_pylist() if value is not None)

    def of(self, column: str) -> list[tuple[str, int]]:
        """A column's values by falling count."""
        found = [(value, count) for (its, value), count in self.items() if its == column]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def sift(shards: Sequence[Path], sieves: Sequence[Sieve], scratch: Path) -> ShardExamples:
    """Let all sieves judge, one after the other."""
    examples = ShardExamples(shards, scratch)
    for sieve in sieves:
        examples.apply(sieve)
    return examples


def write_dataset(
    examples: ShardExamples,
    shards: Sequence[Path],
    writer: PartWriter,
    facts: Facts,
    fill: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None,
) -> None:
    """Write the examples that stay. `fill` gives each batch what is known of it besides."""
    for first, batch in kept_batches(shards, EXAMPLE_COLUMNS):
        stay = [at for at in range(len(batch)) if examples.stays(first + at)]
        chosen = arrow.rows(batch, stay)
        facts.note(chosen)
        writer.write(fill(chosen) if fill else chosen)


def write_failed(shards: Sequence[Path], writer: PartWriter) -> None:
    """Write all failures, in the order of the corpus; their error stands in `reason`."""
    _write_ended(END_FAILED, shards, writer)


def _write_ended(end: str, shards: Sequence[Path], writer: PartWriter) -> None:
    for batch in outcome_batches(shards, ("end", *DROPPED_COLUMNS)):
        sought = [at for at, its in enumerate(batch.column("end").to_pylist()) if its == end]
        writer.write(arrow.rows(batch.select(list(DROPPED_COLUMNS)), sought))


def write_dropped(
    examples: ShardExamples, shards: Sequence[Path], writer: PartWriter, count: Callable[[str, str], None]
) -> None:
    """Write all drops of the stages, in the order of the corpus, then those of the sieves."""
    _write_ended(END_DROPPED, shards, writer)
    rejections = examples.rejections()
    for first, batch in kept_batches(shards, DROPPED_COLUMNS):
        out = [at for at in range(len(batch)) if not examples.stays(first + at)]
        rows = arrow.rows(batch, out).to_pylist()
        for row, (sieve, rejected) in zip(rows, rejections, strict=False):
            row |= {"stage": sieve, "reason": rejected.reason, "detail": rejected.detail}
            count(sieve, rejected.reason)
        if rows:
            for batch in arrow.table(rows, schema(DROPPED_COLUMNS)).to_batches():
                writer.write(batch)
