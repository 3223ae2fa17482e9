"""Decontaminates a file: its rows become those that no benchmark has, in their order, and those that one has.

The rows are the same character by character; memory does not grow with the file. Both outputs are there whole or not
at all. A row without text cannot be looked up: it is not among the clean ones, is counted as bad, and told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from webscale_rl.corpus.record import printable
from webscale_rl.errors import UserError
from webscale_rl.files import replace_whole
from webscale_rl.rowfiles import Chunk, Fault, Sink, part, require_writable, sink, source
from webscale_rl.sieves.benchmark_files import benchmarks
from webscale_rl.sieves.contamination import Index, packaged
from webscale_rl.sieves.matcher import AT_ONCE, Hit, Matcher

QUESTION, ANSWERS = "question", ("answer", "ground_truth", "expected_answer", "solution")
COLUMNS = ("contamination_rule", "contamination_benchmark", "contamination_item", "contamination_span")
ROWS_AT_ONCE = 1 << 13
TOLD_EVERY_S = 10.0
MOST_TOLD = 20


class Summary(msgspec.Struct):
    """The books: rows = kept + dropped + bad. `dropped_by` counts rows by benchmark and rule, `coverage` says by what
    rule how many items of each benchmark can be found at all."""

    rows: int = 0
    kept: int = 0
    dropped: int = 0
    bad: int = 0
    dropped_by: dict[str, dict[str, int]] = {}
    coverage: dict[str, dict[str, int]] = {}

    def plain(self) -> dict[str, Any]:
        """As JSON wants it."""
        told: dict[str, Any] = msgspec.structs.asdict(self)
        return told


class _Held(NamedTuple):
    chunk: Chunk
    texts: list[str | None]
    answers: list[str]


class Screening:
    """One file, once. `tell` is told a line for people now and then: bad rows, and how far it is."""

    def __init__(
        self,
        path: str,
        out: Path | None = None,
        dropped: Path | None = None,
        *,
        fields: tuple[str, str | None] = (QUESTION, None),
        against: Sequence[str] = (),
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._rows = source(path)
        self._outs = (out, dropped)
        self._tell = tell
        present = self._rows.columns()
        self._text, self._answer = _found(fields, present, self._rows.shown)
        for target in (out, dropped):
            if target is not None:
                require_writable(target)
                if Path(path).exists() and target.exists() and target.samefile(path):
                    raise UserError(f"{target}: is the input; write to another file")
        if out is not None and dropped is not None and out.resolve() == dropped.resolve():
            raise UserError(f"{out}: named for both outputs; write to two files")
        if dropped is not None and (taken := [name for name in COLUMNS if name in present]):
            raise UserError(f"{self._rows.shown}: has a column {taken[0]!r} already; rename it")
        self._matcher = Matcher(Index(benchmarks(against or packaged())))
        coverage = self._matcher.index.coverage()
        self.summary = Summary(coverage={name: each._asdict() for name, each in coverage.items()})
        self._told_at = self._began = time.monotonic()

    def run(self) -> Summary:
        """Screen all rows. Raises UserError."""
        try:
            with ExitStack() as opened:
                kept, dropped = (opened.enter_context(self._sink(target)) for target in self._outs)
                for held in self._batches():
                    self._screen(held, kept, dropped)
        except OSError as error:
            raise UserError(f"{error.filename or self._outs[0]}: {error.strerror or error}") from error
        return self.summary

    @contextmanager
    def _sink(self, target: Path | None) -> Iterator[Sink | None]:
        if target is None:
            yield None
            return
        added = dict.fromkeys(COLUMNS, "string") if target is self._outs[1] else {}
        with replace_whole(target) as temporary, sink(target.name, temporary, self._rows, added) as opened:
            yield opened

    def _batches(self) -> Iterator[list[_Held]]:
        """Chunks, so many at a time that numpy is worth its while."""
        held: list[_Held] = []
        rows = size = 0
        wanted = [name for name in (self._text, self._answer) if name]
        for chunk in self._rows.chunks(wanted):
            texts = [_text(value, self._text) for value in chunk.values]
            answers = [(_text(value, self._answer) if self._answer else None) or "" for value in chunk.values]
            held.append(_Held(chunk, texts, answers))
            rows += len(texts)
            size += sum(len(text) for text in texts if text)
            if rows >= ROWS_AT_ONCE or size >= AT_ONCE:
                yield held
                held, rows, size = [], 0, 0
        if held:
            yield held

    def _screen(self, batch: list[_Held], kept: Sink | None, dropped: Sink | None) -> None:
        """Look the texts up and write each row where it belongs."""
        texts = [text or "" for held in batch for text in held.texts]
        answers = [answer for held in batch for answer in held.answers]
        hits = iter(self._matcher.find(texts, answers if self._answer else None))
        for held in batch:
            found: list[Hit | None] = [next(hits) for _ in held.texts]
            good = [at for at, text in enumerate(held.texts) if text is not None and found[at] is None]
            bad = [at for at, text in enumerate(held.texts) if text is None]
            out = [(at, hit) for at, hit in enumerate(found) if hit is not None]
            self._count(held.chunk, len(good), bad, [hit for _, hit in out])
            if kept is not None and good:
                kept.write(part(held.chunk, good), {})
            if dropped is not None and out:
                columns = zip(*((hit.reason, hit.benchmark, hit.item, hit.span) for _, hit in out), strict=True)
                dropped.write(part(held.chunk, [at for at, _ in out]), dict(zip(COLUMNS, columns, strict=True)))

    def _count(self, chunk: Chunk, kept: int, bad: list[int], hits: list[Hit]) -> None:
        books = self.summary
        for at in bad:
            value = chunk.values[at]
            fault = value if isinstance(value, Fault) else Fault("no_text", f"no text in {self._text}")
            books.bad += 1
            if books.bad <= MOST_TOLD:
                detail = f" ({printable(fault.detail)})" if fault.detail else ""
                self._tell(f"{self._rows.shown}:{self._rows.unit} {chunk.numbers[at]}: {fault.word}{detail}")
            elif books.bad == MOST_TOLD + 1:
                self._tell("more bad rows are not told one by one")
        books.rows += len(chunk.values)
        books.kept += kept
        books.dropped += len(hits)
        for (name, rule), count in Counter((hit.benchmark, hit.reason) for hit in hits).items():
            rules = books.dropped_by.setdefault(name, {})
            rules[rule] = rules.get(rule, 0) + count
        now = time.monotonic()
        if now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            self._tell(f"{books.rows:,} rows, {books.rows / (now - self._began):,.0f} a second")


def _text(value: dict[str, Any] | Fault, name: str) -> str | None:
    """What stands in the column, if it is text; a number as an answer is its text."""
    found = None if isinstance(value, Fault) else value.get(name)
    if isinstance(found, bool | None):
        return None
    return str(found) if isinstance(found, str | int | float) else None


def _found(fields: tuple[str, str | None], present: Sequence[str], where: str) -> tuple[str, str | None]:
    """The columns of text and answer. Raises UserError if one that is needed, or was named, is not there."""
    text, answer = fields
    for name, flag in ((text, "--field"), (answer, "--answer-field")):
        if name is not None and name not in present:
            there = printable(", ".join(present)) or "none"
            raise UserError(f"{where}: no column {name} ({flag} NAME); the columns are: {there}")
    return text, answer or next((name for name in ANSWERS if name in present and name != text), None)
