"""What flows out of the readers, and how any record becomes a Document.

A record is what a line, a row or an archive entry holds: a dict with string keys. Its text, id, source and url become
fields of the Document; everything else is kept as plain JSON values in `metadata`.
"""

from __future__ import annotations

import math
import re
from typing import Any, Literal, get_args

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from webscale_rl.errors import CorpusError as CorpusError
from webscale_rl.types import Document, content_id

TEXT_FIELDS = ("text", "content", "raw_content", "contents", "document")
ID_FIELDS = ("id", "doc_id", "document_id", "_id", "WARC-Record-ID")
URL_FIELDS = ("url", "WARC-Target-URI")

UnreadableReason = Literal[
    "corrupt_line",  # a line that is no JSON
    "not_an_object",  # JSON, but not an object with fields
    "no_text",  # no text column, or no string in it
    "invalid_utf8",
    "too_long",  # longer than max_document_bytes
    "truncated",  # the file ends early: what came before was read
    "corrupt_archive",  # compressed data that does not decompress: what came before was read
    "corrupt_record",  # an archive record or a group of rows that cannot be decoded
]
UNREADABLE_REASONS: frozenset[str] = frozenset(get_args(UnreadableReason))

_SOURCE_FIELDS = ("source",)
_PLAIN = {str, bool, type(None)}
_SURROGATE = re.compile("[\ud800-\udfff]")
_DEEPEST = 100  # orjson refuses to write more than 254 levels


class CorpusOptions(BaseModel):
    """What the configuration can set about reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str | None = Field(
        None, description="name of a reader (jsonl, parquet, text, warc), or its dotted path; default: by file ending"
    )
    text_field: str | None = Field(
        None, description=f"the field that holds the text; default: the first there is of {', '.join(TEXT_FIELDS)}"
    )
    id_field: str | None = Field(
        None,
        description=f"the field that holds the id; default: the first there is of {', '.join(ID_FIELDS)}, "
        "else a digest of the text",
    )
    max_document_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, description="a longer line, row, record or file is passed over and reported"
    )


class File(msgspec.Struct, frozen=True):
    """One file of the corpus. `name` is its path within the input that named it: the id of a plain text.

    `url` opens it and may hold a password; only `shown` goes into messages.
    """

    url: str
    size: int | None
    reader: str
    name: str

    @property
    def shown(self) -> str:
        """The URL without user, password and query: fit for a report."""
        return shown(self.url)

    def at(self, unit: str, number: int) -> str:
        """A position in the file: "path:line 17"."""
        return f"{self.shown}:{unit} {number}"


class Unreadable(msgspec.Struct, frozen=True):
    """A piece of the corpus that could not be read.

    It is at "path:line 17", "path:byte 123", "path:row 5" or "path:record 3"; lines, rows and records count from 1.
    """

    location: str
    reason: UnreadableReason
    detail: str = ""


def shown(url: str) -> str:
    """A path or URL without user, password and query, as text that a file can hold."""
    protocol, separator, rest = writable(url).rpartition("://")
    if not separator:
        return rest
    host, slash, path = rest.partition("/")
    if protocol.startswith("http"):
        path = path.partition("?")[0]
    return f"{protocol}://{host.rpartition('@')[2]}{slash}{path}"


def writable(name: str) -> str:
    """The name of a file, its bytes that are no UTF-8 written out: Python holds them as halves of characters."""
    return name.encode("utf-8", "backslashreplace").decode()


def text_fields(options: CorpusOptions) -> tuple[str, ...]:
    """Where to look for the text, the first that is there counts."""
    return (options.text_field,) if options.text_field else TEXT_FIELDS


def take_text(record: dict[str, Any], options: CorpusOptions) -> str | None:
    """Takes the text out of the record. None if there is no string where it should be."""
    for name in text_fields(options):
        text = record.get(name)
        if isinstance(text, str):
            del record[name]
            return text
    return None


def no_text(record: dict[str, Any] | list[str], options: CorpusOptions) -> str:
    """The detail of a "no_text": what was looked for, and what is there."""
    wanted = ", ".join(text_fields(options))
    return f"no text in {wanted}; the fields are: {printable(', '.join(sorted(record))) or 'none'}"


def printable(message: object) -> str:
    """At most 500 characters on one line, fit for a terminal whatever of the data is quoted in it."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(str(message).split())[:500])


def document(text: str, record: dict[str, Any], options: CorpusOptions, default_id: str | None = None) -> Document:
    """The Document of a text and the record it came in. Takes the record over; its strings must be free of surrogates.

    Null bytes are taken out of the text, which is cleaning and not reported. Raises ValueError for a record nested too
    deeply to be written as JSON.
    """
    if text.find("\0") >= 0:  # faster than `in` for wide strings
        text = text.replace("\0", "")
    identity = _take_id(record, (options.id_field,) if options.id_field else ID_FIELDS)
    source = _take_string(record, _SOURCE_FIELDS)
    url = _take_string(record, URL_FIELDS)
    for name, value in record.items():
        if type(value) not in _PLAIN:
            record[name] = plain(value)
    return Document(identity or default_id or content_id(text), text, source, url or _inner_url(record), record)


def _take_string(record: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and (value := value.strip("\0 \t\r\n")):
            del record[name]
            return value
    return None


def _take_id(record: dict[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = record.get(name)
        if value is None or isinstance(value, (bool, list, dict)):
            continue
        identity = value if type(value) is str else str(plain(value))
        if identity := identity.strip("\0 \t\r\n"):
            del record[name]
            return identity
    return None


def _inner_url(metadata: dict[str, Any]) -> str | None:
    for name in ("metadata", "meta"):
        inner = metadata.get(name)
        if isinstance(inner, dict) and isinstance(url := inner.get("url"), str) and url:
            return url
    return None


def plain(value: Any, depth: int = 0) -> Any:
    """The value as what JSON can say, so that any JSON library can write it.

    NaN and infinity become None; integers beyond 64 bits, bytes, dates, decimals become strings; a lone surrogate
    becomes U+FFFD. Raises ValueError for more than 100 levels.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= _DEEPEST:
        raise ValueError(f"nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        return {plain(str(key)): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(inner, depth + 1) for inner in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
