"""A slice of the corpus that is committed as a whole: the unit of durability, retry and output.

    shards/00007.parquet    one row per record: its outcome, and the example if it was kept; written whole, then renamed

Its file's metadata holds the shard's books and what they rest on (`Commit`): a later run takes a shard as done only if
the same rules made it from the same input, and nothing in it failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from webscale_rl.dataset import arrow
from webscale_rl.dataset.rows import OUTCOME_COLUMNS, schema
from webscale_rl.engine.replies import ReplyStore, count_calls
from webscale_rl.files import replace_whole
from webscale_rl.tally import Tally

_METADATA = b"webscale_rl"
_ENCODER = msgspec.msgpack.Encoder()
_PACKER = zstandard.ZstdCompressor(level=1)


class Commit(msgspec.Struct, frozen=True):
    """What a finished shard says of itself. `round` counts how often its failures were tried again from scratch;
    `ended` says why it holds no more documents: "full", "input" (the corpus ended) or "limit N"."""

    rules: str
    input: str
    documents: int
    ended: str
    round: int
    failures: int
    tally: Tally


class Shard:
    """A shard that is being worked on. `documents` counts what was taken in, readable or not; of these,
    `open_documents` have not ended yet, and `postponed` will not in this run."""

    def __init__(self, folder: Path, index: int, rounds: int, paid: bool) -> None:
        self.index = index
        self.round = rounds
        self.documents = 0
        self.bytes = 0
        self.open_documents = 0
        self.postponed = 0
        self.ended: str | None = None
        self.replies: ReplyStore | None = ReplyStore(folder / "replies", index) if paid else None
        self.tally = Tally()
        self._rows: list[tuple[int, bytes]] = []
        self._path = shard_path(folder, index)

    @property
    def group(self) -> str:
        """Its name in requests, which a backend that makes batches goes by."""
        return f"{self.index:05d}"

    @property
    def suspended(self) -> bool:
        """Whether all its documents came in, and those that have not ended are postponed to the next run."""
        return self.ended is not None and 0 < self.open_documents == self.postponed

    @property
    def finished(self) -> bool:
        """Whether all its documents came in and ended."""
        return self.ended is not None and self.open_documents == 0

    def answers(self, key: bytes) -> int:
        """How many answers to a request it has paid for."""
        return 0 if self.replies is None else self.replies.count(key)

    def add(self, ordinal: int, rows: list[dict[str, Any]]) -> None:
        """Take the outcomes of one document in. They are held packed until the commit, in a fifth of the memory."""
        self._rows.append(
            (ordinal, _PACKER.compress(_ENCODER.encode([list(map(row.get, OUTCOME_COLUMNS)) for row in rows])))
        )
        for row in rows:
            self.tally.end(row["unit"], row.get("stage", ""), row["end"], row.get("reason", ""))

    def commit(self, rules: str, source: str) -> Commit:
        """Write the outcomes, then seal the replies. Runs in a thread; raises OSError if the disk is full."""
        if self.replies is not None:
            count_calls(self.tally, self.replies.all())
        commit = Commit(
            rules=rules,
            input=source,
            documents=self.documents,
            ended=self.ended or "",
            round=self.round,
            failures=sum(self.tally.failures().values()),
            tally=self.tally,
        )
        self._write(commit)
        if self.replies is not None:
            self.replies.seal()
        return commit

    def _write(self, commit: Commit) -> None:
        self._rows.sort(key=lambda entry: entry[0])
        unpacker, decoder = zstandard.ZstdDecompressor(), msgspec.msgpack.Decoder(list[list[Any]])
        rows = (row for _, packed in self._rows for row in decoder.decode(unpacker.decompress(packed)))
        metadata = {_METADATA: msgspec.json.encode(commit)}
        with replace_whole(self._path) as temporary:
            arrow.write(temporary, rows, schema(OUTCOME_COLUMNS).with_metadata(metadata))

    def close(self) -> None:
        """Let go of an unfinished shard; what was paid for stays in its journal."""
        if self.replies is not None:
            self.replies.close()


def shard_path(folder: Path, index: int) -> Path:
    """Where a finished shard lies."""
    return folder / "shards" / f"{index:05d}.parquet"


def read_commit(folder: Path, index: int) -> Commit | None:
    """What a finished shard says of itself; None if it is not finished or was written by an incompatible version."""
    import pyarrow.parquet as pq

    path = shard_path(folder, index)
    if not path.exists():
        return None
    metadata = pq.read_schema(path).metadata or {}
    try:
        return msgspec.json.decode(metadata.get(_METADATA, b""), type=Commit)
    except msgspec.DecodeError:
        return None


def finished_shards(folder: Path) -> Sequence[Path]:
    """The files of all finished shards, in order."""
    return sorted((folder / "shards").glob("[0-9]*.parquet"), key=lambda path: int(path.stem))
