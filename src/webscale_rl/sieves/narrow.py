"""An index of what some texts can meet at all.

An index of all packaged benchmarks takes 80 MB, and nearly half a second to make; a run asks it about some thousand
questions once. So the look-up is turned round: the texts' runs of three words are the set, and the benchmarks pass by,
a piece at a time. An index of the items that are left finds in these texts what the index of all would find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.contamination import CANDIDATES, Index, own, weights
from webscale_rl.sieves.grams import Grams, Lookup, pairs_of, triples
from webscale_rl.sieves.matcher import LEAST_SHARED, parts, slices
from webscale_rl.sieves.words import Numbers, read

AT_ONCE = 1 << 17
"""Pairs of a benchmark that are looked up together: some megabytes."""
_REPEATED = 2
"""A run that a text repeats counts as often for the matcher, and once here: so an item needs but half as many."""


class _Asked(NamedTuple):
    """What stands in the texts: the sums of their letters, their pairs of words and their runs of three."""

    wholes: Lookup
    pairs: Lookup
    triples: Lookup
    seen: Any
    """How many items had each run so far."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Asked:
        wholes, pairs, runs = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)], [np.empty(0, np.uint32)]
        for begin, end in slices(texts):
            for some in [texts[begin:end]] if end - begin > 1 else ([part] for part in parts(texts[begin])):
                words = read(some)
                grams = pairs_of(words)
                wholes.append(words.whole()[0])
                pairs.append(np.unique(grams.pairs))
                runs.append(np.unique(triples(grams.pairs, _within(grams))))
        seen = np.unique(np.concatenate(runs))
        known = Lookup(np.unique(np.concatenate(pairs)))
        return cls(Lookup(np.unique(np.concatenate(wholes))), known, Lookup(seen), np.zeros(len(seen), np.int64))


def narrowed(benchmarks: Sequence[Benchmark], texts: Sequence[str]) -> Index:
    """An index of the items that one of the texts may meet: those with the letters of a text, and those of whose runs
    of three so many stand in the texts that the matcher may look at them."""
    asked = _Asked.of(texts)
    left, entries, count = [], [np.empty(0, np.uint64)], 0
    for benchmark in benchmarks:
        kept, found = _sorted_out(benchmark, asked)
        sizes = np.maximum(benchmark.items["words"].astype(np.int64) - 1, 0)
        left.append(Benchmark(benchmark.name, benchmark.items[kept], benchmark.pairs[np.repeat(kept, sizes)]))
        numbers = np.cumsum(kept) - 1 + count  # of the items that are left
        of = found.astype(np.uint32)
        found = found[kept[of]]
        entries.append(found & np.uint64(0xFFFFFFFF << 32) | numbers[found.astype(np.uint32)].astype(np.uint64))
        count += len(left[-1].items)
    return Index(left, np.sort(np.concatenate(entries)))


def _sorted_out(benchmark: Benchmark, asked: _Asked) -> tuple[Any, Numbers]:
    """Which items are left; and the runs of three that stand in the texts, with the first few items that have each."""
    items = benchmark.items
    kept = np.zeros(len(items), bool)
    kept[asked.wholes.find(items["whole"])[0]] = True
    every = [np.empty(0, np.uint64)]
    for first, grams in _pieces(benchmark.grams):
        known = np.zeros(len(grams.pairs), bool)
        known[asked.pairs.find(grams.pairs)[0]] = True  # most runs of three are none of the texts' by their pairs
        starts = _within(grams, known)
        keys = triples(grams.pairs, starts)
        at, which = asked.triples.find(keys)
        of = np.searchsorted(grams.ends, starts[at], side="right")
        kept[first : first + len(grams.ends)] |= _enough(grams, of)
        every.append(_first_few(keys[at], first + of, which, asked.seen))
    return kept, np.concatenate(every)


def _enough(grams: Grams, of: Any) -> Any:
    """Which items share so many runs of three that the matcher may look at them; `of` has each shared run's item."""
    shared = np.bincount(of, minlength=len(grams.ends))
    sizes = np.diff(grams.ends, prepend=0)
    enough = shared >= np.maximum(1, np.maximum(sizes - 1, 0) * LEAST_SHARED / _REPEATED)  # were all runs its own
    unsure = (shared > 0) & ~enough
    theirs = Grams(grams.pairs[np.repeat(unsure, sizes)], np.cumsum(sizes[unsure]))
    starts = _within(theirs)
    its = np.searchsorted(theirs.ends, starts, side="right")[own(weights(theirs.pairs), starts)]
    needed = np.bincount(its, minlength=len(theirs.ends)) * LEAST_SHARED
    enough[unsure] = shared[unsure] >= needed / _REPEATED
    return enough


def _first_few(keys: Any, items: Any, which: Any, seen: Any) -> Numbers:
    """Runs and items, no run with more than the first few. An item has a run once, however often it stands there."""
    once, first = np.unique(keys.astype(np.uint64) << np.uint64(32) | items.astype(np.uint64), return_index=True)
    which = which[first]
    new = np.flatnonzero(np.diff(which, prepend=-1))
    counts = np.diff(np.append(new, len(which)))
    place = np.arange(len(which)) - np.repeat(new, counts) + seen[which]
    seen[which[new]] += counts
    few: Numbers = once[place < CANDIDATES]
    return few


def _within(grams: Grams, known: Any = None) -> Any:
    """The pairs that another one of the same text follows, and of these, if told, those that are known both."""
    inside = np.ones(max(0, len(grams.pairs) - 1), bool) if known is None else known[:-1] & known[1:]
    borders = grams.ends[(grams.ends > 0) & (grams.ends < len(grams.pairs))] - 1
    inside[borders] = False
    return np.flatnonzero(inside)


def _pieces(grams: Grams) -> Iterator[tuple[int, Grams]]:
    """The items' pairs, so many together, each piece with the number of its first item."""
    first = begin = 0
    while first < len(grams.ends):
        last = max(first + 1, int(np.searchsorted(grams.ends, begin + AT_ONCE, side="right")))
        end = int(grams.ends[last - 1])
        yield first, Grams(grams.pairs[begin:end], grams.ends[first:last] - begin)
        first, begin = last, end
