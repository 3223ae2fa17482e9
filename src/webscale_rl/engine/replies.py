"""Remembers every reply that was paid for: a journal while a shard runs, Parquet when it is done.

    replies/00007.journal     appended before an answer is acted upon; fsync every 50 ms for all open shards together
    replies/00007.parquet     the same replies, sealed

A journal record is its length and CRC-32 (little endian, 4 bytes each), then MessagePack. What a crash tore off at the
end is cut at the next start. Replies are keyed by the content of their request; several under one key are attempts.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from webscale_rl.backend import Reply, Usage
from webscale_rl.dataset import arrow
from webscale_rl.files import replace_whole
from webscale_rl.tally import Calls, Tally, add_counts

_HEAD = struct.Struct("<II")
_LARGEST = 256 << 20


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """One reply in the books. `finish` "context_length" marks a request that the model could not take: it cost nothing
    and would be refused again. `moved` marks a copy of a reply that stands in another shard's books already. `usd` is
    what it cost when it was bought; None if no price was known."""

    key: bytes
    stage: str
    reply: Reply
    latency_s: float = 0.0
    moved: bool = False
    endpoint: str = ""
    usd: float | None = None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Stored)


class ReplyStore:
    """The replies of one shard. In memory is only where each stands in the journal, but for those of a shard that was
    sealed before. Raises OSError when the disk does (ENOSPC: it is full)."""

    def __init__(self, folder: Path, shard: int) -> None:
        self._journal = folder / f"{shard:05d}.journal"
        self._sealed = folder / f"{shard:05d}.parquet"
        self._known: dict[bytes, list[Stored | int]] = {}
        self._older = list(read_sealed(self._sealed))
        self._file: int | None = None
        self._end = 0
        self._dirty = False
        self._open_or_not = Lock()
        for stored in self._older:
            self._known.setdefault(stored.key, []).append(stored)
        if self._journal.is_file():
            self._open()

    def get(self, key: bytes) -> list[Stored]:
        """All replies to one request, the first attempt first."""
        found = self._known.get(key, ())
        return [self._at(entry) if isinstance(entry, int) else entry for entry in found]

    def count(self, key: bytes) -> int:
        """How many replies to one request there are."""
        return len(self._known.get(key, ()))

    def append(self, stored: Stored) -> None:
        """Write one reply down. When this returns, it outlives the process; after the next sync, the machine."""
        payload = _ENCODER.encode(stored)
        record = _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
        file = self._open() if self._file is None else self._file
        written = 0
        try:
            while written < len(record):  # a nearly full disk takes a part first, and says so on the next write
                written += os.write(file, record[written:] if written else record)
        except OSError:
            if written:
                os.ftruncate(file, self._end)  # half a record would hide all that come after it
            raise
        self._dirty = True
        self._known.setdefault(stored.key, []).append(self._end)
        self._end += len(record)

    def sync(self) -> None:
        """Force what was appended onto the disk. May run in any thread."""
        with self._open_or_not:
            if self._dirty and self._file is not None:
                self._dirty = False
                os.fsync(self._file)

    def all(self) -> Iterator[Stored]:
        """Every reply, in the order of their coming."""
        yield from self._older
        yield from read_journal(self._journal)

    def seal(self) -> None:
        """Turn journal and older Parquet into one Parquet file, whole or not at all."""
        self.close()
        if not self._journal.exists():
            return
        if self._known:
            _write_sealed(self._sealed, self.all())
        self._journal.unlink()

    def close(self) -> None:
        """Close the journal; what it holds is kept."""
        self.sync()
        with self._open_or_not:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _open(self) -> int:
        """Open the journal, and cut what a crash tore, or what is appended now would stand behind it."""
        if self._journal.is_file():
            for payload in _records(self._journal):
                self._known.setdefault(_DECODER.decode(payload).key, []).append(self._end)
                self._end += _HEAD.size + len(payload)
            os.truncate(self._journal, self._end)
        self._file = os.open(self._journal, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        return self._file

    def _at(self, place: int) -> Stored:
        assert self._file is not None  # a shard that is open for questions
        size, _ = _HEAD.unpack(os.pread(self._file, _HEAD.size, place))
        return _DECODER.decode(os.pread(self._file, size, place + _HEAD.size))


def count_calls(tally: Tally, replies: Iterable[Stored]) -> None:
    """Put the replies that were paid for into the books: no copies, and none that was refused."""
    for stored in replies:
        if stored.reply.finish != "context_length" and not stored.moved:
            bought = tally.calls.setdefault(stored.stage, Calls())
            bought.bought(stored.reply.usage, stored.latency_s, stored.usd)
            add_counts(tally.endpoints, {stored.endpoint: 1} if stored.endpoint else {})


def read_journal(path: Path) -> Iterator[Stored]:
    """The whole records of a journal, up to the first torn or damaged one."""
    for payload in _records(path):
        yield _DECODER.decode(payload)


def _records(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            size, checksum = _HEAD.unpack(head)
            payload = file.read(size) if size <= _LARGEST else b""
            if len(payload) < size or zlib.crc32(payload) != checksum:
                return
            yield payload


def _write_sealed(path: Path, replies: Iterable[Stored]) -> None:
    import pyarrow as pa

    tokens = [(name, pa.int64()) for name in Usage.__struct_fields__]
    schema = pa.schema(
        [
            ("key", pa.binary(16)),
            ("stage", pa.string()),
            ("model", pa.string()),
            ("text", pa.string()),
            ("finish", pa.string()),
            ("refusal", pa.string()),
            *tokens,
            ("latency_s", pa.float64()),
            ("moved", pa.bool_()),
            ("endpoint", pa.string()),
            ("usd", pa.float64()),
        ]
    )
    with replace_whole(path) as temporary:
        arrow.write(temporary, map(_row, replies), schema)


def stored_replies(folder: Path) -> Iterator[Stored]:
    """All replies of all shards that lie in a folder, shard by shard; none if there is no such folder."""
    for number in sorted({int(path.stem) for path in folder.glob("[0-9]*.*")}):
        yield from read_sealed(folder / f"{number:05d}.parquet")
        yield from read_journal(folder / f"{number:05d}.journal")


def _row(stored: Stored) -> tuple[Any, ...]:
    reply = stored.reply
    said = reply.model, reply.text, reply.finish, reply.refusal
    marks = stored.latency_s, stored.moved, stored.endpoint, stored.usd
    return (stored.key, stored.stage, *said, *msgspec.structs.astuple(reply.usage), *marks)


def read_keys(folder: Path, shard: int) -> Iterator[bytes]:
    """The keys of all replies of a shard, without their texts."""
    sealed = folder / f"{shard:05d}.parquet"
    if sealed.exists():
        yield from arrow.read(sealed, ["key"]).column("key").to_pylist()
    for stored in read_journal(folder / f"{shard:05d}.journal"):
        yield stored.key


def read_spent(folder: Path) -> Iterator[tuple[str, Usage, float | None]]:
    """Stage, tokens and price of every call that a run has paid for, without the texts; no price if none was known."""
    columns = ["stage", "finish", "moved", "usd", *Usage.__struct_fields__]
    for path in sorted(folder.glob("*.parquet")):
        for row in arrow.read(path, columns).to_pylist():
            if not row["moved"] and row["finish"] != "context_length":
                yield row["stage"], Usage(**{name: row[name] for name in Usage.__struct_fields__}), row["usd"]
    for path in sorted(folder.glob("*.journal")):
        for stored in read_journal(path):
            if not stored.moved and stored.reply.finish != "context_length":
                yield stored.stage, stored.reply.usage, stored.usd


def read_sealed(path: Path) -> Iterator[Stored]:
    """The replies of a sealed shard; none if there is no such file."""
    if not path.exists():
        return
    for row in arrow.read(path).to_pylist():
        usage = Usage(**{name: row[name] for name in Usage.__struct_fields__})
        reply = Reply(row["text"], row["finish"], row["refusal"], row["model"], usage)
        marks = row["latency_s"], row["moved"], row.get("endpoint", ""), row.get("usd")
        yield Stored(row["key"], row["stage"], reply, *marks)
