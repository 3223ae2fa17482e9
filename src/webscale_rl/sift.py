"""A sieve on a file of rows, without a run: what stays goes into one file, what does not into another.

The file is read twice, once to judge and once to write, and never held. Rows that cannot be read are in neither output,
and counted.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from webscale_rl.dataset import arrow
from webscale_rl.errors import UserError
from webscale_rl.files import replace_whole
from webscale_rl.rowfiles import Chunk, Fault, Sink, Source, part, require_writable, sink, source
from webscale_rl.sieve import Rejected, Sieve

if TYPE_CHECKING:
    import pyarrow as pa

ADDED = {"reason": "string", "detail": "string"}
MOST_TOLD = 20
"""So many bad rows are named one by one."""


class Sifted(msgspec.Struct):
    """What became of a file's rows; `bad` are those that cannot be read, by why not."""

    seen: int = 0
    kept: int = 0
    dropped: dict[str, int] = {}
    bad: dict[str, int] = {}


class FileExamples:
    """The rows of a file as a sieve sees them (`sieve.Examples`). `fields` names the file's column for each of a
    sieve's; a column that the file does not have is empty, and a row's id is its place."""

    def __init__(self, rows: Source, fields: Mapping[str, str | None]) -> None:
        self._rows = rows
        self._fields = fields

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[list[int], pa.RecordBatch]]:
        """Batches of these columns, each with the row numbers of its examples."""
        import pyarrow as pa

        sought = [name for column in columns if (name := self._fields.get(column))]
        for first, chunk in numbered(self._rows, sought):
            good = [(at, row) for at, row in enumerate(chunk.values) if isinstance(row, dict)]
            found = [
                [f"{self._rows.unit} {chunk.numbers[at]}" for at, _ in good]
                if column == "id"
                else [_text(row.get(self._fields.get(column) or "")) for _, row in good]
                for column in columns
            ]
            arrays = [arrow.column(values, pa.string()) for values in found]
            yield [first + at for at, _ in good], pa.RecordBatch.from_arrays(arrays, names=list(columns))


def require_columns(rows: Source, names: Mapping[str, str | None]) -> None:
    """Raises UserError if the file lacks a column that was named. `names` are by the option that names them."""
    known = rows.columns()
    for option, name in names.items():
        if name is not None and name not in known:
            raise UserError(f"{rows.shown}: has no column {name!r} ({option}); it has: {', '.join(known) or 'none'}")


def numbered(rows: Source, columns: list[str]) -> Iterator[tuple[int, Chunk]]:
    """All chunks, each with the number of its first row, counted from 0 and without gaps."""
    first = 0
    for chunk in rows.chunks(columns):
        yield first, chunk
        first += len(chunk.values)


def sift_file(
    file: str,
    sieve: Sieve,
    fields: Mapping[str, str | None],
    *,
    out: Path,
    dropped: Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Sifted:
    """Judge the rows of a file and write what stays to `out`, and what does not, with reason and detail, to `dropped`.

    Both are there whole or not at all. Raises UserError; `tell` is told of rows that cannot be read.
    """
    for path in filter(None, (out, dropped)):
        require_writable(path)
    if dropped is not None and dropped.resolve() == out.resolve():
        raise UserError(f"{out}: named for both outputs; write to two files")
    rows = source(file)
    books = Sifted()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch, ExitStack() as opened:
        verdicts = sieve.judge(FileExamples(rows, fields), Path(scratch))
        kept = opened.enter_context(sink(out.name, opened.enter_context(replace_whole(out)), rows))
        gone = None
        if dropped is not None:
            target = opened.enter_context(replace_whole(dropped))
            gone = opened.enter_context(sink(dropped.name, target, rows, ADDED))
        _write(rows, verdicts, kept, gone, books, tell)
    return books


def _write(
    rows: Source,
    verdicts: Iterator[Rejected],
    kept: Sink,
    gone: Sink | None,
    books: Sifted,
    tell: Callable[[str], None],
) -> None:
    following = next(verdicts, None)
    reasons: Counter[str] = Counter()
    for first, chunk in numbered(rows, []):
        stay: list[int] = []
        leave: list[tuple[int, Rejected]] = []
        for at, value in enumerate(chunk.values):
            if isinstance(value, Fault):
                _tell_bad(rows, chunk.numbers[at], value, books, tell)
            elif following is not None and following.row == first + at:
                leave.append((at, following))
                reasons[following.reason] += 1
                following = next(verdicts, None)
            else:
                stay.append(at)
        books.seen += len(chunk.values)
        books.kept += len(stay)
        if stay:
            kept.write(part(chunk, stay), {})
        if leave and gone is not None:
            added = {"reason": [one.reason for _, one in leave], "detail": [one.detail for _, one in leave]}
            gone.write(part(chunk, [at for at, _ in leave]), added)
    if following is not None:
        raise ValueError(f"a sieve judged row {following.row}, which there is not")
    books.dropped = dict(sorted(reasons.items()))


def _tell_bad(rows: Source, number: int, fault: Fault, books: Sifted, tell: Callable[[str], None]) -> None:
    told = sum(books.bad.values())
    books.bad[fault.word] = books.bad.get(fault.word, 0) + 1
    if told < MOST_TOLD:
        tell(f"{rows.shown}:{rows.unit} {number}: {fault.word}{f': {fault.detail}' if fault.detail else ''}")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value, default=str).decode()
