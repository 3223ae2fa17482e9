"""Free phrases: an answer is right if it asserts what the reference says.

Evidence is that the reference's content words stand together in the answer, by their stems, and that what stands around
them neither denies nor changes them (`assertion.py`). Words that the question holds may be left out. Synonyms cannot be
known: a short answer of other words is wrong ("disjoint"), a longer one undecided.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward.assertion import Scene, best, guarded, is_new, scene, stands
from webscale_rl.reward.lexicon import NEGATIONS, PLAIN
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import fold
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import (
    Text,
    initials,
    is_content,
    is_exclusive,
    is_name_like,
    kin,
    near,
    opposed,
    read,
    wordings,
)

SHORT = 3
"""Content words up to which a phrase is a term: with another word in it, it is another term."""
FRAGMENT = 6
"""Content words up to which an answer is a term or a name rather than an explanation."""
_ARTICLES = frozenset(("a", "an", "the"))
_DIRECTED = frozenset("from to by than into over".split())


class Wanted(NamedTuple):
    """What one wording of a reference asks for. `keys` are its content stems in order, `required` those that the
    question does not hold, `names` those with a capital, `directed` that their order matters."""

    text: Text
    keys: tuple[str, ...]
    required: frozenset[str]
    own: frozenset[str]
    bare: tuple[str, ...]
    letters: frozenset[str]
    names: tuple[str, ...]
    directed: bool
    symmetric: bool


def infer(answer: str, question: str = "") -> Reference | None:
    """Any wording with a word in it is a phrase, if it is nothing else."""
    return Reference(answer, "phrase", aliases=wordings(answer)[1:]) if read(answer).words else None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer asserts the reference, or one of its other wordings."""
    text = read(answer)
    if not text.words:
        return Match(fold(answer) == fold(reference.answer) and bool(fold(answer)), "symbols")
    every = dict.fromkeys(one for given in (reference.answer, *reference.aliases) for one in wordings(given))
    return best(compare_wording(one, text, question) for one in every)


def compare_wording(wording: str, text: Text, question: str) -> Match:
    """The same for one wording and an answer that has been read."""
    wanted = _wanted(wording, question)
    if not wanted.text.words:
        return Match(None, "symbols")
    bare = _bare(text)
    if bare == wanted.bare or "".join(bare) == "".join(wanted.bare):
        return Match(True, "equal")
    if len(text.words) == 1 and text.words[0].raw.isupper() and text.words[0].plain in wanted.letters:
        return Match(len(text.words[0].raw) > 2 or None, "initials")
    if not wanted.text.words[0].raw.isascii() and _unspaced(wanted.text):
        return _in_script(wanted.text, text)
    at = scene(text, wanted.own, question)
    held, replaced = _held(wanted, text, at)
    missing = wanted.required - held
    if missing:
        return _mismatch(wanted, text, at, missing)
    if replaced and len(wanted.keys) == 1:
        return Match(None, "kin")
    if any(opposed(key, word.stem) for key in wanted.own - text.content for word in text.words if is_new(at, word)):
        return Match(False, "opposed")
    at = at._replace(own=at.own | frozenset(replaced))
    sought = frozenset(key if key in text.content else replaced_by(key, replaced) for key in wanted.required)
    return _windows(wanted, text, at, sought)


def replaced_by(key: str, replaced: tuple[str, ...]) -> str:
    """The stem that stands for a key: itself, or its kin in the answer."""
    return next((other for other in replaced if kin(key, other)), key)


@lru_cache(maxsize=4096)
def _wanted(wording: str, question: str) -> Wanted:
    text = read(wording)
    keys = tuple(word.stem for word in text.words if is_content(word)) or text.stems
    asked = read(question).content
    own = frozenset(keys)
    plains = {word.plain for word in text.words}
    return Wanted(
        text=text,
        keys=keys,
        required=own - asked or own,
        own=own,
        bare=_bare(text),
        letters=initials(text) if len(text.words) > 1 else frozenset(),
        names=tuple(word.stem for word in text.words[1:] if is_name_like(word)),
        directed=bool(plains & _DIRECTED) and len(keys) > 2,
        symmetric="and" in plains,
    )


def _bare(text: Text) -> tuple[str, ...]:
    return tuple(word.stem for word in text.words if word.plain not in _ARTICLES)


def _held(wanted: Wanted, text: Text, at: Scene) -> tuple[frozenset[str], tuple[str, ...]]:
    """The required stems that the answer holds, as they are or as kin, and the kin that stand for them."""
    stems = frozenset(text.stems)
    held = wanted.required & stems
    if held == wanted.required:
        return held, ()
    new = [word.stem for word in text.words if is_new(at, word)]
    replaced = {}
    for key in wanted.required - held:
        other = next((other for other in new if kin(key, other) and not opposed(key, other)), None)
        if other:
            replaced[key] = other
    return held | frozenset(replaced), tuple(replaced.values())


def _windows(wanted: Wanted, text: Text, at: Scene, sought: frozenset[str]) -> Match:
    """The last window decides, unless an earlier one denies what it says."""
    found: list[Match] = []
    for start, end in _shortest(text.stems, sought):
        match = _inside(wanted, text, at, start, end)
        match = guarded(at, start, end) if match is None else match
        found.append(stands(at, start, end) if match.same else match)
    if not found:
        return Match(None, "scattered")
    if any(match.same for match in found):
        denied = next((match for match in found if match.same is False), None)
        return next(match for match in found if match.same) if denied is None else Match(None, denied.rule)
    return found[-1]


def _shortest(stems: tuple[str, ...], sought: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The runs of words that hold all stems and do not overlap, as short as they can be, from left to right."""
    last: dict[str, int] = {}
    for place, stem in enumerate(stems):
        if stem in sought:
            last[stem] = place
            if len(last) == len(sought):
                yield min(last.values()), place + 1
                last.clear()


def _inside(wanted: Wanted, text: Text, at: Scene, start: int, end: int) -> Match | None:
    """What stands between the reference's words: something that replaces one, a negation, another order."""
    words = text.words[start:end]
    new = [word for word in words if is_new(at, word)]
    left_out = wanted.own - frozenset(text.stems)
    if any(word.plain in NEGATIONS and word.stem not in wanted.own for word in words):
        return Match(False, "denied")
    if any(word.plain == "or" for word in words) and not any(word.plain == "or" for word in wanted.text.words):
        return Match(None if new else False, "alternatives")
    if new and (left_out or any(is_exclusive(word.stem) for word in new)):
        return Match(None, "substituted")
    if len(new) > max(1, len(wanted.keys) // 2) or end - start > 4 * len(wanted.text.words) + 4:
        return Match(None, "scattered")
    if not wanted.symmetric and len(wanted.keys) > 1 and _turned(wanted, text.stems[start:end]):
        return Match(None, "order")
    return None


def _turned(wanted: Wanted, stems: tuple[str, ...]) -> bool:
    """Whether the answer has the reference's words in another order where that says another thing."""
    line = wanted.keys if wanted.directed else wanted.names
    kept = [key for key in line if key in stems]
    places = [stems.index(key) for key in kept]
    return len(kept) > 1 and places != sorted(places)


def _mismatch(wanted: Wanted, text: Text, at: Scene, missing: frozenset[str]) -> Match:
    """Why the answer is not the reference: something that excludes it, other words, or too little to tell."""
    new = [word.stem for word in text.words if is_new(at, word)]
    said = new or [word.stem for word in text.words if is_content(word) and word.stem not in wanted.own]
    if any(opposed(key, other) for key in missing for other in said):
        return Match(False, "opposed")
    if any(near(key, other) for key in missing for other in new):
        return Match(None, "near")
    shares = missing != wanted.required
    if not new:
        if shares:
            return Match(False if any(map(is_exclusive, missing)) else None, "partial")
        plain = [word for word in text.words if word.plain in PLAIN and word.stem not in wanted.own]
        return Match(None if plain and len(text.content) > len(plain) else False, "says_nothing")
    if any(kin(key, other) for key in missing for other in new):
        return Match(None, "kin")
    if shares:
        return Match(False if len(wanted.keys) <= SHORT and len(new) <= SHORT else None, "substituted")
    if len(wanted.required) <= SHORT and (len(text.content) <= FRAGMENT or len(wanted.keys) <= SHORT):
        return Match(False, "disjoint")
    return Match(None, "other_words")


def _unspaced(text: Text) -> bool:
    """Whether the text is in a script that writes no spaces between words."""
    return any("\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff" for character in text.words[0].plain)


_FRAMES = frozenset("答案是为為ですだはのがをえ正解回答就の。最终終おそ")


def _in_script(wanted: Text, text: Text) -> Match:
    """Chinese, Japanese, Thai: the reference's characters in a frame of characters that say nothing, or not there."""
    sought = "".join(word.plain for word in wanted.words)
    given = "".join(word.plain for word in text.words)
    if sought not in given:
        return Match(False if len(given) <= 2 * len(sought) + 8 else None, "disjoint")
    rest = given.replace(sought, "", 1)
    return Match(all(character in _FRAMES for character in rest) or None, "framed")
