"""What the tests of the corpus share: read everything there is, and make the bytes of small files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import zstandard

from webscale_rl.corpus import UNREADABLE_REASONS, CorpusOptions, Unreadable, files, read
from webscale_rl.types import Document


def read_all(inputs: str | Path | Sequence[str | Path], **options: Any) -> tuple[list[Document], list[Unreadable]]:
    """Documents and faults of the inputs, each in their order."""
    given = [inputs] if isinstance(inputs, (str, Path)) else inputs
    parsed = CorpusOptions(**options)
    items = list(read(files([str(item) for item in given], parsed), parsed))
    faults = [item for item in items if isinstance(item, Unreadable)]
    assert {fault.reason for fault in faults} <= UNREADABLE_REASONS
    return [item for item in items if isinstance(item, Document)], faults


def written(path: Path, data: bytes) -> Path:
    """The path, with the data in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def jsonl(records: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zst}
