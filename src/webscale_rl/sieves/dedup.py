"""Exact deduplication of questions over the whole run.

Of examples that ask the same in the same words (but for case and white space), the first of the corpus stays. If their
answers differ, none stays: a question with two ground truths teaches the wrong one half of the time.

Not covered: near duplicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from webscale_rl.normalise import wording
from webscale_rl.sieve import Examples, Rejected, SieveOptions

_ROW = np.dtype([("high", "u8"), ("low", "u8"), ("answer", "u8"), ("row", "i8"), ("id", "S32")])
_BUCKETS = 64
"""Rows are spread over so many files by their question's digest; one of them at a time is sorted in memory."""
_HELD = 1 << 16
"""Rows that are held before they are spread."""


class Dedup:
    """Finds equal questions by 128-bit digests, sorted on disk: 64 bytes of file and no memory per example."""

    name: ClassVar[str] = "dedup"
    reasons: ClassVar[frozenset[str]] = frozenset({"duplicate_question", "conflicting_answers"})
    Options: ClassVar[type[SieveOptions]] = SieveOptions

    def __init__(self, options: SieveOptions) -> None:
        self.options = options

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """The later copies, and all examples of questions that have several answers."""
        found = [_judge(table) for table in _spread(examples, scratch) if len(table)]
        rejected = np.concatenate([np.empty(0, _VERDICT), *found])
        for verdict in rejected[np.argsort(rejected["row"], kind="stable")]:
            if verdict["conflict"]:
                yield Rejected(int(verdict["row"]), "conflicting_answers", "the same question has other answers too")
            else:
                yield Rejected(
                    int(verdict["row"]), "duplicate_question", f"same question as {verdict['first'].decode()}"
                )


_VERDICT = np.dtype([("row", "i8"), ("conflict", "?"), ("first", "S32")])


def _spread(examples: Examples, scratch: Path) -> Iterator[Any]:
    """Tables such that equal questions stand in the same one; few examples are one table and no file."""
    held: list[tuple[int, int, int, int, bytes]] = []
    spilled = False
    for rows, batch in examples.batches(("question", "answer", "id")):
        columns = (batch.column(name).to_pylist() for name in ("question", "answer", "id"))
        for row, question, answer, example_id in zip(rows, *columns, strict=True):
            held.append((*_digest(question), _digest(answer)[0], row, example_id.encode()))
        if len(held) >= _HELD:
            _spill(np.array(held, _ROW), scratch)
            held, spilled = [], True
    if not spilled:
        yield np.array(held, _ROW)
        return
    _spill(np.array(held, _ROW), scratch)
    for path in sorted(scratch.glob("bucket-*")):
        yield np.fromfile(path, _ROW)


def _spill(table: Any, scratch: Path) -> None:
    buckets = table["high"] % _BUCKETS
    for bucket in np.unique(buckets):
        with (scratch / f"bucket-{bucket:02d}").open("ab") as file:
            file.write(table[buckets == bucket].tobytes())


def _digest(text: str) -> tuple[int, int]:
    digest = hashlib.blake2b(wording(text).encode("utf-8", "replace"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def _judge(table: Any) -> Any:
    table = table[np.lexsort((table["row"], table["low"], table["high"]))]
    same = (table["high"][1:] == table["high"][:-1]) & (table["low"][1:] == table["low"][:-1])
    new_group = np.r_[True, ~same]
    group = np.cumsum(new_group) - 1
    first = np.flatnonzero(new_group)[group]
    differs = table["answer"] != table["answer"][first]
    conflict = np.zeros(group[-1] + 1, bool)
    np.logical_or.at(conflict, group, differs)
    out = conflict[group] | ~new_group
    verdicts = np.empty(int(out.sum()), _VERDICT)
    verdicts["row"], verdicts["conflict"] = table["row"][out], conflict[group][out]
    verdicts["first"] = table["id"][first][out]
    return verdicts
