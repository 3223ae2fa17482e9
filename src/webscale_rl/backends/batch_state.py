"""What is known of our batches, kept durably in the run directory: one small file per batch.

    batches/00007-filter-000.json            which answers the batch was asked for, and its ids, one after the other
    batches/00007-filter-000.output.jsonl    its results, fetched

The requests themselves are not kept: an unfinished document asks again, with the same words. What was submitted is
known by custom_id, so a restart finds the batch in which a request waits already.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from webscale_rl.files import write_text

ASKED = "asked"
"""The status of a file that was written, for someone to answer."""
OUTPUT, ERRORS = ".output.jsonl", ".errors.jsonl"


class Record(msgspec.Struct, frozen=True):
    """One batch. `tag` tells it from all others on the server; `written` is when the intent was, in Unix seconds.

    `status` is set when the batch has ended: the server's word, or ASKED.
    """

    name: str
    group: str
    stage: str
    model: str
    ids: list[str]
    tag: str
    written: float
    file_id: str = ""
    batch_id: str = ""
    status: str = ""


class Ledger:
    """The batches of a run. Raises OSError if the disk does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._records: dict[str, Record] = {}
        self._holding: dict[str, list[str]] = {}
        self._claimed: set[tuple[str, str]] = set()
        self._settled: dict[str, set[str]] = {}
        self._loaded: set[str] = set()
        self._given: dict[str, int] = {}

    def groups(self) -> list[str]:
        """All groups of which there are batches on the disk."""
        return sorted({path.name.partition("-")[0] for path in self.folder.glob("*.json")})

    def load(self, group: str) -> None:
        """Read the batches of a group, unless they are known already. What a crash left half written is no batch."""
        if group in self._loaded:
            return
        self._loaded.add(group)
        for path in sorted(self.folder.glob(f"{group}-*.json")):
            self._index(msgspec.json.decode(path.read_bytes(), type=Record))

    def written(self, record: Record) -> Record:
        """The batch as it was written last."""
        return self._records.get(record.name, record)

    def all(self) -> Sequence[Record]:
        """The batches that were loaded."""
        return list(self._records.values())

    def of(self, group: str) -> Iterator[Record]:
        """Those of one group."""
        return (record for record in self.all() if record.group == group)

    def name(self, group: str, stage: str, is_taken: Callable[[str], bool] | None = None) -> str:
        """A name for a new batch, which was given to no other of the group, and which is not taken elsewhere."""
        self.load(group)
        base = f"{group or 'batch'}-{re.sub(r'[^A-Za-z0-9_]', '_', stage)}"
        taken = [int(record.name.rpartition("-")[2]) for record in self.all() if record.name.startswith(f"{base}-")]
        number = max([*taken, self._given.get(base, -1)]) + 1
        while is_taken is not None and is_taken(f"{base}-{number:03d}"):
            number += 1
        self._given[base] = number
        return f"{base}-{number:03d}"

    def write(self, record: Record) -> Record:
        """Write a batch down, new or with what was learned of it. When this returns it outlives the machine."""
        write_text(self.folder / f"{record.name}.json", msgspec.json.encode(record).decode())
        if record.name in self._records:
            self._records[record.name] = record
        else:
            self._index(record)
        return record

    def remove(self, record: Record) -> None:
        """Forget a batch, with its fetched results."""
        for ending in (OUTPUT, ERRORS, ".json"):
            (self.folder / f"{record.name}{ending}").unlink(missing_ok=True)
        self._drop(record)

    def release(self, group: str) -> None:
        """Let the batches of a group go from memory."""
        for record in list(self.of(group)):
            self._drop(record)
        self._loaded.discard(group)

    def claim(self, group: str, name: str) -> Record | None:
        """The last batch in which this answer was asked for, unless someone waits for it there already.

        One of the same group first; if documents moved between shards, it can be in another's.
        """
        self.load(group)
        holding = [self._records[held] for held in self._holding.get(name, ())]
        own = [record for record in holding if record.group == group]
        for record in [*own[-1:], *reversed([record for record in holding if record.group != group])]:
            if (record.name, name) not in self._claimed:
                self._claimed.add((record.name, name))
                return record
        return None

    def times(self, group: str, name: str) -> int:
        """In how many batches of the group this answer was asked for."""
        return sum(self._records[held].group == group for held in self._holding.get(name, ()))

    def settle(self, record: Record, name: str) -> None:
        """The batch has nothing more to give to this request."""
        self._settled.setdefault(record.name, set()).add(name)

    def is_done(self, record: Record, answers: Callable[[bytes], int]) -> bool:
        """Whether it has nothing more to give to anyone. `answers` says how many answers to a key are stored."""
        settled = self._settled.get(record.name, set())
        return all(name in settled or _is_stored(name, answers) for name in record.ids)

    def _index(self, record: Record) -> None:
        self._records[record.name] = record
        for name in record.ids:
            held = self._holding.setdefault(name, [])
            held.append(record.name)
            held.sort(key=lambda other: (self._records[other].written, other))

    def _drop(self, record: Record) -> None:
        self._records.pop(record.name, None)
        self._settled.pop(record.name, None)
        for name in record.ids:
            held = self._holding.get(name, [])
            if record.name in held:
                held.remove(record.name)
            if not held:
                self._holding.pop(name, None)
            self._claimed.discard((record.name, name))


def _is_stored(name: str, answers: Callable[[bytes], int]) -> bool:
    key, _, attempt = name.partition("-")
    return answers(bytes.fromhex(key)) > int(attempt)


def now() -> float:
    """Unix seconds: batches are compared with the server's own times."""
    return time.time()
