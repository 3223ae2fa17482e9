"""Which words one run uses more than the other: log-odds with an informative Dirichlet prior (B. Monroe, M. Colaresi,
K. Quinn 2008, Fightin' Words, Political Analysis 16).

The prior is the two runs' joint vocabulary, a tenth of their words in all: it keeps words that are rare from looking
telling. A word counts once for each document, so that one page about whales does not make them a habit of a run. Words
are told whose z would come by chance in one of ten comparisons or less, over all words together (Bonferroni).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log, sqrt
from statistics import NormalDist
from typing import NamedTuple

from webscale_rl.intervals import LEVEL

PRIOR = 0.1
MOST_TOLD = 12


class Word(NamedTuple):
    """A word, its z-score (positive: more in b), and of how many documents it is in either run."""

    word: str
    z: float
    a: int
    b: int


def telling(a: Iterable[Sequence[str]], b: Iterable[Sequence[str]]) -> tuple[list[Word], list[Word]]:
    """Words that a uses more, and those that b does, the most telling first. Each item holds a document's words."""
    ours, theirs = (Counter(word for words in documents for word in set(words)) for documents in (a, b))
    totals = ours.total(), theirs.total()
    if not all(totals):
        return [], []
    both = ours + theirs
    alpha_0 = PRIOR * sum(totals)
    least = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / len(both))
    found = []
    for word, count in both.items():
        alpha = PRIOR * count
        odds = []
        for counts, total in ((ours, totals[0]), (theirs, totals[1])):
            has = counts[word] + alpha
            odds.append((log(has / max(0.5, total + alpha_0 - has)), 1 / has))
        z = (odds[1][0] - odds[0][0]) / sqrt(odds[0][1] + odds[1][1])
        if abs(z) > least:
            found.append(Word(word, z, ours[word], theirs[word]))
    found.sort(key=lambda one: (-abs(one.z), one.word))
    return [one for one in found if one.z < 0][:MOST_TOLD], [one for one in found if one.z > 0][:MOST_TOLD]
