"""WARC archives: the text of WET conversion records, and the main content of HTML response records.

Records that hold no text (requests, metadata, redirects and errors, images) are passed over. Positions count all
records. Not covered: reading on behind a damaged part; the records before it are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from webscale_rl.corpus.readers import needs_extra
from webscale_rl.corpus.record import CorpusOptions, File, Unreadable, UnreadableReason, document
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
    number = 0
    try:
        # Decompressed here, for fastwarc is faster at it but takes a cut archive for a whole one.
        archive = ArchiveIterator(cast(BinaryIO, source), parse_http=False, stream_detect=False)
        for number, record in enumerate(archive, 1):
            item = _item(record, file, number, options)
            if item is not None:
                yield item
    except Broken as broken:
        yield Unreadable(file.at("record", number + 1), broken.reason, broken.detail)
    except OSError as error:
        stream.check()
        reason: UnreadableReason = "truncated" if source.ended else "corrupt_record"
        yield Unreadable(file.at("record", number + 1), reason, str(error)[:200])


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
    kind = record.headers.get("WARC-Type")
    if kind not in ("conversion", "response"):
        return None
    limit = options.max_document_bytes
    if record.content_length > limit:
        detail = f"{record.content_length} bytes; max_document_bytes is {limit}"
        return Unreadable(file.at("record", number), "too_long", detail)
    fields: dict[str, Any] = dict(record.headers.items())
    if url := fields.get("WARC-Target-URI"):
        fields["WARC-Target-URI"] = url.strip("<>")
    if kind == "conversion":
        try:
            text = record.reader.read().decode()
        except UnicodeDecodeError as error:
            detail = f"{error.reason} at byte {error.start + 1} of the record"
            return Unreadable(file.at("record", number), "invalid_utf8", detail)
        return document(text, fields, options)
    try:
        page = _page(record, limit)
    except OSError as error:
        return Unreadable(file.at("record", number), "corrupt_record", str(error)[:200])
    if isinstance(page, int):
        detail = f"more than {limit} bytes unpacked; max_document_bytes is {limit}"
        return Unreadable(file.at("record", number), "too_long", detail)
    return None if page is None else document(page, fields, options)


def _page(record: WarcRecord, limit: int) -> str | int | None:
    """The text of a page; None if it is no text; its length if it is too long once unpacked."""
    record.parse_http(auto_decode="all")
    content_type = record.http_content_type or ""
    if record.http_headers is None or record.http_headers.status_code != 200:
        return None
    if content_type not in _HTML and content_type != "text/plain":
        return None
    body = record.reader.read(limit + 1)
    if len(body) > limit:
        return len(body)
    try:
        from resiliparse.extract.html2text import extract_plain_text  # type: ignore[import-not-found,unused-ignore]
        from resiliparse.parse.encoding import bytes_to_str, detect_encoding  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise needs_extra("HTML in WARC needs resiliparse", EXTRA) from None
    text = bytes_to_str(body, record.http_charset or detect_encoding(body), errors="replace")
    return str(extract_plain_text(text, main_content=True)) if content_type in _HTML else str(text)
