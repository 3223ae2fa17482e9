"""Runs of words as numbers, and quick look-up of many numbers in a large set.

A pair of words is a 32-bit number whose lowest bit says whether either word tells something by itself. All longer runs
are made of pairs, so a set of texts is kept as its pairs, one after the other, and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from webscale_rl.sieves.words import Numbers, Places, Words, mixed

Pairs = npt.NDArray[np.uint32]
TELLING = np.uint32(1)
_AT_ONCE = 1 << 17
"""Pairs that are worked on together: what lies between fits the cache, and is no multiple of an index."""
_FACTOR = 0xD6E8FEB86659FD93
"""Odd, of mixed bits: what a run's number is a polynomial in."""


class Grams(NamedTuple):
    """The pairs of neighbouring words of some texts. Those of text `i` are `ends[i - 1]` to `ends[i]`."""

    pairs: Pairs
    ends: Places

    def starts(self) -> Places:
        """The first pair of each text."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])


def pairs_of(words: Words) -> Grams:
    """The pairs of all texts: one fewer than it has words, for each."""
    numbers, starts = words.numbers, words.starts()
    sizes = np.maximum(words.ends - starts - 1, 0)
    ends = np.cumsum(sizes)
    inside = np.ones(max(0, len(numbers) - 1), bool)
    borders = words.ends[(words.ends > 0) & (words.ends < len(numbers))] - 1
    inside[borders] = False
    joined = mixed(numbers[:-1] * np.uint64(3) + numbers[1:]) >> np.uint64(32)
    telling = ~(words.weak[:-1] & words.weak[1:])
    pairs = joined.astype(np.uint32) & ~TELLING | telling.astype(np.uint32)
    return Grams(pairs[inside], ends)


def runs(grams: Grams, width: int) -> tuple[Numbers, Places]:
    """The numbers of all runs of `width` words, and the pair that each of them begins with."""
    count = width - 1
    pairs = grams.pairs
    places = len(pairs) - count + 1
    if places <= 0:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    starts = _whole(grams, count)
    keys = np.empty(len(starts), np.uint64)
    for begin in range(0, places, _AT_ONCE):
        some = mixed(_polynomial(mixed(pairs[begin : begin + _AT_ONCE + count - 1].astype(np.uint64)), count))
        one, other = np.searchsorted(starts, [begin, begin + _AT_ONCE])
        keys[one:other] = some[starts[one:other] - begin]
    return keys, starts


def triples(pairs: Pairs, starts: Places) -> Pairs:
    """The numbers of the runs of three words that begin with these pairs: the upper halves of what `runs` gives."""
    one, other = (mixed(pairs[at].astype(np.uint64)) for at in (starts, starts + 1))
    return (mixed(one * np.uint64(_FACTOR) + other) >> np.uint64(32)).astype(np.uint32)


def _polynomial(values: Numbers, count: int) -> Numbers:
    """sum(values[i + k] * factor^(count - 1 - k)) for each i, by doubling."""
    if count == 1:
        return values
    half = count // 2
    inner = _polynomial(values, half)
    total = len(values) - count + 1
    upper = inner[:total] * np.uint64(pow(_FACTOR, half, 1 << 64)) + inner[half : half + total]
    if count % 2:
        upper = upper * np.uint64(_FACTOR) + values[count - 1 : count - 1 + total]
    return upper


def _whole(grams: Grams, count: int) -> Places:
    """Where a run of `count` pairs begins that ends in the same text."""
    total = len(grams.pairs) - count + 1
    inside = np.ones(total, bool)
    borders = grams.ends[grams.ends < len(grams.pairs)]
    for back in range(1, count):
        at = borders - back
        inside[at[(at >= 0) & (at < total)]] = False
    return np.flatnonzero(inside)


class Lookup:
    """A set of numbers, each once, sorted. A map of bits, few of them set, turns most others away."""

    def __init__(self, keys: Any) -> None:
        self.keys = keys
        self._shift = keys.dtype.type(8 * keys.dtype.itemsize - max(16, min(28, len(keys).bit_length() + 4)))
        self._bits = np.zeros(1 << (8 * keys.dtype.itemsize - int(self._shift) - 3), np.uint8)
        slots = keys >> self._shift
        places = (slots >> keys.dtype.type(3)).astype(np.int64)
        first = np.flatnonzero(np.diff(places, prepend=-1))
        if len(first):
            bits = np.uint8(1) << (slots & keys.dtype.type(7)).astype(np.uint8)
            self._bits[places[first]] = np.bitwise_or.reduceat(bits, first)

    def find(self, values: Any) -> tuple[Places, Places]:
        """Which of the values are in the set, by their places, and the place of each in the set."""
        if not len(self.keys):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        slots = values >> self._shift
        seen = self._bits[slots >> slots.dtype.type(3)] >> (slots & slots.dtype.type(7)).astype(np.uint8) & np.uint8(1)
        asked = np.flatnonzero(seen)
        at = np.searchsorted(self.keys, values[asked])
        at[at == len(self.keys)] = 0
        right = self.keys[at] == values[asked]
        return asked[right], at[right]
