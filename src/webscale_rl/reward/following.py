"""What stands behind a window and makes it a part of something else, one of several, or something that was not asked.

    [Paris] Business Review      the window modifies another thing
    [Paris] and London           the window is one of two
    [Paris] is in France.        something else is said of it

Knows words alone and no grammar: what it cannot follow is None, never right.
"""

from __future__ import annotations

from webscale_rl.reward.lexicon import AUXILIARIES, HEADS
from webscale_rl.reward.proper import LEGAL
from webscale_rl.reward.scene import ARTICLES, LINKS, Scene, breaks, clause_end, is_new, is_other, is_past
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import Word, is_content, is_name_like, kin, opposed, stem

_HEAD_STEMS = frozenset(map(stem, HEADS))
_COPULAS = frozenset("is was are were".split())
_RELATIONS = frozenset("near under above below before after inside outside over".split())


def beside(scene: Scene, start: int, end: int, name: bool) -> Match | None:
    """What follows the window at once and makes it a part of something else: X's father, X Business Review."""
    words = scene.text.words
    if end >= len(words) or breaks(words, end):
        return None
    if words[end - 1].owns and any(is_new(scene, word) for word in words[end : clause_end(words, end)]):
        return Match(None, "owner")
    word = words[end]
    quoted = "'" in words[start].gap
    if word.gap == "'" and words[end - 1].raw.endswith("s") and not quoted and is_new(scene, word):
        return Match(None, "owner")
    if word.gap == "-" and is_content(word) and word.stem not in scene.own:
        return Match(None, "compound")
    if word.plain == "without":
        return Match(None, "contrasted")
    if (
        not is_new(scene, word)
        or word.stem in _HEAD_STEMS
        or word.plain in _RELATIONS
        or word.plain in LEGAL
        or word.plain.endswith("ly")
    ):
        return None
    if name:
        short = all(is_name_like(other) or not is_content(other) for other in words)
        named = is_name_like(word) or word.stem[0] == "#"
        alone = start == 0 and end + 1 == len(words) and not is_past(word)
        return Match(False if short and word.stem[0] == "#" else None, "extended") if named or alone else None
    if word.plain.endswith(("ed", "ing")) and end + 1 < len(words) and words[end + 1].plain in LINKS:
        return None
    finite = word.plain.endswith("ed") or (word.plain.endswith("s") and not words[end - 1].plain.endswith("s"))
    if finite and len(words) > end + 1 and start <= 3:
        return None
    return Match(None, "extended")


def described(scene: Scene, first: int, start: int, end: int) -> Match | None:
    """A name of which something else is said than what was asked: X is in Italy, X is a character in it."""
    words = scene.text.words
    last = clause_end(words, end)
    if any(is_content(word) for word in words[first:start]) or end + 2 > last or words[end].plain not in _COPULAS:
        return None
    rest = words[end + 1 : last]
    if rest[0].plain in ("in", "near") and not scene.where:
        said = {word.stem for word in rest if is_content(word)}
        return Match(None, "described") if said and len(scene.asked - scene.own) > len(said) and len(rest) < 4 else None
    if rest[0].plain in ("a", "an") and any(is_new(scene, word) for word in rest):
        known = any(word.stem in scene.asked or any(kin(word.stem, one) for one in scene.asked) for word in rest)
        return None if known else Match(None, "described")
    return None


def _is_list(scene: Scene, words: tuple[Word, ...], end: int) -> bool:
    """Whether what follows the comma is another item: new words alone, without article and verb."""
    item = words[end : clause_end(words, end + 1)]
    if all(map(is_name_like, item)) and not is_name_like(words[end - 1]):
        return False  # a dog, Laika
    return len(item) <= 3 and all(is_other(scene, word) and not word.plain.endswith(("ed", "ing")) for word in item)


def _goes_on(scene: Scene, word: Word, name: bool) -> bool:
    """Whether "and" adds a further act to an act: filter waste and produce urine."""
    return scene.act and not name and not any(opposed(word.stem, own) for own in scene.own)


def joined(scene: Scene, start: int, end: int, name: bool) -> Match | None:
    """X and Y where only X was asked for."""
    words = scene.text.words
    at = end
    if not name and at < len(words) and words[at].gap == "," and _is_list(scene, words, end):
        return Match(None, "listed")
    if at < len(words) and words[at].plain in ("and", "plus") and at + 1 < len(words):
        rest = words[at + 1 : at + 4]
        lead = next((word for word in rest if word.plain not in ARTICLES), rest[0])
        if lead.plain in AUXILIARIES or not is_content(lead) or is_past(lead):
            return None
        if is_other(scene, lead) and not (name and not is_name_like(lead)) and not _goes_on(scene, lead, name):
            return Match(None, "more")
    at = start - 1
    while at > 0 and words[at].plain in ARTICLES:
        at -= 1
    if at > 0 and words[at].plain in ("and", "plus") and not breaks(words, at) and is_other(scene, words[at - 1]):
        return Match(None, "more")
    return None
