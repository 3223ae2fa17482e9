"""Free phrases: an answer is right if it asserts what the reference says.

Evidence is that the reference's content words stand together in the answer, by their stems, and that what stands around
them neither denies nor changes them (`assertion.py`). Words that the question holds may be left out. Synonyms cannot be
known: a short answer of other words is wrong ("disjoint"), a longer one undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from webscale_rl.reward.aka import also
from webscale_rl.reward.assertion import guarded
from webscale_rl.reward.lexicon import NEGATIONS, PLAIN
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.scene import Scene, best, is_new, scene
from webscale_rl.reward.standing import stands, turns
from webscale_rl.reward.text import fold
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import (
    LONGEST,
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
MOST_EXACT = 3
"""Content words from which a phrase is a description: its colourless words ("main", "used") may be missing."""
SYMBOL = 2
"""Characters up to which another wording is a symbol that may be a word in a sentence: A, as."""
FRAGMENT = 6
"""Content words up to which an answer is a term or a name rather than an explanation."""
MOST_PLACES = 8
"""Places where an answer has the reference; more is no answer of a few words."""
_LETTER = re.compile(r"[A-Za-z0-9]")
_TWICE = re.compile(r"[(/;\\]")
"""Without one of these signs, a reference has no second wording."""
_ARTICLES = frozenset(("a", "an", "the"))
_DIRECTED = frozenset("by than into over while whereas but versus".split())
_FORMS = frozenset("plural singular tense spell spelled spelling participle conjugation adjective adverb".split())


class Wanted(NamedTuple):
    """What one wording of a reference asks for. `keys` are its content stems in order, `required` those that the
    question does not hold, `names` those with a capital, `paired` those that exclude another one, `directed` that
    the order of all matters."""

    text: Text
    keys: tuple[str, ...]
    required: frozenset[str]
    own: frozenset[str]
    bare: tuple[str, ...]
    letters: frozenset[str]
    names: tuple[str, ...]
    paired: tuple[str, ...]
    directed: bool
    symmetric: bool
    verbal: bool
    forms: bool


def infer(answer: str, question: str = "") -> Reference | None:
    """Any wording with a word in it is a phrase, if it is nothing else."""
    if answer.isascii() and _LETTER.search(answer) and not _TWICE.search(answer):
        return Reference(answer, "phrase")  # the same, without a look at its words
    return Reference(answer, "phrase", aliases=wordings(answer)[1:]) if read(answer).words else None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer asserts the reference, or one of its other wordings."""
    if len(answer) > LONGEST:
        return Match(None, "long")
    text = read(answer)
    if not text.words:
        return Match(fold(answer) == fold(reference.answer) and bool(fold(answer)), "symbols")
    every = dict.fromkeys(one for given in all_wordings(reference, question, answer) for one in wordings(given))
    return best(compare_wording(one, text, question) for one in every)


def all_wordings(reference: Reference, question: str, answer: str) -> tuple[str, ...]:
    """The reference, its aliases, and other wordings of both that are known. A symbol must be the whole answer."""
    given = (reference.answer, *reference.aliases)
    others = (other for one in given for other in also(one, question))
    bare = answer.strip(" .()*$")
    return (*given, *(other for other in others if len(other) > SYMBOL or other == bare))


def compare_wording(wording: str, text: Text, question: str) -> Match:
    """The same for one wording and an answer that has been read."""
    wanted = _wanted(wording, question)
    if not wanted.text.words:
        return Match(None, "symbols")
    bare = _bare(text)
    if wanted.forms:
        written = tuple(word.plain for word in text.words), tuple(word.plain for word in wanted.text.words)
        if len(written[0]) <= len(written[1]):
            return Match(written[0] == written[1], "form")
        if not frozenset(written[1]) <= frozenset(written[0]):
            return Match(False, "form")
    if bare == wanted.bare or "".join(bare) == "".join(wanted.bare):
        return Match(True, "equal")
    if len(text.words) == 1 and text.words[0].raw.isupper() and text.words[0].plain in wanted.letters:
        return Match(len(text.words[0].raw) > 2 or None, "initials")
    if not wanted.text.words[0].raw.isascii() and _unspaced(wanted.text):
        return _in_script(wanted.text, text)
    at = scene(text, wanted.own, question)._replace(act=wanted.verbal and len(wanted.keys) > 1)
    held, replaced = _held(wanted, text, at)
    missing = wanted.required - held
    if missing:
        return _mismatch(wanted, text, at, missing, replaced)
    if replaced and len(wanted.keys) == 1:
        return Match(None, "kin")
    if any(opposed(key, word.stem) for key in wanted.own - text.content for word in text.words if is_new(at, word)):
        return Match(False, "opposed")
    at = scene(text, at.own | frozenset(replaced), question)._replace(act=at.act) if replaced else at
    sought = frozenset(key if key in text.content else replaced_by(key, replaced) for key in wanted.required)
    return _windows(wanted, text, at, sought)


def replaced_by(key: str, replaced: tuple[str, ...]) -> str:
    """The stem that stands for a key: itself, or its kin in the answer."""
    return next((other for other in replaced if kin(key, other)), key)


@lru_cache(maxsize=512)
def _wanted(wording: str, question: str) -> Wanted:
    text = read(wording)
    keys = tuple(word.stem for word in text.words if is_content(word)) or text.stems
    asked = read(question).content
    own = frozenset(keys)
    said = own - {word.stem for word in text.words if word.plain in PLAIN} if len(own) > MOST_EXACT else own
    plains = {word.plain for word in text.words}
    return Wanted(
        text=text,
        keys=keys,
        required=said - asked or own,
        own=own,
        bare=_bare(text),
        letters=initials(text) if len(text.words) > 1 else frozenset(),
        names=tuple(word.stem for word in text.words[1:] if is_name_like(word) and word.stem[0] != "#"),
        paired=tuple(key for key in keys if any(opposed(key, other) for other in keys)) if len(keys) < 40 else (),
        directed=len(keys) > 2 and (bool(plains & _DIRECTED) or {"from", "to"} <= plains),
        symmetric="and" in plains,
        verbal=_is_verbal(text),
        forms=any(word.plain in _FORMS for word in read(question).words),
    )


def _bare(text: Text) -> tuple[str, ...]:
    return tuple(word.stem for word in text.words if word.plain not in _ARTICLES)


def _held(wanted: Wanted, text: Text, at: Scene) -> tuple[frozenset[str], tuple[str, ...]]:
    """The required stems that the answer holds, as they are or as kin, and the kin that stand for them."""
    stems = frozenset(text.stems)
    held = wanted.required & stems
    if held == wanted.required:
        return held, ()
    new = [word.stem for word in text.words if is_content(word) and word.stem not in wanted.own]
    replaced = {}
    for key in wanted.required - held:
        other = next((other for other in new if kin(key, other) and not opposed(key, other)), None)
        if other:
            replaced[key] = other
    return held | frozenset(replaced), tuple(replaced.values())


def _windows(wanted: Wanted, text: Text, at: Scene, sought: frozenset[str]) -> Match:
    """What is made of the places where the answer has all that is sought."""
    found: list[Match] = []
    places = list(islice(shortest(text.stems, sought), MOST_PLACES + 1))
    if len(places) > MOST_PLACES:
        return Match(None, "repeated")
    for start, end in places:
        match = _inside(wanted, text, at, start, end)
        match = guarded(at, start, end) if match is None else match
        found.append(stands(at, start, end) if match.same else match)
    return together(found)


def together(found: list[Match]) -> Match:
    """What the places where an answer has the reference say together: right if one asserts it and none denies it."""
    if not found:
        return Match(None, "scattered")
    if any(match.same for match in found):
        denied = next((match for match in found if match.same is False), None)
        return next(match for match in found if match.same) if denied is None else Match(None, denied.rule)
    return found[-1]


def shortest(stems: tuple[str, ...], sought: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The runs of words that hold all stems and do not overlap, as short as they can be, from left to right."""
    last: dict[str, int] = {}
    found: tuple[int, int] | None = None
    for place, stem in enumerate(stems):
        if stem in sought:
            last[stem] = place
            if len(last) == len(sought):
                start, end = min(last.values()), place + 1
                if found is None or start >= found[1]:
                    if found:
                        yield found
                    found = start, end
                elif end - start < found[1] - found[0]:
                    found = start, end
    if found:
        yield found


def _inside(wanted: Wanted, text: Text, at: Scene, start: int, end: int) -> Match | None:
    """What stands between the reference's words: something that replaces one, a negation, another order."""
    words = text.words[start:end]
    new = [word for word in words if is_new(at, word)]
    left_out = wanted.own - frozenset(text.stems)
    if any(word.plain in NEGATIONS and word.stem not in wanted.own for word in words):
        return Match(False, "denied")
    if any(word.plain == "or" for word in words) and not any(word.plain == "or" for word in wanted.text.words):
        return Match(None if new else False, "alternatives")
    if any(turns(word) for word in new):
        return Match(None, "turned")
    if new and (left_out or any(is_exclusive(word.stem) for word in new)):
        return Match(None, "substituted")
    if len(new) > max(1, len(wanted.keys) // 2) or end - start > 4 * len(wanted.text.words) + 4:
        return Match(None, "scattered")
    if len(wanted.keys) > 1 and _turned(wanted, text.stems):
        return Match(None, "order")
    return None


def _turned(wanted: Wanted, stems: tuple[str, ...]) -> bool:
    """Whether the answer has the reference's words in another order where that says another thing."""
    paired = () if wanted.symmetric and len(wanted.keys) <= SHORT else wanted.paired
    for line in (paired, wanted.keys if wanted.directed else () if wanted.symmetric else wanted.names):
        places = [stems.index(key) for key in line if key in stems]
        if places != sorted(places):
            return True
    return False


def _mismatch(wanted: Wanted, text: Text, at: Scene, missing: frozenset[str], replaced: tuple[str, ...]) -> Match:
    """Why the answer is not the reference: something that excludes it, other words, or too little to tell."""
    new = [word.stem for word in text.words if is_new(at, word) and word.stem not in replaced]
    said = new or [word.stem for word in text.words if is_content(word) and word.stem not in wanted.own]
    if missing <= NEGATIONS and wanted.own & text.content:
        return Match(False, "negation")
    if any(opposed(key, other) for key in missing for other in said):
        return Match(False, "opposed")
    written = [word.plain for word in wanted.text.words if word.stem in missing]
    if any(near(key, word.plain) for key in written for word in text.words if is_new(at, word)):
        return Match(None, "near")
    shares = missing != wanted.required
    if not new:
        if shares:
            signed = any(mark in text.end for mark in "+-")
            told = replaced or wanted.own & text.content
            unlike = any(key[0] == "#" or (is_exclusive(key) and not replaced) for key in missing)
            return Match(False if told and unlike and not signed else None, "partial")
        plain = [word for word in text.words if word.plain in PLAIN and word.stem not in wanted.own]
        return Match(None if plain and len(text.content) > len(plain) else False, "says_nothing")
    if any(kin(key, other) for key in missing for other in new):
        return Match(None, "kin")
    if shares:
        terms = len(wanted.keys) <= SHORT and len(text.content) <= SHORT + 1 and not wanted.verbal
        return Match(False if terms else None, "substituted")
    if (
        not wanted.verbal
        and len(wanted.required) <= SHORT
        and (len(text.content) <= FRAGMENT or len(wanted.keys) <= SHORT)
    ):
        return Match(False, "disjoint")
    return Match(None, "other_words")


def _is_verbal(text: Text) -> bool:
    """Whether a phrase says what is done rather than what there is: for an act there are many words."""
    first = text.words[0] if text.words else None
    if first is None:
        return False
    long = len(text.words) > 1 and first.raw[-1:].islower()
    third = len(text.words) > 2 and first.plain.endswith("s") and is_content(text.words[1])
    return first.plain in ("to", "it", "they", "by", "because") or (
        long and (third or first.plain.endswith(("ing", "ed")))
    )


def _unspaced(text: Text) -> bool:
    """Whether the text is in a script that writes no spaces between words."""
    return any(
        "\u0e00" <= character <= "\u0eff" or "\u3040" <= character <= "\u9fff" for character in text.words[0].plain
    )


_FRAMES = frozenset("答案是为為ですだはのがをえ正解回答就最終终おそれこ的")


def _in_script(wanted: Text, text: Text) -> Match:
    """Chinese, Japanese, Thai: the reference's characters in a frame of characters that say nothing, or not there."""
    sought = "".join(word.raw for word in wanted.words)
    given = "".join(word.raw for word in text.words)
    if sought not in given:
        return Match(False if len(given) <= 2 * len(sought) + 8 else None, "disjoint")
    rest = given.replace(sought, "", 1)
    return Match(all(character in _FRAMES for character in rest) or None, "framed")
