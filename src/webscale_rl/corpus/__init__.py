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

from webscale_rl.corpus import places, readers
from webscale_rl.corpus.record import UNREADABLE_REASONS, CorpusError, CorpusOptions, File, Unreadable
from webscale_rl.corpus.stream import Stream
from webscale_rl.types import Document

__all__ = ["UNREADABLE_REASONS", "CorpusError", "CorpusOptions", "File", "Unreadable", "files", "read"]

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


def read(files: Sequence[File], options: CorpusOptions) -> Iterator[Document | Unreadable]:
    """Everything in the files, in their order. Raises CorpusError for what the machine failed to read."""
    for file in files:
        reader = readers.load(file.reader)
        with Stream(file) as stream:
            yield from reader.read(file, stream, options)
