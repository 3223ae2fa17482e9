"""From comparisons to scores: each block is scored by itself, in one pass over the finished shards.

A block's players are its documents and the anchors (`schedule.py`). Its scale is shifted so that the anchors' mean is
0: they are the same documents in all blocks, and each of them was compared with many of the block's, so the scores of
all blocks are on one scale. In memory is one block; the scores of the corpus lie in a file, 48 bytes a document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webscale_rl.refine.bradley_terry import strengths
from webscale_rl.refine.qurating import CRITERIA
from webscale_rl.tally import END_KEPT

SCORED = np.dtype([("ordinal", "<i8"), ("tokens", "<i8"), ("scores", "<f8", len(CRITERIA))])
ROWS = 1 << 14
DIGITS = 6
"""Scores are rounded: the last digits of a logarithm differ between machines, and the order of equals must not."""
Outcomes = tuple[int, Sequence[Mapping[str, Any]]]
"""A document's ordinal and the rows of its outcomes."""


class Scores:
    """The scores of all documents that are kept so far, in a file, in the corpus's order; read a few at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.count = 0
        self.tokens = 0
        self._sum = np.zeros(len(CRITERIA))
        self._squares = np.zeros(len(CRITERIA))

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        """All entries."""
        with self._path.open("rb") as file:
            while len(chunk := np.fromfile(file, SCORED, ROWS)):
                yield chunk

    def rate(self, documents: Iterable[Outcomes], block: int, anchors: Sequence[int]) -> None:
        """Score all documents, block by block."""
        with self._path.open("wb") as file:
            for group in _blocks(documents, block):
                entries = _rated(group, anchors)
                self._count(entries)
                file.write(entries.tobytes())

    def standardised(self, chunk: npt.NDArray[Any], criteria: Sequence[str]) -> npt.NDArray[np.float64]:
        """Each entry's mean score by these criteria, each criterion with mean 0 and variance 1 in the corpus."""
        mean = self._sum / max(1, self.count)
        spread = np.sqrt(np.maximum(self._squares / max(1, self.count) - mean**2, 0))
        wanted = [CRITERIA.index(criterion) for criterion in criteria]
        safe = np.where(spread > 10**-DIGITS, spread, np.inf)  # a criterion on which all are equal decides nothing
        found: npt.NDArray[np.float64] = np.round(((chunk["scores"] - mean) / safe)[:, wanted].mean(axis=1), DIGITS)
        return found

    def _count(self, entries: npt.NDArray[Any]) -> None:
        self.count += len(entries)
        self.tokens += int(entries["tokens"].sum())
        self._sum += entries["scores"].sum(axis=0)
        self._squares += (entries["scores"] ** 2).sum(axis=0)


def _blocks(documents: Iterable[Outcomes], block: int) -> Iterator[list[Outcomes]]:
    number = 0
    group: list[Outcomes] = []
    for ordinal, rows in documents:
        if ordinal // block != number:
            if group:
                yield group
            number, group = ordinal // block, []
        group.append((ordinal, rows))
    if group:
        yield group


def _rated(group: Sequence[Outcomes], anchors: Sequence[int]) -> npt.NDArray[Any]:
    """The entries of a block's kept documents. What a failed one's other comparisons say of its opponents counts."""
    results = _results(group)
    players = {ordinal: place for place, ordinal in enumerate(sorted({one for pair in results for one in pair}))}
    first = np.array([players[pair[0]] for pair in results], np.int64)
    second = np.array([players[pair[1]] for pair in results], np.int64)
    fixed = np.array([players[anchor] for anchor in anchors if anchor in players], np.int64)
    won = np.array(list(results.values()), np.float64).reshape(len(results), len(CRITERIA))
    scores = [strengths(first, second, won[:, at], len(players), fixed) for at in range(len(CRITERIA))]
    kept = [(ordinal, rows) for ordinal, rows in group if all(row["end"] == END_KEPT for row in rows)]
    entries = np.zeros(len(kept), SCORED)
    for entry, (ordinal, rows) in zip(entries, kept, strict=True):
        tokens = int(rows[-1]["evidence"])
        entry["ordinal"], entry["tokens"] = ordinal, tokens
        entry["scores"] = np.round([column[players[ordinal]] for column in scores], DIGITS)
    return entries


def _results(group: Sequence[Outcomes]) -> dict[tuple[int, int], list[float]]:
    """What the first of each pair won, by criterion: 1 or 0 if both orders say so, else 0.5. A pair that both documents
    opened counts once; one of which an order is missing does not count."""
    letters: dict[tuple[int, int], dict[str, str]] = {}
    for ordinal, rows in group:
        for row in rows:
            if row["unit"] == "pair" and row["end"] == END_KEPT:
                other, _, order = row["persona"].partition(":")
                letters.setdefault((ordinal, int(other)), {})[order] = row["answer"]
    results: dict[tuple[int, int], list[float]] = {}
    for (one, other), told in letters.items():
        if len(told) == 2 and (other, one) not in results:
            pairs = zip(told["0"], told["1"], strict=True)
            results[one, other] = [((as_a == "A") + (as_b == "B")) / 2 for as_a, as_b in pairs]
    return results
