"""Which texts ask what a benchmark asks: an index of benchmarks, and the rules.

Four rules, the surest first. An item is a benchmark's question.

same       the text's letters are the item's, whatever stands between them
contains   the item's letters stand in the text, one after the other (items of eight words or more)
run        thirteen words of the item stand in the text in a row (lm-evaluation-harness, GPT-3); eight, if it has fewer
near       so much of the item's pairs of words stand in the text, close together, each pair weighted by how rare it is

Rare is what few items of the packaged benchmarks have; `common.bin` holds the pairs that many have. A run or a pair
that says little ("which of the following is not an example of a") counts little, and a run that many items of one
index share counts for none of them.

Not covered: translations, paraphrases in other words, items of few letters (see `Index.coverage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from webscale_rl.sieves.benchmark import ITEM, Benchmark
from webscale_rl.sieves.grams import TELLING, Grams, Lookup, Pairs, runs
from webscale_rl.sieves.words import Numbers, Places

RUN, SHORT_RUN = 13, 8
"""Words in a row: lm-evaluation-harness takes 13 (after GPT-3, Brown et al. 2020); 8 for items that have fewer than 13,
as PaLM's decontamination has it (Chowdhery et al. 2022)."""
TRIPLE = 3
"""Words in a row that make an item worth a closer look."""
RUN_BITS, SHORT_RUN_BITS = 60.0, 50.0
"""How much a run must say."""
MOST_SHARING = 10
"""A run that more items share is a form that they are written in. GPT-3 left out
13-grams with more than ten matches."""
NEAR_BITS = 24.0
"""An item that says less is found as the whole text only."""
LEAST_LETTERS = 5
"""Items with fewer letters are found by the whole text and the answer only."""
RARE_BITS, WEAK_BITS = 12, 1
"""The weight of a pair that is not common, and of one whose words both say nothing: bits as in information, log2 of
how many items there are for each that has the pair."""
CANDIDATES = 16
"""Items that are looked at for one run of three words. Those left out are written in the same form as these."""
OWN_BITS = 9
"""A run of three words is an item's own if one of its pairs says so much. For the rest, other items are looked at: an
item is not asked for them. Of 6, 8, 9 and 10, the least that cost no paraphrase."""
FOLDER = Path(__file__).parent / "benchmarks"


class Coverage(NamedTuple):
    """By what an index finds a benchmark's items: so many by runs of 13 words, of 8 words, only by much of their text,
    only as the whole text, and so many not at all."""

    items: int
    runs: int
    short_runs: int
    near: int
    whole: int
    uncovered: int


class Index:
    """Benchmarks, ready to be looked up. Memory: about 40 bytes a word of theirs.

    `triples` is for an index of chosen items (`narrow`): runs of three in their upper half and items in their lower,
    sorted. Without, they are made of the items.
    """

    def __init__(self, benchmarks: Sequence[Benchmark], triples: Numbers | None = None) -> None:
        self.benchmarks = benchmarks
        self.items = np.concatenate([np.empty(0, ITEM), *(one.items for one in benchmarks)])
        pairs = np.concatenate([np.empty(0, np.uint32), *(one.pairs for one in benchmarks)])
        sizes = np.maximum(self.items["words"].astype(np.int64) - 1, 0)
        self.grams = Grams(pairs, np.cumsum(sizes))
        self.weights = weights(pairs)
        sums = np.concatenate([np.zeros(1, np.uint32), np.cumsum(self.weights, dtype=np.uint32)])
        self.bits = sums[self.grams.ends] - sums[self.grams.starts()]
        wholes, self.whole_item = np.unique(self.items["whole"], return_index=True)
        self.whole_lookup = Lookup(wholes)
        words = self.items["words"]
        self.run_lookup, self.run_item, self._by_run = self._runs(RUN, sums, words >= RUN)
        short = (words >= SHORT_RUN) & (words < RUN)
        self.short_lookup, self.short_item, self._by_short = self._runs(SHORT_RUN, sums, short)
        self._candidates(triples)

    def benchmark_of(self, item: int) -> Benchmark:
        """The benchmark that the item belongs to."""
        return self.benchmarks[int(np.searchsorted(self._item_ends, item, side="right"))]

    @cached_property
    def _item_ends(self) -> Places:
        return np.cumsum([len(one.items) for one in self.benchmarks])

    def coverage(self) -> dict[str, Coverage]:
        """By what the items of each benchmark are found."""
        told = {}
        near = self.bits >= NEAR_BITS
        answered = (self.items["answer"] != 0) & (self.items["letters"] > 0)
        whole = (self.items["letters"] >= LEAST_LETTERS) | answered
        for one, end in zip(self.benchmarks, self._item_ends, strict=True):
            its = slice(end - len(one.items), end)
            by_run, by_short = self._by_run[its], self._by_short[its] & ~self._by_run[its]
            left = ~by_run & ~by_short
            by_near = left & near[its]
            by_whole = left & ~by_near & whole[its]
            rest = left & ~by_near & ~by_whole
            kinds = (by_run, by_short, by_near, by_whole, rest)
            told[one.name] = Coverage(len(one.items), *(int(kind.sum()) for kind in kinds))
        return told

    def _runs(self, width: int, sums: Any, wanted: Any) -> tuple[Lookup, Places, Any]:
        """The runs of the wanted items that say enough and are no form, an item of each, and the items that have any.
        `sums` is what the pairs say, added up."""
        keys, starts = runs(self.grams, width)
        of = self._items_of(width)
        usable = sums[starts + width - 1] - sums[starts] >= (RUN_BITS if width == RUN else SHORT_RUN_BITS)
        usable &= wanted[of]
        del starts
        keys, of = keys[usable], of[usable]
        order = np.argsort(keys, kind="stable")  # of equal ones, the first item's is the first
        keys, of = keys[order], of[order]
        del order
        first = np.flatnonzero(_new(keys))
        sharing = np.diff(np.append(first, len(keys)))
        found = np.zeros(len(self.items), bool)
        found[of[np.repeat(sharing <= MOST_SHARING, sharing)]] = True
        first = first[sharing <= MOST_SHARING]
        return Lookup(keys[first]), of[first], found

    def _items_of(self, width: int) -> Any:
        """The item of each run of so many words."""
        counts = np.maximum(self.items["words"].astype(np.int64) - width + 1, 0)
        return np.repeat(np.arange(len(self.items), dtype=np.int32), counts)

    def _candidates(self, triples: Numbers | None) -> None:
        """For each run of three words, the first few items that have it; and how many of its own each item has."""
        keys, starts = runs(self.grams, TRIPLE)
        items = self._items_of(TRIPLE)
        self.triples_of = np.bincount(items[own(self.weights, starts)], minlength=len(self.items))
        if triples is None:
            keys &= np.uint64(0xFFFFFFFF << 32)
            keys |= items.astype(np.uint64)
            keys.sort()  # np.unique takes ten times as long
            triples = keys[_new(keys)]
        keys = triples
        of = keys.astype(np.uint32).astype(np.int32)
        keys = (keys >> np.uint64(32)).astype(np.uint32)
        first = np.flatnonzero(_new(keys))
        sizes = np.diff(np.append(first, len(keys)))
        kept = np.arange(len(keys)) - np.repeat(first, sizes) < CANDIDATES
        self.triple_lookup = Lookup(keys[first])
        self.triple_items = of[kept]
        self.triple_counts = np.minimum(sizes, CANDIDATES).astype(np.int32)
        self.triple_starts = (np.cumsum(self.triple_counts) - self.triple_counts).astype(np.int32)


def _new(keys: Any) -> Any:
    """Which of these sorted numbers are not the one before them."""
    new = np.ones(len(keys), bool)
    new[1:] = keys[1:] != keys[:-1]
    return new


def own(weights: Any, starts: Places) -> Any:
    """Which of the runs of three, by their first pairs, are hardly another item's."""
    return np.maximum(weights[starts], weights[starts + 1]) >= OWN_BITS


def weights(pairs: Pairs) -> Any:
    """How many bits each pair tells."""
    found = np.where(pairs & TELLING, np.uint8(RARE_BITS), np.uint8(WEAK_BITS))
    keys, bits = _common()
    at, which = Lookup(keys).find(pairs)
    found[at] = np.minimum(found[at], bits[which])
    return found


def _common() -> tuple[Pairs, Any]:
    data = (FOLDER / "common.bin").read_bytes()
    count = len(data) // 5
    return np.frombuffer(data, np.uint32, count), np.frombuffer(data, np.uint8, count, 4 * count)


def packaged() -> list[str]:
    """The names of the benchmarks whose indexes come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.index"))
