"""Which texts may be near-duplicates: MinHash signatures in bands (A. Broder 1997; Leskovec, Rajaraman, Ullman: Mining
of Massive Datasets, chapter 3). Candidates only: whether they are is verified on their features (`jaccard.py`).

Bands of four in a signature of 96 find a pair whose words agree to 0.67 with probability 0.995, to 0.75 with 0.9999: a
question of ten words that say something, of which two were changed, agrees to 0.67. Words that say nothing (the, of,
what) are left out of signatures, for they make all questions alike; a text of few other words keeps them.

Signatures are computed in numpy over the distinct words of a chunk of texts, and only bands' keys are kept, on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webscale_rl.sieves.fingerprints import Fingerprints, Hashes, word_hash
from webscale_rl.sieves.words import mixed

BANDS, ROWS = 24, 4
CHUNK = 1 << 10
"""Texts whose signatures are in memory at once."""
CHUNK_FEATURES = 1 << 15
MOST_IN_GROUP = 32
"""Of more texts that share a band, each is compared with so many of the first in the order of staying."""
LEAST_SAYING = 4
_SILENT_WORDS = (
    "a an the of in on at to for from by with and or as is are was were be been being do does did has have had it its"
    " this that these those there what which who whom whose when where why how many much can could will would should"
    " may might must not no s t if than then so such into about between during after before under over your you"
)
_SILENT = np.array(sorted(map(word_hash, _SILENT_WORDS.split())), np.uint64)

Pairs = npt.NDArray[np.int64]
"""Numbers of texts, two by two: shape (n, 2), the one that stays first."""


def write_bands(prints: Fingerprints, folder: Path, *, silent: bool = True) -> None:
    """Compute the band keys of all texts: a file for each band, 8 bytes a text. Texts with another answer share none.

    `silent` leaves out words that say nothing; only single words can.
    """
    salts = _salts()
    files = [(folder / f"band-{band:02d}.u64").open("wb") for band in range(BANDS)]
    try:
        for start, end in _chunks(prints):
            keys = _band_keys(prints, start, end, salts, silent)
            for file, column in zip(files, keys.T, strict=True):
                file.write(np.ascontiguousarray(column).tobytes())
    finally:
        for file in files:
            file.close()


def candidates(prints: Fingerprints, folder: Path) -> Iterator[Pairs]:
    """Pairs of texts that share a band, band by band; a pair that shares several comes several times."""
    for band in range(BANDS):
        yield from groups(np.fromfile(folder / f"band-{band:02d}.u64", np.uint64), prints.order)


def groups(keys: Hashes, order: Hashes) -> Iterator[Pairs]:
    """Pairs of the texts with equal keys, the one that stays first, a bounded number at a time."""
    by_key = np.lexsort((order, keys))
    line = keys[by_key]
    new = np.ones(len(line), bool)
    new[1:] = line[1:] != line[:-1]
    first = np.maximum.accumulate(np.where(new, np.arange(len(line)), 0))
    within = np.arange(len(line)) - first
    for place in range(MOST_IN_GROUP):
        with_first = np.flatnonzero(within > place)
        if not len(with_first):
            return
        yield np.stack([by_key[first[with_first] + place], by_key[with_first]], axis=1)


def _salts() -> tuple[Hashes, Hashes]:
    numbers = mixed(np.arange(1, 2 * BANDS * ROWS + 1, dtype=np.uint64))
    odd = numbers[: BANDS * ROWS] | np.uint64(1)
    return odd, numbers[BANDS * ROWS :]


def _chunks(prints: Fingerprints) -> Iterator[tuple[int, int]]:
    """Runs of texts that have a bounded number of features together."""
    start = 0
    while start < len(prints):
        limit = int(np.searchsorted(prints.starts, prints.starts[start] + CHUNK_FEATURES, "right")) - 1
        end = min(len(prints), start + CHUNK, max(limit, start + 1))
        yield start, end
        start = end


def _band_keys(
    prints: Fingerprints, start: int, end: int, salts: tuple[Hashes, Hashes], silent: bool
) -> npt.NDArray[np.uint64]:
    starts = prints.starts[start : end + 1]
    features = np.asarray(prints.features[starts[0] : starts[-1]])
    rows = np.repeat(np.arange(end - start), np.diff(starts))
    if silent:
        says = ~np.isin(features, _SILENT)
        few = np.bincount(rows[says], minlength=end - start) < LEAST_SAYING
        kept = says | few[rows]
        features, rows = features[kept], rows[kept]
    sizes = np.bincount(rows, minlength=end - start)
    keys = np.zeros((end - start, BANDS), np.uint64)
    some = np.flatnonzero(sizes)
    if len(some):
        distinct, places = np.unique(features, return_inverse=True)
        hashes = _hashes(distinct, salts)
        begins = (np.cumsum(sizes) - sizes)[some]
        signature = np.minimum.reduceat(hashes[places], begins, axis=0).astype(np.uint64)
        for row in range(ROWS):
            keys[some] = mixed(keys[some] + signature[:, row::ROWS])
    own = mixed(np.arange(start + 1, end + 1, dtype=np.uint64))
    keys = mixed(keys + prints.answers[start:end, None])
    keys[sizes == 0] = own[sizes == 0, None]  # a text without a word is like no other
    return keys


def _hashes(features: Hashes, salts: tuple[Hashes, Hashes]) -> npt.NDArray[np.uint32]:
    """Multiply-shift (M. Dietzfelbinger et al. 1997): 96 numbers of 32 bits for each feature."""
    odd, plus = salts
    wide = features[:, None] * odd
    wide += plus
    wide >>= np.uint64(32)
    return wide.astype(np.uint32)
