"""How alike texts are, exactly: the share of all their features that both have."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from webscale_rl.sieves.fingerprints import TELLING, Fingerprints
from webscale_rl.sieves.minhash import Pairs

PAIRS_AT_ONCE = 1 << 14
FEATURES_AT_ONCE = 1 << 18


def jaccard(prints: Fingerprints, pairs: Pairs, *, telling: bool = False) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of each pair, in 0..1; two texts without features have 0. If `telling`, so have two that
    differ in a feature that tells questions apart: "in 1999" and "in 2001", "was" and "was not"."""
    sizes = prints.sizes
    found = np.zeros(len(pairs))
    at = 0
    while at < len(pairs):
        count = _count(sizes, pairs[at : at + PAIRS_AT_ONCE])
        chunk = pairs[at : at + count]
        both, apart = _shared(prints, chunk)
        either = sizes[chunk].sum(axis=1) - both
        alike = np.divide(both, either, out=np.zeros(count), where=either > 0)
        found[at : at + count] = np.where(apart, 0.0, alike) if telling else alike
        at += count
    return found


def possible(prints: Fingerprints, pairs: Pairs, threshold: float) -> npt.NDArray[np.bool_]:
    """Which pairs can reach a threshold by their sizes alone."""
    sizes = prints.sizes[pairs]
    reached: npt.NDArray[np.bool_] = sizes.min(axis=1) >= threshold * sizes.max(axis=1)
    return reached


def _count(sizes: npt.NDArray[np.int64], pairs: Pairs) -> int:
    """How many of these pairs have a bounded number of features together; one at least."""
    total = np.cumsum(sizes[pairs].sum(axis=1))
    return max(1, int(np.searchsorted(total, FEATURES_AT_ONCE, "right")))


def _shared(prints: Fingerprints, pairs: Pairs) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """How many features both have, and whether they differ in a telling one. Each text has each feature once: what
    comes twice in a pair is shared."""
    texts = pairs.ravel()
    sizes = prints.sizes[texts]
    pair = np.repeat(np.arange(len(texts)) // 2, sizes)
    begins = np.cumsum(sizes) - sizes
    places = np.arange(len(pair)) - np.repeat(begins - prints.starts[texts], sizes)
    features = np.asarray(prints.features)[places] if len(places) else np.empty(0, np.uint64)
    order = np.lexsort((features, pair))
    features, pair = features[order], pair[order]
    twice = (features[1:] == features[:-1]) & (pair[1:] == pair[:-1])
    tells = (features & TELLING).astype(bool)
    all_telling = np.bincount(pair[tells], minlength=len(pairs))
    shared_telling = np.bincount(pair[1:][twice & tells[1:]], minlength=len(pairs))
    return np.bincount(pair[1:][twice], minlength=len(pairs)), all_telling != 2 * shared_telling
