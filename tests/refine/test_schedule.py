"""Who meets whom: everybody enough others, all in one graph, and a corpus that grows changes little."""

from __future__ import annotations

from collections import Counter

from webscale_rl.corpus import Unreadable
from webscale_rl.engine.feed import Item
from webscale_rl.refine.qurating import OpponentsOptions
from webscale_rl.refine.schedule import anchors, matched
from webscale_rl.types import Document

OPTIONS = OpponentsOptions(block=50, pairs=4, anchors=6)


def corpus(count: int) -> list[Item]:
    return [Document(f"d{at}", f"Text number {at}.") for at in range(count)]


def meetings(items: list[Item], options: OpponentsOptions = OPTIONS, seed: int = 0) -> set[tuple[int, int]]:
    drawn = anchors(items, options, seed, None)
    found = set()
    for at, item in enumerate(matched(items, drawn, options, seed)):
        if isinstance(item, Document):
            found |= {(at, ordinal) for ordinal, _ in item.metadata["opponents"]}
    return found


def test_everyone_opens_so_many_pairs_with_distinct_others_one_of_them_an_anchor() -> None:
    items = corpus(230)
    anchored = {anchor.ordinal for anchor in anchors(items, OPTIONS, 0, None)}
    pairs = meetings(items)
    counts = Counter(one for one, _ in pairs)
    assert {counts[at] for at in range(230) if at not in anchored} == {4}
    assert len(counts) == 230
    assert len({frozenset(pair) for pair in pairs}) == len(pairs), "no pair is opened from both sides"
    assert all(one != other for one, other in pairs)
    for at in range(230):
        assert {other for one, other in pairs if one == at} & anchored
    assert all(other in anchored or (other < one and other // 50 == one // 50) for one, other in pairs)


def test_all_documents_hang_together() -> None:
    for count in (2, 3, 7, 51, 230):
        reached, left = {0}, meetings(corpus(count))
        while more := {end for pair in left if reached & set(pair) for end in pair} - reached:
            reached |= more
        assert reached == set(range(count)), count


def test_a_corpus_that_grows_keeps_nearly_all_its_pairs() -> None:
    before, after = meetings(corpus(400)), meetings(corpus(440))
    assert len(before & after) / len(before) > 0.85
    assert meetings(corpus(400), seed=1) != before


def test_what_has_no_text_meets_nobody() -> None:
    items: list[Item] = [
        Document("a", "One."),
        Unreadable("f:line 2", "corrupt_line"),
        Document("b", " "),
        Document("c", "Two."),
    ]
    drawn = anchors(items, OPTIONS, 0, None)
    assert [anchor.ordinal for anchor in drawn] == [0, 3]
    fed = list(matched(items, drawn, OPTIONS, 0))
    assert fed[1] is items[1]
    assert all(
        ordinal in (0, 3) for item in fed if isinstance(item, Document) for ordinal, _ in item.metadata["opponents"]
    )


def test_texts_are_cut_and_only_a_block_of_them_is_held() -> None:
    options = OpponentsOptions(block=10, max_chars=200, anchors=2, pairs=3)
    items = [Document(f"d{at}", f"{at} " + "word " * 1000) for at in range(40)]
    for at, item in enumerate(matched(items, anchors(items, options, 0, None), options, 0)):
        assert isinstance(item, Document)
        assert len(item.text) <= 200
        assert item.metadata["tokens"] > 1000
        assert all(len(text) <= 200 for _, text in item.metadata["opponents"]), at
