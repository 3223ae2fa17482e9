"""What near-duplicate search keeps of a text: the hashes of its features, in flat files of a scratch folder.

A question's features are its words (`normalise.tokens`: without case, accents and punctuation, numbers by value) and
the signs of its formulas, a document's its runs of five words. The lowest bit of a word's hash says that it tells
questions apart by itself: a number, a sign, a negation. Memory does not grow with the texts: what does is mapped.

    features.u64   all features of all texts, those of one text sorted and each once
    ends.i64       where each text's features end
    keys.u64       three numbers a text: answer, document, and its place in the order that decides who stays
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from webscale_rl.normalise import tokens
from webscale_rl.sieves.words import mixed

Hashes = npt.NDArray[np.uint64]
SHINGLE = 5
"""Words of a document's feature, as the deduplication of FineWeb has it."""
MOST_KNOWN = 1 << 16
"""Words whose hash is remembered."""
TELLING = np.uint64(1)
"""The bit of a feature that two near-duplicates cannot differ in."""
_TELLING_WORDS = frozenset(
    "not no never without except least most first second third fourth fifth last next before after more less fewer"
    " minimum maximum north south east west left right increase decrease".split()
)
_MAY_SIGN = re.compile(r"[-+*/<>=≤≥≠^%€£¥$°±×÷√−]")
_SIGNS = re.compile(r"[+*<>=≤≥≠^%€£¥$°±×÷√]|(?<![^\W\d_])[-−/](?![^\W\d_])")


class Fingerprints(NamedTuple):
    """The features of all texts. Those of text `i` are `features[starts[i]:starts[i + 1]]`."""

    features: Hashes
    starts: npt.NDArray[np.int64]
    answers: Hashes
    documents: Hashes
    order: Hashes

    def __len__(self) -> int:
        return len(self.order)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """How many features each text has."""
        return np.diff(self.starts)


class Writer:
    """Writes fingerprints. `shingle` is how many words a feature has."""

    def __init__(self, folder: Path, shingle: int = 1) -> None:
        self._folder = folder
        self._shingle = shingle
        self._known: dict[str, int] = {}
        self._end = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._features, self._ends, self._keys = (
            (self._folder / name).open("wb") for name in ("features.u64", "ends.i64", "keys.u64")
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        for file in (self._features, self._ends, self._keys):
            file.close()

    def add(self, texts: Sequence[str], keys: Iterable[tuple[int, int, int]]) -> None:
        """Take texts in, each with the digests of its answer, of its document, and of what decides its order."""
        rows = [self._hashes(text) for text in texts]
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        flat = np.fromiter((one for row in rows for one in row), np.uint64, int(lengths.sum()))
        features, sizes = _unique(*_shingles(flat, lengths, self._shingle), len(rows))
        self._features.write(features.tobytes())
        self._ends.write((np.cumsum(sizes) + self._end).tobytes())
        self._end += len(features)
        self._keys.write(np.array([*keys], np.uint64).reshape(-1, 3).tobytes())

    def read(self) -> Fingerprints:
        """All that was written, mapped from the disk."""
        ends = np.fromfile(self._folder / "ends.i64", np.int64)
        keys = _mapped(self._folder / "keys.u64").reshape(-1, 3)
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        columns = (np.ascontiguousarray(keys[:, at]) for at in range(3))
        return Fingerprints(_mapped(self._folder / "features.u64"), starts, *columns)

    def _hashes(self, text: str) -> list[int]:
        words: tuple[str, ...] = tokens.__wrapped__(text)
        if _MAY_SIGN.search(text):
            words = (*words, *_SIGNS.findall(text))
        found = list(map(self._known.get, words))
        return [self._new(word) if number is None else number for word, number in zip(words, found, strict=True)]

    def _new(self, word: str) -> int:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        return self._known.setdefault(word, word_hash(word))


def digest(text: str) -> int:
    """A 64-bit number of the text, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def word_hash(word: str) -> int:
    """A word's feature."""
    telling = word in _TELLING_WORDS or not word.isalpha()
    return digest(word) & ~1 | telling


def _shingles(flat: Hashes, lengths: npt.NDArray[np.int64], width: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The features of each row and the row of each. A text of fewer words than a feature is one feature."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    if width == 1:
        return flat, rows
    widest = max(1, width)
    total, found, its = len(flat), [], []
    joined = np.zeros(total, np.uint64)
    for at in range(widest):
        shifted = np.zeros(total, np.uint64)
        shifted[: total - at] = flat[at:]
        joined = mixed(joined + shifted + np.uint64(at + 1))
    whole = np.zeros(total, bool)
    whole[: max(0, total - widest + 1)] = rows[: max(0, total - widest + 1)] == rows[widest - 1 :]
    found.append(joined[whole])
    its.append(rows[whole])
    short = np.flatnonzero((lengths > 0) & (lengths < widest))
    starts = np.cumsum(lengths) - lengths
    found.append(np.array([_folded(flat[starts[row] : starts[row] + lengths[row]]) for row in short], np.uint64))
    its.append(short)
    return np.concatenate(found), np.concatenate(its)


def _folded(words: Hashes) -> Any:
    joined = np.zeros(1, np.uint64)
    for word in words:
        joined = mixed(joined + word)
    return joined[0]


def _unique(features: Hashes, rows: npt.NDArray[np.int64], count: int) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Each row's features sorted and each once, and how many each row has."""
    order = np.lexsort((features, rows))
    features, rows = features[order], rows[order]
    first = np.ones(len(features), bool)
    first[1:] = (features[1:] != features[:-1]) | (rows[1:] != rows[:-1])
    return features[first], np.bincount(rows[first], minlength=count)


def _mapped(path: Path) -> Any:
    return np.memmap(path, np.uint64, mode="r") if path.stat().st_size else np.empty(0, np.uint64)
