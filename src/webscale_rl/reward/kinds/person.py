"""Persons: the surname, and given names that do not contradict.

"Einstein", "A. Einstein", "Einstein, Albert" and "Dr. Albert Einstein" are Albert Einstein; Alfred Einstein is not, a
given name alone is undecided, and so is a surname that several who are asked about bear. A suffix or number that
differs is another person. Not covered: pen names, maiden names, nicknames that are no form of the given name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward.assertion import HEDGES, guarded
from webscale_rl.reward.kinds import name, phrase
from webscale_rl.reward.lexicon import NEGATIONS, PLAIN
from webscale_rl.reward.proper import (
    DEMONYMS,
    FEMALE,
    GIVEN,
    GIVEN_VARIANTS,
    KNOWN_BY_GIVEN,
    MALE,
    ORGANISATION,
    PARTICLES,
    PLACES,
    SHARED_SURNAMES,
    SUFFIXES,
    TITLES,
)
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.scene import Scene, best, breaks, is_new, scene
from webscale_rl.reward.standing import stands
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import LONGEST, Text, Word, is_content, is_name_like, near, wordings

_WHO = re.compile(
    r"\b(?:who|whom|whose)\b|\b(?:which|what)\b.{0,40}\b(?:scientist|physicist|chemist|mathematician|author"
    r"|writer|poet|playwright"
    r"|novelist|painter|artist|composer|singer|musician|actor|actress|director|king|queen|emperor|president"
    r"|prime minister"
    r"|pope|saint|general|explorer|inventor|philosopher|economist|astronomer|biologist|astronaut|athlete"
    r"|player|person|man"
    r"|woman|leader|monarch|judge|justice|senator|politician|founder|engineer|doctor|psychologist)\b",
    re.IGNORECASE,
)
_TEAMS = re.compile(
    r"\b(?:won|win|wins|beat|beats|defeated|champions?|team|club|band|owns|makes|manufactures|publish\w*)\b", re.I
)


LONG_SURNAME = 9
"""Letters from which a slip of the pen makes no other surname: Hitchcok, but not Thomson for Thompson."""
_BEFORE_GIVEN = (
    MALE - {"mr", "lord"} | FEMALE - {"mrs", "madame", "mme"} | frozenset("pope saint st brother sister father".split())
)
"""Titles that go with a given name: Queen Victoria, but General Montcalm."""
_OTHERS = frozenset("number suffix surname given_name middle_name person more_names title".split())
"""Why a name in a sentence is not the person's: another name beside the right one denies nothing."""


class Person(NamedTuple):
    """A name in its parts, folded. `given` are the given and middle names, an initial is one letter."""

    titles: frozenset[str]
    given: tuple[str, ...]
    surname: str
    number: str
    suffix: str


def infer(answer: str, question: str = "") -> Reference | None:
    """Two to five capitalised words or initials when the question asks who, or when they begin with a title or a common
    given name; one word when the question asks who."""
    text = name.named(answer)
    words = text.words
    if not words or len(words) > 6 or not _is_personal(words):
        return None
    who = _WHO.search(question[:1000])
    core = [word for word in words if word.plain not in TITLES]
    if not core or any(word.plain in ORGANISATION for word in words) or fold_words(core) in PLACES:
        return None
    known = core[0].plain in GIVEN or (len(core) < len(words) and words[0].raw[0].isupper())
    initial = len(core) > 1 and len(core[0].raw) <= 2 and core[0].raw.isupper() and not core[-1].raw.isupper()
    if len(core) == 1:
        fits = bool(who) and not _TEAMS.search(question[:1000])
    else:
        fits = (bool(who) and not (_TEAMS.search(question[:1000]) and not known)) or known or initial
    return Reference(answer, "person", aliases=wordings(answer)[1:]) if fits else None


def fold_words(words: Sequence[Word]) -> str:
    """The folded words in one line."""
    return " ".join(word.plain for word in words)


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer names the same person."""
    if len(answer) > LONGEST:
        return Match(None, "long")
    text = name.named(answer)
    if not text.words:
        return Match(False, "empty")
    every = dict.fromkeys(one for given in phrase.all_wordings(reference, question, answer) for one in wordings(given))
    return best(_compare(one, text, answer, question) for one in every)


def _compare(wording: str, text: Text, answer: str, question: str) -> Match:
    words = name.named(wording).words
    wanted = _person(words) if _is_personal(words) else None
    if wanted is None:
        return name.compare(Reference(wording, "name"), answer, question)
    if tuple(word.plain for word in words) == tuple(word.plain for word in text.words):
        return Match(True, "equal")
    text = _fused(text, wanted.surname)
    at = scene(text, frozenset(word.stem for word in words), question, name.asked_words(question) | DEMONYMS)
    whole = _person(text.words) if _is_personal(text.words) else None
    if whole is not None:
        return _same(wanted, whole, at)
    initials = "".join(word.plain[0] for word in words if word.plain not in SUFFIXES and word.plain not in PARTICLES)
    found = []
    for place, word in enumerate(text.words):
        if word.plain == wanted.surname or (word.raw.isupper() and len(initials) > 2 and word.plain == initials):
            found.append(_mention(wanted, text, at, place))
        if len(found) > phrase.MOST_PLACES:
            return Match(None, "repeated")
    if found:
        fitting = [match for match in found if match.same or match.rule not in _OTHERS]
        return phrase.together(fitting or found)
    return _absent(wanted, text, at)


def _fused(text: Text, surname: str) -> Text:
    """The text with a surname in one word where it stands in two: Di Caprio."""
    words = text.words
    for at in range(len(words) - 1):
        if words[at].plain + words[at + 1].plain == surname and not breaks(words, at + 1):
            one = words[at]._replace(raw=words[at].raw + words[at + 1].raw, plain=surname, stem=surname)
            fused = (*words[:at], one, *words[at + 2 :])
            return Text(fused, tuple(word.stem for word in fused), text.content | {surname}, text.end)
    return text


def _mention(wanted: Person, text: Text, at: Scene, place: int) -> Match:
    """The name around a place in a sentence, whether it is the person's, and whether the sentence asserts it."""
    words = text.words
    start, end = place, place + 1
    while start and _belongs(words, start - 1) and not breaks(words, start):
        start -= 1
    while end < len(words) and not breaks(words, end) and (_belongs(words, end) or words[end].stem[0] == "#"):
        end += 1
    if end < len(words) and words[end].plain in SUFFIXES:
        end += 1
    while start < place and words[start].plain in PARTICLES:
        start += 1
    person = _person(words[start:end])
    if person is None:
        return Match(None, "other_name")
    same = _same(wanted, person, at)
    if not same.same:
        return same
    match = guarded(at, start, end)
    if not match.same:
        return match
    before = start > 0 and "," in words[start].gap and any(is_new(at, word) for word in words[:start])
    after = end < len(words) and "," in words[end].gap and any(is_new(at, word) for word in words[end:])
    if (before or after) and all(is_name_like(word) or not is_content(word) for word in words):
        return Match(None, "several")
    standing = stands(at, start, end, name=True)
    return same if standing.same else standing


def _belongs(words: tuple[Word, ...], at: int) -> bool:
    word = words[at]
    if word.plain in PARTICLES and at + 1 < len(words) and is_name_like(words[at + 1]):
        return word.plain not in ("do", "e", "y", "le") or word.raw.islower()
    if word.plain in NEGATIONS or word.plain in HEDGES:
        return False
    return is_name_like(word) and is_content(word) and word.stem[0] != "#"


def _is_personal(words: tuple[Word, ...]) -> bool:
    """Whether the words are a name and nothing else: capitals, initials, particles, numbers of kings, one comma."""
    if not words or len(words) > 8:
        return False
    commas = sum("," in word.gap for word in words)
    if any(
        word.plain in NEGATIONS or word.plain in HEDGES or (word.plain in PLAIN - TITLES and at == 0)
        for at, word in enumerate(words)
    ):
        return False
    if commas > 1 or any(word.gap.strip(".,-") for word in words):
        return False
    for at, word in enumerate(words):
        named = is_name_like(word) or word.stem[0] == "#" or word.plain in PARTICLES or word.plain in SUFFIXES
        if (at and word.plain == "the") or (at == 0 and word.plain in PARTICLES and len(words) > 1):
            continue
        initial = len(word.raw) == 1 and at + 1 < len(words) and words[at + 1].gap.startswith(".")
        if not named or not (is_content(word) or word.plain in PARTICLES or initial):
            return False
    return not (any(word.plain == "the" for word in words) and words[-1].stem[0] != "#" and len(words) < 3)


@lru_cache(maxsize=1024)
def _person(words: tuple[Word, ...]) -> Person | None:
    """The parts of a name; None if there are none. "Last, First" is turned round, a suffix behind a comma is not."""
    at = next((at for at, word in enumerate(words) if at and "," in word.gap), 0)
    if at and words[at].plain not in SUFFIXES:
        if sum(word.plain not in PARTICLES for word in words[:at]) > 1:
            return None  # two names
        words = words[at:] + words[:at]
    titles: set[str] = set()
    parts: list[str] = []
    number = suffix = ""
    for word in words:
        if word.plain in TITLES and not parts:
            titles.add(word.plain)
        elif word.plain in SUFFIXES and parts:
            suffix = {"junior": "jr", "senior": "sr"}.get(word.plain, word.plain)
        elif word.stem[0] == "#" and parts:
            number = word.stem
        elif word.plain == "the" or (word.plain in PARTICLES and len(words) > 1):
            continue
        elif len(word.raw) <= 3 and word.raw.isupper() and word is not words[-1] and len(word.raw) > 1:
            parts.extend(word.plain)
        else:
            parts.append(word.plain)
    if not parts and titles:
        parts = [words[-1].plain]
    return Person(frozenset(titles), tuple(parts[:-1]), parts[-1], number, suffix) if parts else None


def _same(wanted: Person, given: Person, at: Scene) -> Match:
    """Whether two names can be one person's."""
    if (wanted.titles & MALE and given.titles & FEMALE) or (wanted.titles & FEMALE and given.titles & MALE):
        return Match(False, "title")
    if given.titles & MALE and at.asked & {"female", "woman", "queen", "wife", "daughter", "mother"}:
        return Match(False, "title")
    numbered = _numbers(wanted, given)
    if numbered is not None:
        return numbered
    if not wanted.given:
        return _one_name(wanted, given, at)
    if not given.given:
        return _alone(wanted, given, at)
    if wanted.surname != given.surname:
        if near(wanted.surname, given.surname) and _given(wanted.given[0], given.given[0]):
            doubled = name.single(wanted.surname) == name.single(given.surname) and len(wanted.surname) > 5
            return Match(doubled or len(wanted.surname) >= LONG_SURNAME or None, "near")
        if wanted.surname in given.given or given.surname in wanted.given:
            return Match(None if _given(wanted.given[0], given.given[0]) else False, "surname")
        return Match(False, "surname")
    return _given_names(wanted, given)


def _numbers(wanted: Person, given: Person) -> Match | None:
    """Whether suffixes and numbers tell two persons apart. Only a king needs his number, only a father his Sr."""
    if wanted.suffix != given.suffix and "sr" in (wanted.suffix, given.suffix):
        return Match(False if (wanted.suffix and given.suffix) or wanted.number else None, "suffix")
    if wanted.number == given.number:
        return None
    if wanted.number and given.number:
        return Match(False, "number")
    return Match(None, "number") if given.number or not wanted.given else None


def _given_names(wanted: Person, given: Person) -> Match:
    first, other = wanted.given[0], given.given[0]
    if not _given(first, other):
        later = other in wanted.given[1:] or first in given.given[1:]
        if near(first, other):
            return Match(None, "near")
        if not later or len(other) == 1 or len(first) == 1:
            return Match(False, "given_name")
        # Fitzgerald Kennedy may leave John out; Hans Albert Einstein is the son of Albert
        return Match(other in wanted.given[1:] or other not in GIVEN or None, "middle_name")
    middles, others = wanted.given[1:], given.given[1:]
    if not all(_given(one, two) for one, two in zip(middles, others, strict=False)):
        return Match(False, "middle_name")
    if wanted.surname in SHARED_SURNAMES and bool(middles) != bool(others):
        return Match(None, "shared_surname")
    return Match(True, "person")


def _one_name(wanted: Person, given: Person, at: Scene) -> Match:
    """A reference of one name: Charlemagne, Bono, Victoria."""
    if not given.given:
        if given.surname == wanted.surname:
            return Match(True, "person")
        return Match(None if near(wanted.surname, given.surname) else False, "person")
    if given.given[0] == wanted.surname and wanted.surname in KNOWN_BY_GIVEN and len(given.given) == 1:
        return Match(True, "person")
    parts = (*given.given, given.surname)
    if wanted.titles and not wanted.titles & _BEFORE_GIVEN and given.surname == wanted.surname:
        shared = wanted.surname in SHARED_SURNAMES
        return Match(None if shared else True, "shared_surname" if shared else "title")
    if wanted.surname in parts:
        return Match(all(part in at.asked for part in parts if part != wanted.surname) or None, "more_names")
    return Match(False, "more_names")


def _alone(wanted: Person, given: Person, at: Scene) -> Match:
    """One name for a reference of several: the surname will do, a given name will not."""
    alone = given.surname
    if "first" in at.said and "name" in at.said:
        return Match(alone == wanted.given[0], "given_name")
    if alone == wanted.surname:
        shared = alone in SHARED_SURNAMES or (alone in at.asked and wanted.given[0] not in at.asked)
        return Match(None if shared else True, "shared_surname" if shared else "surname")
    if alone in wanted.given:
        return Match(alone in KNOWN_BY_GIVEN or None, "given_name")
    letters = "".join(part[0] for part in (*wanted.given, wanted.surname))
    if len(letters) > 2 and alone == letters:
        return Match(True, "initials")
    return Match(None if near(alone, wanted.surname) else False, "surname")


def _given(one: str, other: str) -> bool:
    """Whether two given names may be one: equal, an initial of the other, or forms of one name."""
    if one == other:
        return True
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return any(one in forms and other in forms for forms in GIVEN_VARIANTS)


def _absent(wanted: Person, text: Text, at: Scene) -> Match:
    plains = {word.plain for word in text.words}
    if plains & set(wanted.given) - at.asked:
        return Match(None, "given_name")
    if any(near(wanted.surname, plain) for plain in plains):
        return Match(None, "near")
    return Match(False, "absent")
