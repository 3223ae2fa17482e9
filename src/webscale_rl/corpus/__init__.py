"""The corpus: files in, Documents out, and a report of every piece that could not be read.

    files(["data/", "s3://bucket/*.parquet"], options) -> [File]       resolved, checked, in a fixed order
    read(files, options)                               -> Document | Unreadable, one by one

Memory is bounded by `max_document_bytes`, whatever the size of files and lines. A damaged piece is an Unreadable and
the rest is read; what the machine could not read (no permission, network down) is a CorpusError, for to pass over
such a file in silence would lose documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from webscale_rl.corpus import places, readers
from webscale_rl.corpus.record import UNREADABLE_REASONS, CorpusError, CorpusOptions, File, Unreadable
from webscale_rl.corpus.stream import Stream
from webscale_rl.types import Document, content_id

__all__ = [
    "UNREADABLE_REASONS",
    "CorpusError",
    "CorpusOptions",
    "File",
    "Gauge",
    "Unreadable",
    "digest",
    "files",
    "read",
]

_TRIED = 1000


def files(inputs: Sequence[str], options: CorpusOptions) -> list[File]:
    """The files of the inputs, each once: inputs in their order, sorted within each.

    Reads up to the first document. Raises CorpusError if an input is not there or not known, if the inputs are empty,
    or if none of the first 1,000 records has a text where it was looked for.
    """
    found = places.resolve(inputs, options)
    faults: list[Unreadable] = []
    for item in islice(read(found, options), _TRIED):
        if isinstance(item, Document):
            return found
        faults.append(item)
    if not faults:
        raise CorpusError(f"{places.shown_all(inputs)}: empty, no document in it")
    if all(fault.reason == "no_text" for fault in faults):
        raise CorpusError(f"{faults[0].location}: {faults[0].detail}; name the field that holds the text: text_field")
    return found


def digest(files: Sequence[File]) -> str:
    """A digest of the files as they are now: names, sizes and, on this machine, when they were last written."""
    return content_id(*(f"{file.url}|{file.size}|{_written(Path(file.url))}" for file in files))


def _written(path: Path) -> int | str:
    return path.stat().st_mtime_ns if path.is_file() else ""


class Gauge:
    """How much of a corpus has been read, by the bytes of its files."""

    def __init__(self) -> None:
        self._total = 0
        self._before = 0
        self._stream: Stream | None = None

    def fraction(self) -> float | None:
        """0 to 1; None if a size is not known or nothing was read yet."""
        if not self._total or self._stream is None:
            return None
        return min(1.0, (self._before + self._stream.taken) / self._total)

    def begin(self, files: Sequence[File]) -> None:
        """These will be read."""
        sizes = [file.size for file in files]
        self._total = sum(size or 0 for size in sizes) if None not in sizes else 0

    def opened(self, stream: Stream) -> None:
        """The next file is being read."""
        if self._stream is not None:
            self._before += self._stream.file.size or 0
        self._stream = stream


def read(files: Sequence[File], options: CorpusOptions, gauge: Gauge | None = None) -> Iterator[Document | Unreadable]:
    """Everything in the files, in their order. Raises CorpusError for what the machine failed to read."""
    gauge = gauge or Gauge()
    gauge.begin(files)
    for file in files:
        reader = readers.load(file.reader)
        with Stream(file) as stream:
            gauge.opened(stream)
            yield from reader.read(file, stream, options)
