"""Who meets whom: the comparisons of QuRating for a corpus that streams by, with one block of it in memory.

Documents are dealt out in blocks, in the corpus's order. Each is compared with documents before it in its block, drawn
by the seed, and with an anchor: one of a few documents drawn from the whole corpus, the same for all blocks. So each
document that opens its pairs has `pairs` of them; by induction all documents of a block hang together with the anchors
in one graph; and since all blocks meet the same anchors, their scores are on one scale (`rating.py`). What is compared
depends on documents before it and on the anchors alone: a corpus that grows at its end pays for what is new, and for
pairs with an anchor that took another's place.

Finding the anchors reads the corpus once before the first call.
"""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from webscale_rl.corpus import Unreadable
from webscale_rl.engine.feed import Item
from webscale_rl.refine.qurating import OpponentsOptions
from webscale_rl.refine.tokens import estimated_tokens
from webscale_rl.stages.document_text import excerpt
from webscale_rl.types import Document, content_id


class Text(NamedTuple):
    """A document as its opponents see it: its place in the corpus and its beginning."""

    ordinal: int
    text: str


def anchors(items: Iterable[Item], options: OpponentsOptions, seed: int, limit: int | None) -> list[Text]:
    """The documents with the smallest digests of seed and content: the same whatever else the corpus holds, as far as
    they stay the smallest."""
    found: list[tuple[int, int, str]] = []  # a heap, the largest digest first
    for ordinal, item in enumerate(islice(items, limit)):
        if isinstance(item, Unreadable) or not item.text.strip():
            continue
        text = excerpt(item.text, options.max_chars)
        digest = -int(content_id(str(seed), item.id, text), 16)
        if len(found) < options.anchors:
            heapq.heappush(found, (digest, ordinal, text))
        elif digest > found[0][0]:
            heapq.heapreplace(found, (digest, ordinal, text))
    return [Text(ordinal, text) for _, ordinal, text in sorted(found, key=lambda entry: entry[1])]


def matched(items: Iterable[Item], anchored: Sequence[Text], options: OpponentsOptions, seed: int) -> Iterator[Item]:
    """The corpus, each document cut to its beginning; in its metadata are `opponents` and the whole text's `tokens`."""
    block: list[Text] = []
    places = frozenset(anchor.ordinal for anchor in anchored)
    met: set[tuple[int, int]] = set()  # who of this block, and which anchor, opened a pair with which anchor
    for ordinal, item in enumerate(items):
        if ordinal % options.block == 0:
            block, met = [], {pair for pair in met if pair[0] in places}
        if isinstance(item, Unreadable):
            yield item
            continue
        text = excerpt(item.text, options.max_chars)
        again = {other for other, anchor in met if anchor == ordinal} if ordinal in places else set()
        opponents = _drawn(ordinal, (block, anchored), again, options.pairs, seed)
        met |= {(ordinal, other.ordinal) for other in opponents if other.ordinal in places}
        told = {"tokens": estimated_tokens(item.text), "opponents": [tuple(other) for other in opponents]}
        yield Document(item.id, text, item.source, item.url, told)
        if text.strip():
            block.append(Text(ordinal, text))


def _drawn(
    ordinal: int, among: tuple[Sequence[Text], Sequence[Text]], again: Container[int], pairs: int, seed: int
) -> list[Text]:
    """So many distinct opponents, or as many as there are: one anchor, the rest from the block, more anchors if it has
    not so many. A pair that the other one has opened is not asked about `again`, unless there is no other."""
    block, anchored = ([text for text in texts if text.ordinal not in again] for texts in among)
    drawn = {block[at].ordinal: block[at] for at in Chance(seed, ordinal).some(len(block), pairs - 1)}
    others = [anchor for anchor in anchored if anchor.ordinal != ordinal and anchor.ordinal not in drawn]
    others.sort(key=lambda anchor: content_id(str(seed), str(ordinal), str(anchor.ordinal)))  # whoever else is one
    for anchor in others[: pairs - len(drawn)]:
        drawn[anchor.ordinal] = anchor
    if not drawn and again:
        return _drawn(ordinal, among, (), pairs, seed)
    return list(drawn.values())


class Chance:
    """Numbers that a seed and a place decide, the same on every machine and in every version of Python."""

    def __init__(self, *parts: int) -> None:
        self._parts = parts
        self._drawn = 0

    def below(self, bound: int) -> int:
        """A number from 0 to below the bound. The bias of the remainder is under bound / 2**128."""
        self._drawn += 1
        return int(content_id(*map(str, (*self._parts, self._drawn))), 16) % bound

    def some(self, count: int, wanted: int) -> list[int]:
        """So many distinct numbers below `count`, or all of them."""
        if count <= wanted:
            return list(range(count))
        found: dict[int, None] = {}
        while len(found) < wanted:
            found[self.below(count)] = None
        return list(found)
