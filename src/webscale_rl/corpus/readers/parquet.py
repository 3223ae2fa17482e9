"""Parquet, one row a document. Reads batches of a few megabytes and every column, for the others become metadata.

A group of rows that does not decode is reported once, with its rows, and the next one is read. Not covered: a single
value larger than memory, for Parquet cannot say how long a value is before it is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, cast

from webscale_rl.corpus.record import (
    CorpusOptions,
    File,
    Unreadable,
    UnreadableReason,
    document,
    no_text,
    printable,
    take_text,
    text_fields,
)
from webscale_rl.corpus.stream import Stream
from webscale_rl.types import Document

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ENDINGS = (".parquet", ".pq")
NEEDS = ()
EXTRA = ""

_BATCH_BYTES = 4 * 1024 * 1024
_BATCH_ROWS = 1024


def read(file: File, stream: Stream, options: CorpusOptions) -> Iterator[Document | Unreadable]:
    """The documents of the file, in its order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Without pre-buffering and with a buffer, a column is read page by page, not a row group at once.
        table = pq.ParquetFile(cast(IO[bytes], stream), pre_buffer=False, buffer_size=1024 * 1024)
    except (pa.ArrowException, OSError) as error:
        stream.check()
        stream.seek(0)
        reason: UnreadableReason = "truncated" if stream.read(4) in (b"PAR1", b"") else "corrupt_record"
        yield Unreadable(file.at("byte", file.size or 0), reason, printable(error))
        return
    with table:
        names = table.schema_arrow.names
        if not set(names).intersection(text_fields(options)):
            detail = f"{no_text(names, options)}; rows: {table.metadata.num_rows}"
            yield Unreadable(file.at("row", 1), "no_text", detail)
            return
        first = 1
        for group in range(table.num_row_groups):
            yield from _group(file, stream, table, (group, first), options)
            first += table.metadata.row_group(group).num_rows


def _group(
    file: File, stream: Stream, table: pq.ParquetFile, span: tuple[int, int], options: CorpusOptions
) -> Iterator[Document | Unreadable]:
    import pyarrow as pa

    group, number = span
    about = table.metadata.row_group(group)
    last = number + about.num_rows - 1
    rows = max(1, min(_BATCH_ROWS, _BATCH_BYTES * about.num_rows // max(1, about.total_byte_size)))
    batches = table.iter_batches(batch_size=rows, row_groups=[group], use_threads=False)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            stream.check()
            detail = f"rows {number} to {last} cannot be decoded: {printable(error)}"
            yield Unreadable(file.at("row", number), "corrupt_record", detail)
            return
        if batch is None:
            return
        yield from _rows(file, _to_microseconds(batch), number, options)
        number += batch.num_rows


def _to_microseconds(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with its nanoseconds cut off: Python's times do not have them."""
    import pyarrow as pa

    for index, field in enumerate(batch.schema):
        kind = field.type
        if pa.types.is_timestamp(kind) and kind.unit == "ns":
            column = batch.column(index).cast(pa.timestamp("us", kind.tz), safe=False)
            batch = batch.set_column(index, field.name, column)
    return batch


def _rows(file: File, batch: pa.RecordBatch, first: int, options: CorpusOptions) -> Iterator[Document | Unreadable]:
    try:
        records = batch.to_pylist()
    except (ValueError, OverflowError) as error:  # one bad value: find its row
        if batch.num_rows == 1:
            reason: UnreadableReason = "invalid_utf8" if isinstance(error, UnicodeDecodeError) else "corrupt_record"
            yield Unreadable(file.at("row", first), reason, printable(error))
            return
        for index in range(batch.num_rows):
            yield from _rows(file, batch.slice(index, 1), first + index, options)
        return
    for number, record in enumerate(records, first):
        yield _item(record, file, number, options)


def _item(record: dict[str, Any], file: File, number: int, options: CorpusOptions) -> Document | Unreadable:
    limit = options.max_document_bytes
    try:
        for name in text_fields(options):  # older writers leave out that these bytes are text
            if isinstance(value := record.get(name), bytes):
                record[name] = value.decode()
        text = take_text(record, options)
        if text is None:
            return Unreadable(file.at("row", number), "no_text", no_text(record, options))
        if len(text) * 4 > limit and (size := len(text.encode())) > limit:
            return Unreadable(file.at("row", number), "too_long", f"{size} bytes; max_document_bytes is {limit}")
        return document(text, record, options)
    except UnicodeDecodeError as error:
        return Unreadable(file.at("row", number), "invalid_utf8", printable(error))
    except ValueError as error:
        return Unreadable(file.at("row", number), "corrupt_record", printable(error))
