"""Plain text and markup: one file, one document. Its id is the name of the file within the input.

Front matter of Markdown (YAML between `---` lines at the top) is no text: it becomes metadata.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import yaml

from webscale_rl.corpus.readers import with_compression
from webscale_rl.corpus.record import CorpusOptions, File, Unreadable, document, plain
from webscale_rl.corpus.stream import Broken, Stream, read_whole
from webscale_rl.types import Document

ENDINGS = with_compression(".txt", ".text", ".md", ".markdown", ".rst")
NEEDS = ()
EXTRA = ""

_MARKDOWN = with_compression(".md", ".markdown")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.{0,16384}?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def read(file: File, stream: Stream, options: CorpusOptions) -> Iterator[Document | Unreadable]:
    """The one document of the file."""
    limit = options.max_document_bytes
    try:
        data, _ = read_whole(stream, limit)
    except Broken as broken:
        yield Unreadable(file.at("byte", 0), broken.reason, broken.detail)
        return
    if len(data) > limit:
        yield Unreadable(file.at("byte", limit), "too_long", f"longer than max_document_bytes, {limit}")
        return
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        yield Unreadable(file.at("byte", error.start), "invalid_utf8", error.reason)
        return
    text = text.replace("\r\n", "\n")
    record: dict[str, Any] = {}
    if file.shown.lower().endswith(_MARKDOWN) and (matter := _FRONT_MATTER.match(text)):
        found = _front_matter(matter[1])
        if found is not None:
            text, record = text[matter.end() :].lstrip("\n"), found
    yield document(text, record, options, default_id=file.name)


def _front_matter(text: str) -> dict[str, Any] | None:
    """The fields of a front matter; None if it is none, for a text may begin with a rule."""
    try:
        # Aliases can make a few lines into gigabytes.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            return {}
        found = yaml.safe_load(text)
        return plain(found) if isinstance(found, dict) else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
