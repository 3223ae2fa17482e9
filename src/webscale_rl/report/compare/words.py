"""Which words one run uses more than the other: log-odds with an informative Dirichlet prior (B. Monroe, M. Colaresi,
K. Quinn 2008, Fightin' Words, Political Analysis 16).

The prior is the two runs' joint vocabulary, a tenth of their words in all: it keeps words that are rare from looking
telling. A word counts once for each text, and the texts of a document weigh as much as one, since they are no
independent draws: one page about whales does not make them a habit of a run. Words are told whose z would come by
chance in one of ten comparisons or less, over all words together (Bonferroni).
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
    """A word, its z-score (positive: more in b), and the share of either run's texts that have it."""

    word: str
    z: float
    a: float
    b: float


Documents = Iterable[Sequence[Sequence[str]]]
"""The words of each text of each document."""


def telling(a: Documents, b: Documents) -> tuple[list[Word], list[Word]]:
    """Words that a uses more, and those that b does, the most telling first."""
    (ours, texts_a, weight_a), (theirs, texts_b, weight_b) = _counted(a), _counted(b)
    if not ours or not theirs:
        return [], []
    totals = weight_a * ours.total(), weight_b * theirs.total()
    both = ours.keys() | theirs.keys()
    least = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / len(both))
    found = []
    for word in both:
        counts = weight_a * ours[word], weight_b * theirs[word]
        has = [count + PRIOR * sum(counts) for count in counts]
        odds = [
            log(count / max(0.5, total + PRIOR * sum(totals) - count)) for count, total in zip(has, totals, strict=True)
        ]
        z = (odds[1] - odds[0]) / sqrt(sum(1 / count for count in has))
        if abs(z) > least:
            found.append(Word(word, z, ours[word] / texts_a, theirs[word] / texts_b))
    found.sort(key=lambda one: (-abs(one.z), one.word))
    return [one for one in found if one.z < 0][:MOST_TOLD], [one for one in found if one.z > 0][:MOST_TOLD]


def _counted(documents: Documents) -> tuple[Counter[str], int, float]:
    """How many texts have each word, how many there are, and what one weighs."""
    counts: Counter[str] = Counter()
    texts = used = 0
    for document in documents:
        used += bool(document)
        texts += len(document)
        counts.update(word for words in document for word in set(words))
    return counts, texts, used / max(1, texts)
