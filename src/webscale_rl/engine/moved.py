"""Replies of documents that moved to another shard, because files came to the corpus or left it, and those of a pilot.

Replies lie with their shard. When the input has changed since, a document may stand in another one, and what was paid
for it must be found there. The index is two flat files of a scratch folder, sorted and mapped: 24 bytes of disk and no
memory per reply.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from webscale_rl.engine.replies import Stored, read_journal, read_keys, read_sealed

_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("shard", "<i8")])
SHARDS_IN_MEMORY = 4


class MovedReplies:
    """Finds the replies to a request in whichever shard they lie."""

    def __init__(self, replies: Path, scratch: Path) -> None:
        self._replies = replies
        path = scratch / f"{sum(1 for _ in scratch.iterdir())}.index"
        self._index: np.ndarray[tuple[int], np.dtype[np.void]] = _build(replies, path)
        self._loaded: OrderedDict[int, dict[bytes, list[Stored]]] = OrderedDict()

    def find(self, key: bytes, besides: int | None = None) -> list[Stored]:
        """All replies under a key in another shard than `besides`; of several such shards, the first's."""
        high, low = _halves(key)
        at = int(np.searchsorted(self._index["high"], np.uint64(high)))
        while at < len(self._index) and self._index["high"][at] == high:
            entry = self._index[at]
            if entry["low"] == low and entry["shard"] != besides:
                return self._shard(int(entry["shard"])).get(key, [])
            at += 1
        return []

    def _shard(self, number: int) -> dict[bytes, list[Stored]]:
        if number in self._loaded:
            self._loaded.move_to_end(number)
        else:
            self._loaded[number] = _by_key(
                [
                    *read_sealed(self._replies / f"{number:05d}.parquet"),
                    *read_journal(self._replies / f"{number:05d}.journal"),
                ]
            )
            if len(self._loaded) > SHARDS_IN_MEMORY:
                self._loaded.popitem(last=False)
        return self._loaded[number]


def _build(replies: Path, path: Path) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    with path.open("wb") as file:
        for number in sorted({int(found.stem) for found in replies.iterdir() if found.stem.isdigit()}):
            keys = set(read_keys(replies, number))
            entries = np.array([(*_halves(key), number) for key in keys], _ENTRY)
            file.write(entries.tobytes())
    if path.stat().st_size == 0:
        return np.empty(0, _ENTRY)
    index = np.memmap(path, _ENTRY, mode="r+")
    index.sort(order=("high", "low", "shard"))
    return index


def _by_key(replies: Iterable[Stored]) -> dict[bytes, list[Stored]]:
    found: dict[bytes, list[Stored]] = {}
    for stored in replies:
        found.setdefault(stored.key, []).append(stored)
    return found


def _halves(key: bytes) -> tuple[int, int]:
    return int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
