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
from collections.abc import Iterable, Iterator, Sequence
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
    for ordinal, item in enumerate(items):
        if ordinal % options.block == 0:
            block = []
        if isinstance(item, Unreadable):
            yield item
            continue
        text = excerpt(item.text, options.max_chars)
        opponents = _drawn(ordinal, block, anchored, options.pairs, seed)
        told = {"tokens": estimated_tokens(item.text), "opponents": [tuple(other) for other in opponents]}
        yield Document(item.id, text, item.source, item.url, told)
        if text.strip():
            block.append(Text(ordinal, text))


def _drawn(ordinal: int, block: Sequence[Text], anchored: Sequence[Text], pairs: int, seed: int) -> list[Text]:
    """So many distinct opponents, or as many as there are: one anchor, the rest from the block, more anchors if it has
    not so many."""
    chance = Chance(seed, ordinal)
    earlier = chance.some(len(block), pairs - 1)
    drawn = {block[at].ordinal: block[at] for at in earlier}
    others = [anchor for anchor in anchored if anchor.ordinal != ordinal and anchor.ordinal not in drawn]
    for at in chance.some(len(others), pairs - len(drawn)):
        drawn[others[at].ordinal] = others[at]
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
