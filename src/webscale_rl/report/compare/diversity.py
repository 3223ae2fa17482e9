"""How much the questions of a run differ from one another, measured on groups of one size.

    distinct-1, -2, -3   of all words, pairs and triples of words in the group's questions, those that differ (J. Li et
                         al. 2016, NAACL)
    self-BLEU            how much of a question's runs of one to four words stands in another of the group (Y. Zhu et
                         al. 2018, SIGIR), without a penalty for length
    similarity           mean cosine of the vectors of two questions
    spread               mean cosine distance from a question to the nearest other
    Vendi score          how many questions that have nothing in common are worth the group: the exponential of the
                         entropy of the eigenvalues of the kernel of cosines, over its size (D. Friedman, A. B. Dieng
                         2023, TMLR)
    distinct personas    of the group's, those that differ
    same persona         how often two of the group's questions have one

All depend on how many questions are looked at, so both runs are cut into groups of the same size: the group is the unit
of chance. The questions of a document stand together, so that what its personas ask alike counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log

import numpy as np
import numpy.typing as npt

from webscale_rl.normalise import tokens
from webscale_rl.report.compare.sample import Asked

Vectors = npt.NDArray[np.float32]
LARGEST, SMALLEST, FEWEST = 100, 5, 4
"""Questions of a group at most and at least; groups that must come together for chance to be told."""
MOST_GROUPS = 40
_GROUPS = 20
_LONGEST = 4
MEASURES = (
    "distinct-1",
    "distinct-2",
    "distinct-3",
    "self-BLEU",
    "similarity",
    "spread",
    "Vendi score",
    "distinct personas",
    "same persona",
)
MORE = frozenset({"distinct-1", "distinct-2", "distinct-3", "spread", "Vendi score", "distinct personas"})
"""Measures that are larger for what is more diverse; the others are smaller."""


def group_size(*pairs: Sequence[Asked]) -> int | None:
    """So many questions for each group, the same in all runs; None if a run has too few."""
    fewest = min(map(len, pairs))
    size = min(LARGEST, max(SMALLEST, fewest // _GROUPS))
    return size if fewest // size >= FEWEST else None


def cut(pairs: Sequence[Asked], size: int) -> list[Sequence[Asked]]:
    """Groups of this size."""
    return [pairs[at : at + size] for at in range(0, len(pairs) - size + 1, size)][:MOST_GROUPS]


def measured(group: Sequence[Asked], vectors: Vectors) -> list[float]:
    """All measures of one group, whose questions have these vectors, of length one."""
    words = [tokens(pair.question) for pair in group]
    cosines = (vectors @ vectors.T).astype(np.float64)
    number = len(group)
    others = cosines[~np.eye(number, dtype=bool)].reshape(number, number - 1)
    personas = Counter(pair.persona for pair in group)
    twice = sum(count * (count - 1) for count in personas.values()) / (number * (number - 1))
    return [
        *(distinct(words, length) for length in (1, 2, 3)),
        self_bleu(words),
        float(others.mean()),
        float(1 - others.max(axis=1).mean()),
        vendi(cosines) / number,
        len(personas) / number,
        twice,
    ]


def distinct(texts: Sequence[Sequence[str]], length: int) -> float:
    """The share of runs of so many words that differ; 1 if there is none."""
    runs = [run for text in texts for run in _runs(text, length)]
    return len(set(runs)) / len(runs) if runs else 1.0


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """The mean over all texts of the geometric mean of their shares of runs that another text has, one to four words
    long and each as often as there; a length of which no run is shared counts as half a run."""
    logs = np.zeros(len(texts))
    lengths = np.zeros(len(texts))
    for length in range(1, _LONGEST + 1):
        counts = [Counter(_runs(text, length)) for text in texts]
        most: dict[tuple[str, ...], tuple[int, int, int]] = {}  # the largest count, whose it is, the next largest
        for at, count in enumerate(counts):
            for run, times in count.items():
                first, owner, second = most.get(run, (0, -1, 0))
                most[run] = (times, at, first) if times > first else (first, owner, max(second, times))
        for at, count in enumerate(counts):
            total = sum(count.values())
            if not total:
                continue
            known = sum(
                min(times, most[run][2] if most[run][1] == at else most[run][0]) for run, times in count.items()
            )
            logs[at] += log(max(known, 0.5) / total)
            lengths[at] += 1
    scored = lengths > 0
    return float(np.exp(logs[scored] / lengths[scored]).mean()) if scored.any() else 0.0


def vendi(cosines: npt.NDArray[np.float64]) -> float:
    """The Vendi score of a kernel with ones on its diagonal."""
    values = np.linalg.eigvalsh(cosines / len(cosines))
    values = values[values > 1e-12]
    values = values / values.sum()
    return exp(-float((values * np.log(values)).sum()))


def _runs(text: Sequence[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(text[at : at + length]) for at in range(len(text) - length + 1)]
