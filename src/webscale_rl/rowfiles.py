"""Rows of a file and the same rows with columns added, for JSON Lines and Parquet, a chunk in memory at a time.

JSON Lines stay what they were, character by character, with the new columns at their ends; Parquet keeps its schema.
From one format to the other, values go over as far as the other can say them: what Parquet has beyond JSON (dates,
bytes, decimals) becomes strings; a JSON Lines file that becomes Parquet is read once more beforehand, for its schema.
"""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import msgspec
import orjson

from webscale_rl.corpus.places import resolve
from webscale_rl.corpus.readers.jsonl import lines
from webscale_rl.corpus.record import CorpusOptions, File, plain, printable, shown
from webscale_rl.corpus.stream import Broken, Stream, blocks
from webscale_rl.dataset import arrow
from webscale_rl.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

LINES, TABLES = (".jsonl", ".ndjson", ".json"), (".parquet", ".pq")
ENDINGS = (*(ending + packed for ending in LINES for packed in ("", ".gz", ".zst")), *TABLES)
CHUNK_ROWS, CHUNK_BYTES = 256, 1 << 20
LONGEST_LINE = 64 << 20
GROUP_ROWS, GROUP_BYTES = 10_000, 8 << 20
"""A row group of a Parquet file ends at so many rows, or bytes: all of it is in memory."""

_FAULTS = (msgspec.DecodeError, ValueError, RecursionError)
_decode = msgspec.json.Decoder().decode


class Fault(NamedTuple):
    """Why a row cannot be used: a word, and for people what was there."""

    word: str
    detail: str = ""


class Chunk(NamedTuple):
    """Rows that follow one another. `numbers` are their places in the file, from 1; `values` hold the columns that were
    asked for; `whole` is all of them, as lines or as a batch; `size` is in bytes."""

    numbers: Sequence[int]
    values: list[dict[str, Any] | Fault]
    whole: list[bytes] | pa.RecordBatch
    size: int


def part(chunk: Chunk, places: Sequence[int]) -> Chunk:
    """The rows at these places of a chunk, its first being at 0."""
    if len(places) == len(chunk.values):
        return chunk
    numbers, values = [chunk.numbers[at] for at in places], [chunk.values[at] for at in places]
    if isinstance(chunk.whole, list):
        return Chunk(numbers, values, [chunk.whole[at] for at in places], chunk.size)
    return Chunk(numbers, values, arrow.rows(chunk.whole, places), chunk.size)


class Source(Protocol):
    """A file of rows. `unit` is what its rows are called, `shown` its name without secrets. A context manager."""

    unit: str
    shown: str

    def columns(self) -> list[str]:
        """The columns of the file, as far as its beginning tells."""
        ...

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """All rows, from the first one, with the values of these columns. Raises UserError."""
        ...

    def schema(self) -> pa.Schema:
        """The columns' types. Raises UserError if there are none that hold for all rows."""
        ...


class Sink(Protocol):
    """Takes rows with columns added."""

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        """Write the chunk's rows. Raises UserError for a row that has one of the columns already."""
        ...


def source(path: str) -> Source:
    """The rows of a file, by its ending. Raises UserError if there is no such file of rows."""
    ending = _ending(path)
    if ending is None:
        raise UserError(f"{shown(path)}: not a file of rows; its name should end in {_known()}")
    files = resolve([path], CorpusOptions(format="parquet" if ending in TABLES else "jsonl"))
    if len(files) > 1:
        raise UserError(f"{shown(path)}: {len(files)} files; name one")
    return _Table(files[0]) if ending in TABLES else _Lines(files[0])


def require_writable(path: Path) -> None:
    """Raises UserError if the path is no place for a file of rows."""
    if _ending(path.name) is None:
        raise UserError(f"{path}: what is written there? its name should end in {_known()}")
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(f"{path}: " + ("is a folder; name a file" if path.is_dir() else "its folder is not there"))


@contextmanager
def sink(name: str, path: Path, rows: Source, added: Mapping[str, str] = MappingProxyType({})) -> Iterator[Sink]:
    """Writes to `path` in the format that `name` ends in. `added` are the new columns: "int64" or "string" by name.

    Raises UserError if the rows have one of them; of lines of JSON that is known when such a line is written.
    """
    ending = _ending(name)
    known = rows.schema() if ending in TABLES or isinstance(rows, _Table) else None
    if known is not None and (taken := [column for column in added if column in known.names]):
        raise UserError(f"{rows.shown}: has a column {taken[0]!r} already")
    if ending in TABLES and known is not None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = known
        for column, kind in added.items():
            schema = schema.append(pa.field(column, pa.type_for_alias(kind)))
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            table = _TableSink(writer, schema)
            yield table
            table.flush()
        return
    with ExitStack() as opened:
        file: IO[bytes] = opened.enter_context(path.open("wb"))
        if ending is not None and ending.endswith(".gz"):
            zipped = gzip.GzipFile("", "wb", 6, file, mtime=0)  # no name, no time: the same rows are the same bytes
            file = cast(IO[bytes], opened.enter_context(zipped))
        elif ending is not None and ending.endswith(".zst"):
            import zstandard

            file = opened.enter_context(zstandard.ZstdCompressor().stream_writer(file, closefd=False))
        yield _LineSink(file, rows)


class _Lines:
    """JSON Lines, plain or compressed. A blank line is nothing."""

    unit = "line"

    def __init__(self, file: File) -> None:
        self._file = file
        self.shown = file.shown

    def columns(self) -> list[str]:
        first = next(self.chunks(()), None)
        found = [row for row in first.values if isinstance(row, dict)] if first else []
        return list(dict.fromkeys(name for row in found for name in row))

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        """All columns, whichever are asked for: a line is decoded as a whole anyway."""
        numbers: list[int] = []
        values: list[dict[str, Any] | Fault] = []
        whole: list[bytes] = []
        size = 0
        for number, value, raw in self._rows():
            numbers.append(number)
            values.append(value)
            whole.append(raw)
            size += len(raw)
            if len(numbers) >= CHUNK_ROWS or size >= CHUNK_BYTES:
                yield Chunk(numbers, values, whole, size)
                numbers, values, whole, size = [], [], [], 0
        if numbers:
            yield Chunk(numbers, values, whole, size)

    def _rows(self) -> Iterator[tuple[int, dict[str, Any] | Fault, bytes]]:
        """Each row's line, its value, and the line as one object; a fault's line is left out."""
        number = 0
        with Stream(self._file) as stream:
            try:
                for number, line in enumerate(lines(blocks(stream), LONGEST_LINE), 1):
                    if isinstance(line, int):
                        yield number, Fault("too_long", f"{line:,} bytes"), b""
                    elif raw := bytes(line).strip():
                        value, raw = _row(raw)
                        if number == 1 and isinstance(value, Fault) and raw.startswith(b"["):
                            raise UserError(f"{self.shown}: a JSON array; write it as JSON Lines, an object a line")
                        yield number, value, raw
            except Broken as broken:
                raise UserError(f"{self.shown}:line {number + 1}: {broken.detail}; mend the file") from broken

    def schema(self) -> pa.Schema:
        import pyarrow as pa

        fields: dict[str, pa.Schema] = {}
        for chunk in self.chunks(()):
            rows = [row for row in chunk.values if isinstance(row, dict)]
            for name in dict.fromkeys(name for row in rows for name in row):
                try:
                    found = pa.schema([(name, pa.array([row.get(name) for row in rows]).type)])
                    known = fields.get(name, found)
                    fields[name] = pa.unify_schemas([known, found], promote_options="permissive")
                except (pa.ArrowException, OverflowError) as error:
                    place = f"{self.shown}:lines {chunk.numbers[0]} to {chunk.numbers[-1]}"
                    why = f"no Parquet type fits the column {name!r} ({printable(error)})"
                    raise UserError(f"{place}: {why}; write .jsonl instead") from error
        kinds = {name: schema.field(name).type for name, schema in fields.items()}
        return pa.schema([(name, pa.string() if pa.types.is_null(kind) else kind) for name, kind in kinds.items()])


class _Table:
    """Parquet."""

    unit = "row"

    def __init__(self, file: File) -> None:
        self._file = file
        self.shown = file.shown

    def columns(self) -> list[str]:
        return list(self.schema().names)

    def schema(self) -> pa.Schema:
        with self._open() as table:
            return table.schema_arrow

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        import pyarrow as pa

        first = 1
        try:
            with self._open() as table:
                about = table.metadata
                total = sum(about.row_group(group).total_byte_size for group in range(about.num_row_groups))
                rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES * about.num_rows // max(1, total)))
                for batch in table.iter_batches(batch_size=rows, use_threads=False):
                    found = [batch.column(name).to_pylist() for name in columns]
                    every = zip(*found, strict=True) if found else [()] * len(batch)
                    values: list[dict[str, Any] | Fault] = [dict(zip(columns, row, strict=True)) for row in every]
                    yield Chunk(range(first, first + len(batch)), values, batch, batch.nbytes)
                    first += len(batch)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise UserError(f"{self.shown}:row {first}: cannot be read on ({printable(error)})") from error

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        with Stream(self._file) as stream:
            try:
                # Without pre-buffering and with a buffer, a column is read page by page, not a row group at once.
                table = pq.ParquetFile(cast(IO[bytes], stream), pre_buffer=False, buffer_size=CHUNK_BYTES)
            except (pa.ArrowException, OSError) as error:
                stream.check()
                raise UserError(f"{self.shown}: no Parquet file ({printable(error)})") from error
            with table:
                yield table


class _LineSink:
    def __init__(self, file: IO[bytes], rows: Source) -> None:
        self._file = file
        self._rows = rows

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        rows = chunk.whole if isinstance(chunk.whole, list) else [orjson.dumps(row) for row in _as_json(chunk.whole)]
        if not added:
            self._file.write(b"\n".join([*rows, b""]))
            return
        ends = zip(*added.values(), strict=True)
        written = []
        for number, value, row, end in zip(chunk.numbers, chunk.values, rows, ends, strict=True):
            if taken := [name for name in added if isinstance(value, dict) and name in value]:
                raise UserError(f"{self._rows.shown}:{self._rows.unit} {number}: has a column {taken[0]!r} already")
            tail = orjson.dumps(dict(zip(added, end, strict=True)))
            head = row[:-1].rstrip() if isinstance(value, dict) else b"{"
            written.append(head + tail[1:] if head == b"{" else head + b"," + tail[1:])
        self._file.write(b"\n".join([*written, b""]))


class _TableSink:
    def __init__(self, writer: Any, schema: pa.Schema) -> None:
        self._writer = writer
        self._schema = schema
        self._held: list[pa.RecordBatch] = []

    def write(self, chunk: Chunk, added: Mapping[str, Sequence[Any]]) -> None:
        import pyarrow as pa

        before = [field for field in self._schema if field.name not in added]
        if isinstance(chunk.whole, list):
            rows = [row if isinstance(row, dict) else {} for row in chunk.values]
            columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in before]
        else:
            columns = chunk.whole.columns
        columns = [*columns, *(pa.array(values, self._schema.field(name).type) for name, values in added.items())]
        self._held.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        if sum(map(len, self._held)) >= GROUP_ROWS or sum(batch.nbytes for batch in self._held) >= GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held))
            self._held.clear()


def _row(raw: bytes) -> tuple[dict[str, Any] | Fault, bytes]:
    """The object of a line and its text. Null bytes, NaN, control characters and half characters are mended."""
    try:
        value = _decode(raw)
    except _FAULTS:
        try:
            text = raw.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").decode()
            value = plain(json.loads(text, strict=False))
            raw = orjson.dumps(value)
        except UnicodeDecodeError as error:
            return Fault("invalid_utf8", f"{error.reason} at byte {error.start + 1} of the line"), b""
        except _FAULTS as error:
            return Fault("corrupt_line", printable(error)), raw[:1]
    if not isinstance(value, dict):
        return Fault("not_an_object", f"a JSON {type(value).__name__}"), raw[:1]
    return value, raw


def _as_json(batch: pa.RecordBatch) -> Iterable[Any]:
    import pyarrow as pa

    for index, field in enumerate(batch.schema):  # Python's times have no nanoseconds
        kind = field.type
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            batch = batch.set_column(
                index, field.name, batch.column(index).cast(pa.timestamp("us", kind.tz), safe=False)
            )
    return (plain(row) for row in batch.to_pylist())


def _ending(name: str) -> str | None:
    return max((ending for ending in ENDINGS if name.lower().endswith(ending)), key=len, default=None)


def _known() -> str:
    return f"{', '.join((*LINES, *TABLES))} (JSON also as .gz and .zst)"
