"""A benchmark as hashes: what is kept of its items to find them again, as arrays and as a file.

    items.whole    u64   the letters of the question, added up (`words.Words.spelt`)
    items.answer   u64   the same of the answer, 0 if there is none or a long one
    items.letters  u32   how many letters the question has
    items.words    u32   how many words
    pairs          u32   the question's pairs of neighbouring words, in their order (`grams.Pairs`)

The hashes hide nothing from someone who has the benchmark and can test its words; they keep its text out of what is
installed, copied and crawled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from webscale_rl.errors import UserError
from webscale_rl.sieves.grams import Grams, Pairs, pairs_of
from webscale_rl.sieves.words import Numbers, read

ITEM = np.dtype([("whole", "<u8"), ("answer", "<u8"), ("letters", "<u4"), ("words", "<u4")])
_MAGIC = b"webscale-rl benchmark 1\n"
_ITEMS_AT_ONCE = 2_000
LONGEST_ANSWER = 40
"""In letters. A sentence or a program that answers a question is never the same twice."""


class Benchmark(NamedTuple):
    """The items of one benchmark, without their text."""

    name: str
    items: Any
    pairs: Pairs

    @classmethod
    def of(cls, name: str, items: Iterable[tuple[str, str]]) -> Benchmark:
        """The benchmark of these questions and answers; "" if there is no answer. Equal items are kept once."""
        rows, pairs, left = [], [], iter(items)
        while batch := list(islice(left, _ITEMS_AT_ONCE)):
            found, grams = _hashed([question for question, _ in batch])
            found["answer"] = answers([answer for _, answer in batch])
            rows.append(found)
            pairs.append(grams.pairs)
        if not rows:
            return cls(name, np.empty(0, ITEM), np.empty(0, np.uint32))
        return cls(name, np.concatenate(rows), np.concatenate(pairs))._each_once()

    @classmethod
    def load(cls, path: Path) -> Benchmark:
        """What `save` wrote. Raises UserError if the file is not that."""
        data = path.read_bytes()
        count = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 8], "little")
        begin = len(_MAGIC) + 8
        if not data.startswith(_MAGIC) or len(data) < begin + count * ITEM.itemsize:
            raise UserError(f"{path}: no index of a benchmark")
        items = np.frombuffer(data, ITEM, count, begin)
        pairs = np.frombuffer(data, np.uint32, -1, begin + count * ITEM.itemsize)
        if len(pairs) != int(np.maximum(items["words"].astype(np.int64) - 1, 0).sum()):
            raise UserError(f"{path}: an index of a benchmark that is cut off")
        return cls(path.stem, items, pairs)

    def save(self, path: Path) -> None:
        """Write the benchmark: the same items are the same bytes on every machine."""
        path.write_bytes(
            _MAGIC + len(self.items).to_bytes(8, "little") + self.items.tobytes() + self.pairs.astype("<u4").tobytes()
        )

    @property
    def grams(self) -> Grams:
        """The pairs with their ends."""
        return Grams(self.pairs, np.cumsum(np.maximum(self.items["words"].astype(np.int64) - 1, 0)))

    def _each_once(self) -> Benchmark:
        keys = np.stack([self.items["whole"], self.items["answer"]], axis=1)
        _, first = np.unique(keys, axis=0, return_index=True)
        kept = np.zeros(len(self.items), bool)
        kept[first] = True
        sizes = np.maximum(self.items["words"].astype(np.int64) - 1, 0)
        return Benchmark(self.name, self.items[kept], self.pairs[np.repeat(kept, sizes)])


def answers(texts: Sequence[str]) -> Numbers:
    """What is kept of answers: the sum of their letters, 0 if there are none, or too many to be the same by design."""
    sums, letters = read(texts).whole()
    return np.where(letters <= LONGEST_ANSWER, sums, np.uint64(0))


def _hashed(texts: Sequence[str]) -> tuple[Any, Grams]:
    words = read(texts)
    grams = pairs_of(words)
    rows = np.zeros(len(texts), ITEM)
    rows["whole"], rows["letters"] = words.whole()
    rows["words"] = words.ends - words.starts()
    return rows, grams
