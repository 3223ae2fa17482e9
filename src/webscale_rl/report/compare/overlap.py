"""Which questions of a run the other has, too: equal in words, or nearly, and those with the same answer.

Near is what it is for deduplication: all words verified, Jaccard at least 0.8, no number or negation apart. Two runs
over one corpus are sampled by document, so what their personas ask alike is found; what documents have in common that
are not both in the sample is not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from webscale_rl.normalise import wording
from webscale_rl.report.compare.sample import Asked
from webscale_rl.sieves.dedup import answer_key
from webscale_rl.sieves.fingerprints import Writer
from webscale_rl.sieves.jaccard import jaccard, possible
from webscale_rl.sieves.minhash import candidates, write_bands

THRESHOLD = 0.8
_CHUNK = 4096


class Shared(NamedTuple):
    """Ids of pairs of either run whose question the other has: in these words, or nearly (or so), with its answer."""

    equal: frozenset[str]
    near: frozenset[str]
    same: frozenset[str]

    def of(self, pair: Asked) -> tuple[bool, bool, bool]:
        """What holds of a pair."""
        return pair.id in self.equal, pair.id in self.near, pair.id in self.same


def shared(a: Sequence[Asked], b: Sequence[Asked]) -> Shared:
    """The questions of each run that the other has. Works in a temporary folder."""
    equal: set[str] = set()
    same: set[str] = set()
    near: set[str] = set()
    for ours, theirs in ((a, b), (b, a)):
        words = {wording(pair.question) for pair in theirs}
        told = {(wording(pair.question), answer_key(pair.answer)) for pair in theirs}
        equal |= {pair.id for pair in ours if wording(pair.question) in words}
        same |= {pair.id for pair in ours if (wording(pair.question), answer_key(pair.answer)) in told}
    for one, other in _alike(a, b):
        near |= {one.id, other.id}
        if answer_key(one.answer) == answer_key(other.answer):
            same |= {one.id, other.id}
    return Shared(frozenset(equal), frozenset(near | equal), frozenset(same))


def _alike(a: Sequence[Asked], b: Sequence[Asked]) -> Iterator[tuple[Asked, Asked]]:
    """Pairs of one run each whose questions are nearly the same."""
    pairs = [*a, *b]
    with tempfile.TemporaryDirectory(prefix="webscale-rl-compare-") as folder:
        scratch = Path(folder)
        with Writer(scratch) as writer:
            for start in range(0, len(pairs), _CHUNK):
                chunk = pairs[start : start + _CHUNK]
                keys = ((0, 0, number) for number in range(start, start + len(chunk)))
                writer.add([pair.question for pair in chunk], keys)
        prints = writer.read()
        if not len(prints):
            return
        write_bands(prints, scratch)
        for found in candidates(prints, scratch):
            across = found[(found < len(a)).sum(axis=1) == 1]
            across = np.unique(across[possible(prints, across, THRESHOLD)], axis=0)
            for one, other in across[jaccard(prints, across, telling=True) >= THRESHOLD]:
                yield pairs[one], pairs[other]
