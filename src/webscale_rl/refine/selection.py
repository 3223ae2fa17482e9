"""Which documents stay: the best ones, as many as a budget of tokens holds, without all scores in memory.

Documents stand in the order of their scores; of equal ones, a digest of seed and place decides. They are taken in that
order until the next one does not fit. With a temperature the order is drawn: the score divided by it, plus Gumbel
noise, puts documents in the order of draws without replacement by exp(score / temperature) (W. Kool et al., "Stochastic
Beams and Where to Find Them", ICML 2019, section 2.3), which is how QuRating samples.

The place where the budget ends is found digit by digit, 16 bits of the order at a time, in eight passes over the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from webscale_rl.sieves.words import mixed

Keys = npt.NDArray[np.uint64]
Ranked = tuple[Keys, Keys, npt.NDArray[np.int64]]
"""Of some documents: the order by score, the order of equals, and tokens. Larger keys come first."""
Mark = tuple[int, int]
"""A place in the order: documents beyond it stay."""
EVERYONE: Mark = (-1, -1)
_DIGIT = 16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def ranked(
    scores: npt.NDArray[np.float64],
    ordinals: npt.NDArray[np.int64],
    tokens: npt.NDArray[np.int64],
    temperature: float,
    seed: int,
) -> Ranked:
    """The keys of some documents."""
    noise = mixed(mixed(ordinals.astype(np.uint64) * _GOLDEN) ^ np.uint64(seed % 2**64))
    if temperature:
        even = ((noise >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
        scores = scores / temperature - np.log(-np.log(even))
    return _sortable(np.round(scores, 6)), noise, tokens


def stays(keys: Ranked, mark: Mark) -> npt.NDArray[np.bool_]:
    """Which of them lie beyond the mark."""
    if mark == EVERYONE:
        return np.ones(len(keys[0]), bool)
    by_score, tie, _ = keys
    score, among = np.uint64(mark[0]), np.uint64(mark[1])
    found: npt.NDArray[np.bool_] = (by_score > score) | ((by_score == score) & (tie > among))
    return found


def mark(chunks: Callable[[], Iterable[Ranked]], budget: int) -> Mark:
    """The first place in the order whose document the budget does not hold; EVERYONE if it holds all of them."""
    prefix: list[int] = []
    left = budget
    for level in range(128 // _DIGIT):
        weights = np.zeros(1 << _DIGIT, np.int64)
        for chunk in chunks():
            digits, tokens = _digits(chunk, prefix, level)
            np.add.at(weights, digits, tokens)
        before = np.concatenate(([0], np.cumsum(weights[::-1])))
        over = np.flatnonzero(before > left)
        if not len(over):
            return EVERYONE  # only at the first digit: later ones look at what did not fit
        place = int(over[0]) - 1
        left -= int(before[place])
        prefix.append((1 << _DIGIT) - 1 - place)
    joined = 0
    for digit in prefix:
        joined = joined << _DIGIT | digit
    return joined >> 64, joined & (2**64 - 1)


def _digits(chunk: Ranked, prefix: list[int], level: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The digit at this level of those documents whose earlier digits are the prefix, and their tokens."""
    by_score, tie, tokens = chunk
    inside = np.ones(len(tokens), bool)
    for at, digit in enumerate(prefix):
        inside &= _digit(by_score, tie, at) == digit
    return _digit(by_score[inside], tie[inside], level), tokens[inside]


def _digit(by_score: Keys, tie: Keys, level: int) -> npt.NDArray[np.int64]:
    per_key = 64 // _DIGIT
    key = by_score if level < per_key else tie
    shift = np.uint64(64 - _DIGIT * (level % per_key + 1))
    found: npt.NDArray[np.int64] = ((key >> shift) & np.uint64((1 << _DIGIT) - 1)).astype(np.int64)
    return found


def _sortable(values: npt.NDArray[np.float64]) -> Keys:
    """Numbers whose order as integers is that of the values: the sign bit is turned, negative ones all over."""
    bits = (values + 0.0).view(np.uint64)  # -0.0 is 0.0
    negative = bits >> np.uint64(63) == 1
    found: Keys = np.where(negative, ~bits, bits | np.uint64(1 << 63))
    return found
