"""JSON lines, plain or compressed; and .json files, which may hold one array or one object instead.

A blank line is nothing. Raw null bytes, a byte order mark, NaN, unescaped control characters and lone surrogates are
mended without a report. Every other line that is no JSON object with a text is reported.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from webscale_rl.corpus.readers import with_compression
from webscale_rl.corpus.record import (
    CorpusError,
    CorpusOptions,
    File,
    Unreadable,
    document,
    no_text,
    plain,
    printable,
    take_text,
)
from webscale_rl.corpus.stream import Broken, Stream, blocks, read_whole
from webscale_rl.types import Document

ENDINGS = with_compression(".jsonl", ".ndjson", ".json")
NEEDS = ()
EXTRA = ""

_ONE_VALUE = with_compression(".json")
_FAULTS = (msgspec.DecodeError, ValueError, RecursionError)

_decode = msgspec.json.Decoder().decode


def read(file: File, stream: Stream, options: CorpusOptions) -> Iterator[Document | Unreadable]:
    """The documents of the file, in its order."""
    limit = options.max_document_bytes
    number = 0
    try:
        data = blocks(stream)
        if file.shown.lower().endswith(_ONE_VALUE):
            head, data = read_whole(stream, limit)
            if (values := _whole(file, head, limit)) is not None:
                for number, value in enumerate(values, 1):
                    yield _item(value, file, ("record", number), options)
                return
            data = chain([head], data)
        for number, line in enumerate(lines(data, limit), 1):
            if isinstance(line, int):
                detail = f"{line} bytes; max_document_bytes is {limit}"
                yield Unreadable(file.at("line", number), "too_long", detail)
                continue
            try:
                value = _decode(line)
            except _FAULTS:
                if raw := bytes(line).strip():
                    yield _mended(raw, file, number, options)
                continue
            yield _item(value, file, ("line", number), options)
    except Broken as broken:
        yield Unreadable(file.at("line", number + 1), broken.reason, broken.detail)


def _item(value: Any, file: File, position: tuple[str, int], options: CorpusOptions) -> Document | Unreadable:
    if not isinstance(value, dict):
        return Unreadable(file.at(*position), "not_an_object", f"a JSON {type(value).__name__}")
    try:
        text = take_text(value, options)
        if text is not None:
            return document(text, value, options)
        return Unreadable(file.at(*position), "no_text", no_text(value, options))
    except ValueError as error:
        return Unreadable(file.at(*position), "corrupt_line", printable(error))


def _mended(raw: bytes, file: File, number: int, options: CorpusOptions) -> Document | Unreadable:
    try:
        value = _mend(raw)
    except UnicodeDecodeError as error:
        detail = f"{error.reason} at byte {error.start + 1} of the line"
        return Unreadable(file.at("line", number), "invalid_utf8", detail)
    except _FAULTS as error:
        return Unreadable(file.at("line", number), "corrupt_line", printable(error))
    return _item(value, file, ("line", number), options)


def _mend(raw: bytes) -> Any:
    """The value of a line that is nearly JSON. Raises ValueError, or RecursionError if it is nested too deeply."""
    text = raw.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").decode()
    # The standard library reads what the faster parsers refuse: NaN, control characters, lone surrogates.
    return plain(json.loads(text, strict=False))


def _whole(file: File, head: bytes, limit: int) -> list[Any] | None:
    """The items of a file that is one JSON value; None if it is JSON lines."""
    is_array = head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")
    if len(head) > limit:
        if is_array:
            raise CorpusError(f"{file.shown}: a JSON array of more than {limit} bytes; write it as JSON lines")
        return None
    try:
        value = _mend(head)
    except _FAULTS:
        return None
    return value if isinstance(value, list) else [value]


def lines(data: Iterable[bytes], limit: int) -> Iterator[memoryview | bytes | int]:
    """The lines of a file without their line feeds; of a line longer than `limit` bytes only its length.

    Holds one block and one line of at most `limit` bytes. The lines are views of the block: nothing is copied but what
    goes over its end.
    """
    held: list[bytes] = []
    size = 0  # of the line that began in an earlier block
    for block in data:
        view = memoryview(block)
        start = 0
        while (stop := block.find(b"\n", start)) >= 0:
            length = size + stop - start
            if length > limit:
                yield length
            elif size:
                yield b"".join([*held, view[start:stop]])
            else:
                yield view[start:stop]
            held.clear()
            size = 0
            start = stop + 1
        size += len(block) - start
        if size > limit:
            held.clear()
        elif start < len(block):
            held.append(block[start:])
    if size:
        yield size if size > limit else b"".join(held)
