"""How much of a text repeats itself in runs of words (n-grams), after Gopher (arXiv 2112.11446, table A1).

Two measures, each as a share of the visible characters: those in the most frequent n-gram, and those in n-grams that
stood before. Both are counted exactly, word by word, but only for a text that could break its limit. What tells that
is cheap: a signature of each word (its first, middle and last byte and its length), which equal words share, and sorted
signatures of n-grams. Where words are unequal and signatures equal, too much is suspected and then counted; where no
signature stands twice, no n-gram does. So a bound never changes a decision.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from webscale_rl.stages.heuristic_rules.text import TextStatistics, lazy

_Signatures = npt.NDArray[np.uint64]
_FACTORS = {words: np.uint64(pow(0x9E3779B97F4A7C15, words, 2**64)) for words in (1, 2, 3, 4, 5)}
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_ROUNDED = 1 - 1e-9
"""Bounds are a little closer than limits, so that the rounding of a product decides nothing."""
_SHORTEST = 5
"""Duplicate n-grams have so many words at least: a longer one that stood before is made of such that stood before."""
_OFFSETS = np.arange(_SHORTEST)[:, None]


class Repetition(TextStatistics):
    """The statistics of one text, its n-grams among them. One object: two that know each other would stay in memory
    until a collection comes round, and the arrays of one text are larger than the text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._signatures: dict[int, _Signatures] = {}
        self._sorted: dict[int, _Signatures] = {}

    def top_share(self, size: int, limit: float) -> float | None:
        """The share of characters in the most frequent n-gram of so many words, if it is over the limit; else None.
        Of equally frequent ones the first counts. One that stands once repeats nothing."""
        most = limit * self.visible
        if self.word_count <= size or self.heaviest * size <= most * _ROUNDED:
            return None  # none of its words is frequent enough
        least = max(2, int(most / (size * self.longest)))  # so often at least, to be over the limit
        ordered = self._ordered(size)
        if least > len(ordered) or not (ordered[least - 1 :] == ordered[: 1 - least]).any():
            return None
        if self._top_bound(size) <= most * _ROUNDED:
            return None
        words = self.words
        counts = Counter(zip(*(words[start:] for start in range(size)), strict=False))
        count = max(counts.values())
        top = next(ngram for ngram, times in counts.items() if times == count)
        share = sum(map(len, top)) * count / self.visible
        return share if count > 1 and share > limit else None

    def duplicate_share(self, size: int, limit: float) -> float | None:
        """The share of characters in n-grams that stood before, if it is over the limit; else None. The text is gone
        through once: after such an n-gram, on goes what follows it, so that no character counts twice."""
        most = limit * self.visible * _ROUNDED
        if self._repeated * _SHORTEST * self.longest <= most or self._covered <= most:
            return None
        words, seen = self.words, set()
        characters = free = 0
        for at in self._suspects:
            if at < free:
                continue
            ngram = tuple(words[at : at + size])
            if len(ngram) < size:
                break
            if ngram in seen:
                characters += sum(map(len, ngram))
                free = at + size
            else:
                seen.add(ngram)
        share = characters / self.visible
        return share if share > limit else None

    # ---------------------------------------------------------------- bounds

    def _of_size(self, size: int) -> _Signatures:
        found = self._signatures.get(size)
        if found is None:
            if size == 1:
                found = self._word_signatures()
            else:
                behind = size // 2 if size % 2 == 0 else 1
                before, after = self._of_size(size - behind), self._of_size(behind)
                found = before[:-behind] * _FACTORS[behind] + after[size - behind :]
            self._signatures[size] = found
        return found

    def _word_signatures(self) -> _Signatures:
        starts, ends, data = self.edges[::2], self.edges[1::2], self.spaced
        parts = np.zeros((len(starts), 8), np.uint8)
        parts[:, 0] = self.first_bytes
        parts[:, 1] = data[ends - 1]
        parts[:, 2] = data[(starts + ends) >> 1]
        parts.view(np.uint32)[:, 1] = self.lengths
        found: _Signatures = parts.view(np.uint64)[:, 0] * _SPREAD
        return found

    def _ordered(self, size: int) -> _Signatures:
        found = self._sorted.get(size)
        if found is None:
            found = self._sorted[size] = np.sort(self._of_size(size))
        return found

    def _top_bound(self, size: int) -> int:
        """At most so many characters stand in any one n-gram."""
        signatures = self._of_size(size)
        order = np.argsort(signatures)
        ordered = signatures[order]
        firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        counts = np.diff(firsts, append=len(ordered))
        totals = np.concatenate(([0], np.cumsum(self.lengths)))
        spans = np.maximum.reduceat(totals[order + size] - totals[order], firsts)
        return int((counts * spans)[counts > 1].max(initial=0))

    @lazy
    def _repeated(self) -> int:
        """At most so many n-grams of _SHORTEST words stood before."""
        if self.word_count <= _SHORTEST:
            return 0
        ordered = self._ordered(_SHORTEST)
        return int(np.count_nonzero(ordered[1:] == ordered[:-1]))

    @lazy
    def _covered(self) -> int:
        """At most so many characters stand in n-grams that stood before, of _SHORTEST words or more."""
        signatures = self._of_size(_SHORTEST)
        order = np.argsort(signatures, kind="stable")
        ordered = signatures[order]
        later = order[1:][ordered[1:] == ordered[:-1]]
        covered = np.zeros(self.word_count, bool)
        covered[later + _OFFSETS] = True
        return int(self.lengths[covered].sum())

    @lazy
    def _suspects(self) -> list[int]:
        """Where n-grams of _SHORTEST words start whose signatures stand more than once, in order."""
        ordered, signatures = self._ordered(_SHORTEST), self._of_size(_SHORTEST)
        places = np.searchsorted(ordered, signatures, "left")
        after = np.minimum(places + 1, len(ordered) - 1)
        found: list[int] = np.flatnonzero((ordered[after] == signatures) & (after > places)).tolist()
        return found
