"""Deduplication of questions over the whole run: equal ones, near ones, and what personas of one document ask alike.

    duplicate_question     the same words (but for case and white space); of documents, duplicate_document
    conflicting_answers    the same words with answers that differ: none stays, for a question with two ground truths
                           teaches the wrong one half of the time
    near_duplicate         words that agree to `threshold` (Jaccard), and the same answer
    same_document          the same document and answer, and words that agree to `same_document`

Alike in words alone is not a duplicate: of real questions on medicine a quarter would go. So a near-duplicate has the
same answer (normalised), and the two differ in no number, sign or negation. Candidates come from MinHash bands, each is
verified on all its words, and nothing goes that was not verified against one that stays. Who stays does not depend on
the order of the corpus or on shards: it is the one whose digest is smallest.

Not covered: paraphrases that share few words; questions of one document whose answers are equal in meaning only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from webscale_rl.normalise import tokens, wording
from webscale_rl.sieve import Examples, Rejected, SieveOptions
from webscale_rl.sieves.fingerprints import Fingerprints, Writer, digest
from webscale_rl.sieves.jaccard import jaccard, possible
from webscale_rl.sieves.minhash import Pairs, candidates, groups, write_bands

_EXACT = np.dtype([("high", "u8"), ("low", "u8"), ("answer", "u8"), ("id", "S32")])
_ARTICLES = frozenset(("a", "an", "the"))
DUPLICATE, CONFLICT, NEAR, DOCUMENT = "duplicate_question", "conflicting_answers", "near_duplicate", "same_document"
SAME_TEXT = "duplicate_document"
_TOLD = {
    DUPLICATE: "same question as", SAME_TEXT: "same text as", NEAR: "nearly the same as",
    DOCUMENT: "asked of the same document in",
}  # fmt: skip


class DedupOptions(SieveOptions):
    """Options of the dedup sieve."""

    near: bool = Field(True, description="drop near-duplicates, too")
    threshold: float = Field(
        0.8, gt=0, le=1, description="words that two near-duplicates share, of all words of both (Jaccard)"
    )
    same_document: float | None = Field(
        0.5, gt=0, le=1, description="the same for questions of one document with one answer; null: as of any two"
    )


class Dedup:
    """Finds them by digests, sorted in numpy and mapped from disk: about 600 bytes of disk a question, 130 of memory,
    and 200 more that are mapped and go when they must."""

    name: ClassVar[str] = "dedup"
    reasons: ClassVar[frozenset[str]] = frozenset({DUPLICATE, SAME_TEXT, CONFLICT, NEAR, DOCUMENT})
    Options: ClassVar[type[DedupOptions]] = DedupOptions

    def __init__(self, options: DedupOptions, *, shingle: int = 1) -> None:
        """`shingle` is how many words a feature has: 1 for questions, more for documents."""
        self.options = options
        self._shingle = shingle

    def judge(self, examples: Examples, scratch: Path) -> Iterator[Rejected]:
        """All copies but one, and all examples of questions that have several answers."""
        rows, exact, prints = _read(examples, scratch, self._shingle)
        if not len(rows):
            return
        kept_by, conflicts = _equal(exact, prints.order)
        out = (kept_by >= 0) | conflicts
        reasons = np.where(conflicts, 1, np.where(kept_by >= 0, 0, -1))
        if self.options.near:
            for reason, edges in ((2, self._near(prints, scratch, out)), (3, self._of_document(prints, out))):
                found = _greedy(edges, prints.order, out)
                out |= found >= 0
                kept_by, reasons = np.where(found >= 0, found, kept_by), np.where(found >= 0, reason, reasons)
        words = (DUPLICATE if self._shingle == 1 else SAME_TEXT, CONFLICT, NEAR, DOCUMENT)
        for at in np.flatnonzero(out):
            word = words[reasons[at]]
            told = f"{_TOLD[word]} {exact['id'][kept_by[at]].decode()}" if kept_by[at] >= 0 else ""
            yield Rejected(int(rows[at]), word, told or "the same question has other answers too")

    def _near(self, prints: Fingerprints, scratch: Path, out: npt.NDArray[np.bool_]) -> Pairs:
        write_bands(prints, scratch, silent=self._shingle == 1)
        return self._verified(prints, candidates(prints, scratch), out, self.options.threshold)

    def _of_document(self, prints: Fingerprints, out: npt.NDArray[np.bool_]) -> Pairs:
        if self.options.same_document is None:
            return np.empty((0, 2), np.int64)
        alike = groups(prints.documents ^ prints.answers, prints.order)
        return self._verified(prints, alike, out, self.options.same_document)

    def _verified(
        self, prints: Fingerprints, found: Iterable[Pairs], out: npt.NDArray[np.bool_], threshold: float
    ) -> Pairs:
        """Those of the candidates that are alike and still in; each once."""
        alike: list[Pairs] = [np.empty((0, 2), np.int64)]
        seen = np.empty(0, np.uint64)
        for pairs in found:
            pairs = pairs[~out[pairs].any(axis=1)]
            pairs = pairs[possible(prints, pairs, threshold)]
            numbers = pairs[:, 0].astype(np.uint64) << np.uint64(32) | pairs[:, 1].astype(np.uint64)
            numbers, places = _distinct(numbers)
            at = np.searchsorted(seen, numbers)
            known = np.zeros(len(numbers), bool)
            known[at < len(seen)] = seen[at[at < len(seen)]] == numbers[at < len(seen)]
            pairs = pairs[places[~known]]
            pairs = pairs[prints.answers[pairs[:, 0]] == prints.answers[pairs[:, 1]]]
            alike.append(pairs[jaccard(prints, pairs, telling=self._shingle == 1) >= threshold])
            seen = np.union1d(seen, numbers[~known])
        return np.concatenate(alike)


def _read(examples: Examples, scratch: Path, shingle: int) -> tuple[npt.NDArray[np.int64], Any, Fingerprints]:
    """The rows, and what stands for their texts."""
    paths = scratch / "rows.i64", scratch / "exact"
    with Writer(scratch, shingle) as writer, paths[0].open("wb") as rows_file, paths[1].open("wb") as exact_file:
        for rows, batch in examples.batches(("question", "answer", "id", "document_id")):
            questions, answers, ids, documents = (batch.column(at).to_pylist() for at in range(4))
            keys = (
                (digest(answer_key(answer)), digest(document), digest("\0".join((question, answer, document))))
                for question, answer, document in zip(questions, answers, documents, strict=True)
            )
            writer.add(questions, keys)
            entries = [
                (*_digests(question), digest(wording(answer)), name.encode())
                for question, answer, name in zip(questions, answers, ids, strict=True)
            ]
            exact_file.write(np.array(entries, _EXACT).tobytes())
            rows_file.write(np.array(rows, np.int64).tobytes())
    exact: Any = np.memmap(paths[1], _EXACT, mode="r") if paths[1].stat().st_size else np.empty(0, _EXACT)
    return np.fromfile(paths[0], np.int64), exact, writer.read()


def answer_key(answer: str) -> str:
    """What two answers share that are the same: words without articles, numbers by value; in its own wording if it has
    no words."""
    words = [word for word in tokens(answer) if word not in _ARTICLES]
    return " ".join(words) if words else wording(answer)


def _digests(text: str) -> tuple[int, int]:
    found = hashlib.blake2b(wording(text).encode("utf-8", "replace"), digest_size=16).digest()
    return int.from_bytes(found[:8], "little"), int.from_bytes(found[8:], "little")


def _equal(exact: Any, order: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each text the equal one that stays in its place, or -1; and whether its question has several answers."""
    line: Any = np.lexsort((np.arange(len(exact)), order, exact["low"], exact["high"]))
    high, low = exact["high"][line], exact["low"][line]
    new = np.ones(len(line), bool)
    new[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    group: Any = np.cumsum(new) - 1
    first: Any = np.flatnonzero(new)[group]
    answers = exact["answer"][line]
    conflict = np.zeros(int(group[-1]) + 1, bool)
    np.logical_or.at(conflict, group, answers != answers[first])
    kept_by = np.full(len(line), -1, np.int64)
    conflicts = np.zeros(len(line), bool)
    copies = ~new & ~conflict[group]
    kept_by[line[copies]] = line[first[copies]]
    conflicts[line] = conflict[group]
    return kept_by, conflicts


def _greedy(edges: Pairs, order: npt.NDArray[np.uint64], out: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """For each text the one that it goes for, or -1: in the order of staying, each that is alike to none that stays,
    stays."""
    kept_by = np.full(len(order), -1, np.int64)
    rank = np.empty(len(order), np.int64)
    by_order: Any = np.lexsort((np.arange(len(order)), order))
    rank[by_order] = np.arange(len(order))
    turned = rank[edges[:, 0]] > rank[edges[:, 1]]
    stays = np.where(turned, edges[:, 1], edges[:, 0])
    goes = np.where(turned, edges[:, 0], edges[:, 1])
    for at in np.lexsort((rank[stays], rank[goes])):
        other, this = stays[at], goes[at]
        if kept_by[this] < 0 and kept_by[other] < 0 and not out[this] and not out[other]:
            kept_by[this] = other
    return kept_by


def _distinct(numbers: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Each number once, and where it stands."""
    found: Any = np.unique(numbers, return_index=True)
    return found[0], found[1]
