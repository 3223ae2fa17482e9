"""WARC archives: the text of WET conversion records, and the main content of HTML response records.

Records that hold no text (requests, metadata, redirects and errors, images) are passed over. Positions count all
records. Not covered: reading on behind a damaged part; the records before it are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from webscale_rl.corpus.readers import needs_extra
from webscale_rl.corpus.record import CorpusOptions, File, Unreadable, UnreadableReason, document, printable
from webscale_rl.corpus.stream import Broken, Stream, blocks
from webscale_rl.types import Document

if TYPE_CHECKING:
    from fastwarc.warc import WarcRecord

ENDINGS = (".warc", ".warc.gz", ".warc.zst", ".wet", ".wet.gz", ".wet.zst")
NEEDS = ("fastwarc",)
EXTRA = "warc"

_HTML = ("text/html", "application/xhtml+xml")


def read(file: File, stream: Stream, options: CorpusOptions) -> Iterator[Document | Unreadable]:
    """The documents of the archive, in its order."""
    from fastwarc.warc import ArchiveIterator

    source = _Source(stream)
    done = 0
    try:
        # Decompressed here, for fastwarc is faster at it but takes a cut archive for a whole one.
        archive = ArchiveIterator(cast(BinaryIO, source), parse_http=False, stream_detect=False)
        for record in archive:
            item = _item(record, file, done + 1, options)
            done += 1
            if item is not None:
                yield item
    except Broken as broken:
        yield Unreadable(file.at("record", done + 1), broken.reason, broken.detail)
    except OSError as error:
        stream.check()
        reason: UnreadableReason = "truncated" if source.ended else "corrupt_record"
        yield Unreadable(file.at("record", done + 1), reason, printable(error))


class _Source:
    """The decompressed archive, in the form in which fastwarc reads it."""

    def __init__(self, stream: Stream) -> None:
        self._blocks = blocks(stream)
        self._block = b""
        self._position = 0
        self._passed = 0
        self.ended = False
        self._broken: Broken | None = None

    def read(self, size: int) -> bytes:
        if self._position >= len(self._block):
            self._passed += len(self._block)
            self._block, self._position = self._next(), 0
            self.ended = not self._block
        data = self._block[self._position : self._position + size]
        self._position += len(data)
        return data

    def _next(self) -> bytes:
        if self._broken is not None:
            raise self._broken
        try:
            return next(self._blocks, b"")
        except Broken as broken:
            self._broken = broken  # a record's end of file must not hide it from the next read
            raise

    def tell(self) -> int:
        return self._passed + self._position


def _item(record: WarcRecord, file: File, number: int, options: CorpusOptions) -> Document | Unreadable | None:
    """What the record holds; None if that is no text. Raises Broken if the archive ends within it."""
    kind = record.headers.get("WARC-Type")
    if kind not in ("conversion", "response"):
        return None
    at, limit, length = file.at("record", number), options.max_document_bytes, record.content_length
    if length > limit:
        return Unreadable(at, "too_long", f"{length} bytes; max_document_bytes is {limit}")
    body = record.reader.read()
    if len(body) < length:
        raise Broken("truncated", f"the archive ends after {len(body)} of {length} bytes of a record")
    fields: dict[str, Any] = dict(record.headers.items())
    if url := fields.get("WARC-Target-URI"):
        fields["WARC-Target-URI"] = url.strip("<>")
    try:
        text = body.decode() if kind == "conversion" else _page(record, body, limit)
    except UnicodeDecodeError as error:
        return Unreadable(at, "invalid_utf8", f"{error.reason} at byte {error.start + 1} of the record")
    except _TooLong:
        return Unreadable(at, "too_long", f"more than max_document_bytes, {limit}, when unpacked")
    except OSError as error:
        return Unreadable(at, "corrupt_record", printable(error))
    return None if text is None else document(text, fields, options)


class _TooLong(Exception):
    pass


def _page(record: WarcRecord, body: bytes, limit: int) -> str | None:
    """The text of a page; None if it has none. Raises OSError for HTTP that cannot be unpacked, and _TooLong."""
    from fastwarc.warc import WarcRecord

    # On a record of its own, for one that fails to unpack would take the archive with it.
    head = b"".join(b"%s: %s\r\n" % field for field in record.headers.items_bytes())
    page = WarcRecord.from_bytes(b"WARC/1.0\r\n" + head + b"\r\n" + body)
    page.parse_http(auto_decode="all")
    kind = page.http_content_type or ""
    if page.http_headers is None or page.http_headers.status_code != 200 or kind not in (*_HTML, "text/plain"):
        return None
    content = page.reader.read(limit + 1)
    if len(content) > limit:
        raise _TooLong
    try:
        from resiliparse.extract.html2text import extract_plain_text  # type: ignore[import-not-found,unused-ignore]
        from resiliparse.parse.encoding import (  # type: ignore[import-not-found,unused-ignore]
            bytes_to_str,
            detect_encoding,
        )
    except ImportError:
        raise needs_extra("pages in WARC need resiliparse", EXTRA) from None
    text = bytes_to_str(content, page.http_charset or detect_encoding(content) or "utf-8", errors="replace")
    return str(extract_plain_text(text, main_content=True)) if kind in _HTML else str(text)
