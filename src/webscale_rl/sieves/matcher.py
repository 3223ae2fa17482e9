"""Looks texts up in an index of benchmarks: passes of numpy over a batch, Python only for what looks like a hit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from webscale_rl.sieves.benchmark import answers as hashed_answers
from webscale_rl.sieves.contamination import LEAST_LETTERS, RUN, SHORT_RUN, SHORT_RUN_BITS, TRIPLE, Index
from webscale_rl.sieves.grams import Grams, Lookup, pairs_of, runs
from webscale_rl.sieves.words import Places, Words, read

SAME, CONTAINS, SHARED_RUN, NEAR = "same_question", "contains_question", "shared_ngram", "near_question"
LONGEST, OVERLAP = 1 << 19, 1 << 14
"""Characters of a text that are looked at together, and of those that two parts of it share: memory is by character."""
AT_ONCE = 1 << 18
"""A good size of a batch, in characters: what is worked on stays near the processor."""
LEAST_SHARED = 0.2
"""Of an item's own runs of three: with fewer it is not looked at. A text in which the item is but a part needs more."""
_GAP = 1 << 13
"""Between texts, in pairs: no window reaches over it."""
_NO_ANSWER = 0


class Near(NamedTuple):
    """When so much of an item stands in a text that the text asks the same. `share` is of the item's pairs, by weight,
    `bits` what the pairs that stand in the text say together. See docs/decontamination.md for how these were chosen: on
    the benchmarks with a fifth of their words replaced, and on 5,003 documents of other contents."""

    share: float = 0.4
    """Enough if the text is as long as the item, but for a quarter,"""
    bits: float = 40.0
    """and these say so much; if they say less,"""
    short_share: float = 0.5
    short_bits: float = 24.0
    """this is needed."""
    longer_share: float = 0.5
    longer_bits: float = 50.0
    """Enough if the text is up to about twice as long,"""
    inside_bits: float = 100.0
    """and if the item is but a part of it."""
    nearly_all: float = 0.9
    """So much of an item that says `bits` is enough in a text up to twice as long."""
    answer_share: float = 0.3
    """Enough for a text of the same length that has the same answer."""
    other_answer_share: float = 0.75
    """Needed if the answer is another one and the question is short: one word can make it another question,"""
    other_answer_bits: float = 100.0
    """that is, if it says less than this."""

    def is_hit(self, share: float, bits: float, sizes: tuple[int, int], agree: bool | None) -> bool:
        """Whether it is. `sizes`: the words of the text and of the item; `agree`: whether the answers do, if known."""
        size, length = sizes
        if agree is False and bits < self.other_answer_bits and share < self.other_answer_share:
            return False
        if abs(size - length) <= 1 + length // 4:
            if agree:
                return share >= self.answer_share and bits >= self.short_bits / 2
            return share >= (self.share if bits >= self.bits else self.short_share) and bits >= self.short_bits
        if embedded(size, length):
            return share >= self.longer_share and bits >= self.inside_bits
        return bits >= self.bits and share >= (self.longer_share if bits >= self.longer_bits else self.nearly_all)


def embedded(size: Any, length: Any) -> Any:
    """Whether an item of so many words is but a part of a text of so many."""
    return size > 2 * length + 12


class Hit(NamedTuple):
    """A text asks what a benchmark's item asks: by which rule, and the words of the text that say so."""

    reason: str
    benchmark: str
    item: str
    first_word: int
    last_word: int
    why: str
    excerpt: str

    @property
    def detail(self) -> str:
        """For people, and for `dropped/`."""
        return f"{self.benchmark} {self.item}: {self.why}; {self.span}"

    @property
    def span(self) -> str:
        """Which words of the text, and how they begin."""
        return f"words {self.first_word + 1} to {self.last_word}: {self.excerpt}"


class _Batch(NamedTuple):
    """Some texts, read."""

    words: Words
    grams: Grams
    word_starts: Places
    pair_starts: Places

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Batch:
        words = read(texts)
        grams = pairs_of(words)
        return cls(words, grams, words.starts(), grams.starts())

    def texts_of(self, pairs: Places) -> Places:
        return np.searchsorted(self.grams.ends, pairs, side="right")

    def length(self, text: int) -> int:
        return int(self.words.ends[text] - self.word_starts[text])

    def word(self, text: int, pair: int) -> int:
        """The word, of all words, that a pair of the text begins with."""
        return int(self.word_starts[text] + pair - self.pair_starts[text])


class Matcher:
    """Finds texts that ask what a benchmark asks."""

    def __init__(self, index: Index, near: Near | None = None) -> None:
        self.index = index
        self.near = Near() if near is None else near

    def find(self, texts: Sequence[str], answers: Sequence[str] | None = None) -> list[Hit | None]:
        """For each text the hit of the surest rule, or None. `answers` are the texts' answers, if they have any.

        A very long text is looked at in parts; the words of a hit are counted from the beginning of its part.
        """
        found: list[Hit | None] = []
        for begin, end in slices(texts):
            some = None if answers is None else answers[begin:end]
            if len(texts[begin]) <= LONGEST:
                found += self._find(texts[begin:end], some)
                continue
            hits = (self._find([part], some)[0] for part in parts(texts[begin]))
            found.append(next((hit for hit in hits if hit is not None), None))
        return found

    def _find(self, texts: Sequence[str], answers: Sequence[str] | None) -> list[Hit | None]:
        found: list[Hit | None] = [None] * len(texts)
        if not len(self.index.items):
            return found
        batch = _Batch.of(texts)
        given = None if answers is None else hashed_answers(answers)
        for text, item in self._same(batch, given):
            found[text] = self._hit(batch, SAME, text, item, 0, 0, "the whole text")
        for text, item, first, last in self._runs(batch):
            if found[text] is None:
                found[text] = self._run_hit(batch, text, item, first, last)
        for text, item, pair in self._candidates(batch):
            if found[text] is None:
                answer = _NO_ANSWER if given is None else int(given[text])
                found[text] = self._judged(batch, text, item, pair, answer)
        return found

    def _same(self, batch: _Batch, given: Any) -> list[tuple[int, int]]:
        sums, letters = batch.words.whole()
        at, which = self.index.whole_lookup.find(sums)
        its = self.index.whole_item[which]
        right = self.index.items["letters"][its] == letters[at]
        enough = letters[at] >= LEAST_LETTERS
        if given is not None:
            enough |= (letters[at] > 0) & (given[at] != _NO_ANSWER) & (given[at] == self.index.items["answer"][its])
        right &= enough
        return list(zip(at[right].tolist(), its[right].tolist(), strict=True))

    def _runs(self, batch: _Batch) -> list[tuple[int, int, int, int]]:
        """Of each text that shares a run with an item: the item, and from which pair to which they agree."""
        found = []
        index = self.index
        kinds: tuple[tuple[int, Lookup, Any], ...] = (
            (RUN, index.run_lookup, index.run_item),
            (SHORT_RUN, index.short_lookup, index.short_item),
        )
        for width, lookup, items in kinds:
            keys, starts = runs(batch.grams, width)
            at, which = lookup.find(keys)
            places = starts[at]
            texts, first = np.unique(batch.texts_of(places), return_index=True)
            for text, begin in zip(texts.tolist(), first.tolist(), strict=True):
                end = begin
                while end + 1 < len(places) and places[end + 1] == places[end] + 1:
                    end += 1
                found.append((text, int(items[which[begin]]), int(places[begin]), int(places[end]) + width - 1))
        return found

    def _candidates(self, batch: _Batch) -> list[tuple[int, int, int]]:
        """Pairs of a text and an item that share runs of three words close together, and where these begin."""
        index = self.index
        keys, starts = runs(batch.grams, TRIPLE)
        at, which = index.triple_lookup.find((keys >> np.uint64(32)).astype(np.uint32))
        if not len(at):
            return []
        counts = index.triple_counts[which]
        before = np.cumsum(counts) - counts
        each = np.repeat(index.triple_starts[which] - before, counts) + np.arange(int(counts.sum()))
        items = index.triple_items[each].astype(np.int64)
        places = np.repeat(starts[at], counts)
        texts = np.repeat(batch.texts_of(starts[at]), counts)
        line = (items << 40) + places + texts * _GAP
        order = np.argsort(line)
        line, items, places, texts = line[order], items[order], places[order], texts[order]
        length = index.items["words"][items].astype(np.int64)
        shared = np.searchsorted(line, line + np.minimum(length * 3 // 2 + 4, _GAP - 1)) - np.arange(len(line))
        sizes = (batch.words.ends - batch.word_starts)[texts]
        of = np.maximum(index.triples_of[items], 1)
        inside = embedded(sizes, length)
        enough = np.where(inside, np.maximum(3, of * 0.3), np.maximum(1, of * LEAST_SHARED)) <= shared
        enough &= ~inside | (length >= SHORT_RUN)
        chosen = np.flatnonzero(enough)
        chosen = chosen[np.lexsort((-shared[chosen], items[chosen], texts[chosen]))]
        new = np.ones(len(chosen), bool)
        new[1:] = (texts[chosen[1:]] != texts[chosen[:-1]]) | (items[chosen[1:]] != items[chosen[:-1]])
        chosen = chosen[new]
        chosen = chosen[np.lexsort((-(shared[chosen] / of[chosen]), texts[chosen]))]
        columns = (column[chosen].tolist() for column in (texts, items, places))
        return list(zip(*columns, strict=True))

    def _judged(self, batch: _Batch, text: int, item: int, pair: int, answer: int) -> Hit | None:
        """Whether so much of the item stands in the text around this pair that the text asks the same."""
        index, near = self.index, self.near
        begin, end = int(index.grams.ends[item - 1]) if item else 0, int(index.grams.ends[item])
        length = int(index.items["words"][item])
        first = max(int(batch.pair_starts[text]), pair - length)
        last = min(int(batch.grams.ends[text]), pair + length * 3 // 2 + 4)
        around, its = batch.grams.pairs[first:last].tolist(), index.grams.pairs[begin:end].tolist()
        present, wanted = set(around), set(its)
        bits = float(sum(w for one, w in zip(its, index.weights[begin:end].tolist(), strict=True) if one in present))
        share = bits / max(float(index.bits[item]), 1.0)
        given = int(index.items["answer"][item])
        agree = None if _NO_ANSWER in (answer, given) else answer == given
        if near.is_hit(share, bits, (batch.length(text), length), agree):
            why = f"{share:.0%} of its pairs of words" + (" and its answer" if agree else "")
            shared = [place for place, one in enumerate(around, first) if one in wanted]
            return self._hit(batch, NEAR, text, item, shared[0], shared[-1] + 1, why)
        if length >= SHORT_RUN and index.bits[item] >= SHORT_RUN_BITS:
            return self._contained(batch, text, item, first, last)
        return None

    def _run_hit(self, batch: _Batch, text: int, item: int, first: int, last: int) -> Hit:
        length = int(self.index.items["words"][item])
        from_, to = max(int(batch.pair_starts[text]), first - length), min(int(batch.grams.ends[text]), last + length)
        whole = self._contained(batch, text, item, from_, to)
        why = f"{last - first + 1} of its words in a row"
        return whole or self._hit(batch, SHARED_RUN, text, item, first, last, why)

    def _contained(self, batch: _Batch, text: int, item: int, first: int, last: int) -> Hit | None:
        """Whether the letters of the item stand between these pairs."""
        words = batch.words
        begin = int(words.first[batch.word(text, first)])
        end = int(words.last[min(batch.word(text, last), int(words.ends[text]) - 1)])
        count = int(self.index.items["letters"][item])
        if end - begin < count:
            return None
        places = np.arange(begin, end - count + 1)
        its = np.flatnonzero(words.spelt(places, places + count) == self.index.items["whole"][item])
        if not len(its):
            return None
        letter = begin + int(its[0])
        offset = int(batch.word_starts[text])
        one, other = np.searchsorted(words.first, [letter, letter + count - 1], side="right") - 1
        excerpt = words.shown(int(one), int(other) + 1)
        return self._made(CONTAINS, item, (int(one) - offset, int(other) + 1 - offset), "the whole question", excerpt)

    def _hit(self, batch: _Batch, reason: str, text: int, item: int, first: int, last: int, why: str) -> Hit:
        """A hit from pair `first` to pair `last`; of the whole text if it is the same."""
        offset = int(batch.word_starts[text])
        one = offset if reason == SAME else batch.word(text, first)
        other = offset + batch.length(text) if reason == SAME else batch.word(text, last) + 1
        return self._made(reason, item, (one - offset, other - offset), why, batch.words.shown(one, other))

    def _made(self, reason: str, item: int, span: tuple[int, int], why: str, excerpt: str) -> Hit:
        name = self.index.benchmark_of(item).name
        whole = int(self.index.items["whole"][item])
        return Hit(reason, name, f"{whole:016x}", *span, why, excerpt)


def slices(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """From which text to which, so that those together have about AT_ONCE characters and a very long one is alone."""
    begin = held = 0
    for row, text in enumerate(texts):
        if row > begin and held + len(text) > AT_ONCE:
            yield begin, row
            begin, held = row, 0
        held += len(text)
    if texts:
        yield begin, len(texts)


def parts(text: str) -> Iterator[str]:
    """The parts in which a very long text is looked at; other texts are one part."""
    for at in range(0, max(1, len(text) - OVERLAP), LONGEST - OVERLAP):
        yield text[at : at + LONGEST]
