"""Names of places, organisations, titles and works.

Words are compared as written but for case, accents, articles, legal forms and a few spellings (St., Mt., &). A generic
word may be missing or added if the question has it ("which river"). Initials stand for the name. What makes a name
another name (a number, a direction, a second capitalised word) is wrong in a short answer and undecided in a sentence.
Not covered: nicknames and former names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice

from webscale_rl.reward.assertion import guarded
from webscale_rl.reward.kinds import phrase
from webscale_rl.reward.lexicon import FUNCTION, PLAIN
from webscale_rl.reward.proper import ALWAYS_LEFT_OUT, DEMONYMS, GENERIC, LEGAL, PLACES, SPELT_OUT, STATES, TITLES
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.scene import Scene, best, breaks, clause_end, is_new, scene
from webscale_rl.reward.standing import stands
from webscale_rl.reward.text import clean, fold
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import (
    LONGEST,
    Text,
    Word,
    american,
    initials,
    is_content,
    is_exclusive,
    is_name_like,
    near,
    opposed,
    read,
    stem,
    wordings,
)

_ARTICLES = frozenset(("a", "an", "the"))
_LONGEST = 10
_DOUBLED = re.compile(r"(.)\1")
_REGION = re.compile(r"[A-ZÀ-ÖØ-Þ][\w.'’-]*(?:[ -](?:of|the|de|la|[A-ZÀ-ÖØ-Þ][\w.'’-]*)){0,4}")
_PLACED = re.compile(
    r"\bwhere\b|\b(?:what|which) (?:city|town|village|place|location)|\b(?:born|located|birthplace)\b", re.I
)
_CONTINENTS = frozenset("africa asia europe america".split())
_REGIONS = re.compile(
    r"\b(?:territory|province|county|region|district|prefecture|state|island|canton|department|oblast)\b"
)
_FRONT = re.compile(
    r"\b(?:where|which|what)(?:'s| is| was| are| were)?(?: the)?(?: name of the| capital)?\b.{0,40}\b(?:city"
    r"|country|state|capital"
    r"|continent|river|mountain|lake|ocean|sea|island|company|organization|organisation|agency|university"
    r"|book|novel|film"
    r"|movie|song|album|play|painting|band|team|planet|treaty|war|battle|language|newspaper|magazine|airline"
    r"|brand)\b|^where\b",
    re.IGNORECASE,
)


def infer(answer: str, question: str = "") -> Reference | None:
    """A name is written with capitals: all its words if there are several, and one word if the question asks for what
    has a name. Persons are left to their own kind."""
    text = read(answer)
    content = [word for word in text.words if is_content(word)]
    if not content or len(text.words) > _LONGEST:
        return None
    if any(breaks(text.words, at) for at in range(1, len(text.words))):
        head = _head(answer)
        placed = head and (_PLACED.search(question[:1000]) or answer.split(", ")[-1].casefold().strip(" .") in PLACES)
        return Reference(answer, "name", aliases=(head,)) if placed else None
    if not all(is_name_like(word) or word.stem[0] == "#" for word in content) or not is_name_like(content[0]):
        return None
    if len(content) == 1:
        word = content[0]
        if not (_FRONT.search(question[:1000]) or word.plain in PLACES) or len(word.raw) < 2:
            return None
    return Reference(answer, "name", aliases=wordings(answer)[1:])


def _head(answer: str) -> str:
    """The place itself of a place with its regions behind it: "Ajaccio, Corsica"; "" if this is none."""
    head, *regions = clean(answer).rstrip(".").split(", ")
    named = all(_REGION.fullmatch(part) for part in (head, *regions))
    return head if regions and len(regions) < 4 and named else ""


def _regions(answer: str) -> str:
    return clean(answer).partition(", ")[2] if ", " in answer and _head(answer) else ""


def _elsewhere(regions: Text, text: Text) -> bool:
    """Whether a place in a region is answered with another region behind a comma: Paris, Texas."""
    for at in range(1, len(text.words)):
        if text.words[at].gap == ",":
            last = clause_end(text.words, at + 1)
            said = " ".join(word.plain for word in text.words[at:last])
            wanted = {word.plain for word in regions.words}
            if said in PLACES and not wanted & {word.plain for word in text.words[at:]}:
                return True
    return False


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer names what the reference names."""
    if len(answer) > LONGEST:
        return Match(None, "long")
    text = named(answer)
    if not text.words:
        return Match(False, "empty")
    every = dict.fromkeys(one for given in phrase.all_wordings(reference, question, answer) for one in wordings(given))
    spelt_out = any(" " in one for one in every)
    match = best(_compare(one, text, question, spelt_out) for one in every)
    regions = read(_regions(reference.answer))
    return Match(None, "container") if match.same and regions.words and _elsewhere(regions, text) else match


@lru_cache(maxsize=512)
def named(text: str) -> Text:
    """The words of a text as names are compared: stems are the folded words themselves, but for numbers."""
    plain = read(text.replace("&", " and ")) if "&" in text else read(text)
    words = tuple(other for word in plain.words for other in _named(word))
    return Text(words, tuple(word.stem for word in words), plain.content, plain.end)


def _named(word: Word) -> tuple[Word, ...]:
    if word.raw in STATES and "," in word.gap:
        parts = STATES[word.raw].split()
        return tuple(
            Word(part.capitalize(), part, part, "" if at else word.gap, False) for at, part in enumerate(parts)
        )
    return (_spelt(word),)


def _spelt(word: Word) -> Word:
    return word if word.stem[0] == "#" else word._replace(stem=SPELT_OUT.get(word.plain) or american(word.plain))


@lru_cache(maxsize=512)
def asked_words(question: str) -> frozenset[str]:
    """The question's words as names are compared and as phrases are."""
    return frozenset(stem for word in read(question).words if is_content(word) for stem in (word.plain, word.stem))


def _compare(wording: str, text: Text, question: str, spelt_out: bool = False) -> Match:
    wanted, asked = named(wording), asked_words(question)
    core = _core(wanted)
    if not core:
        return phrase.compare_wording(wording, read(wording), question)
    given = _core(text)
    if given == core or "".join(given) == "".join(core):
        return Match(True, "equal")
    if not wanted.words[0].raw.isascii():
        return phrase.compare_wording(wording, text, question)
    own = frozenset(core)
    if any(one.endswith("ism") for one in core):
        text = _believers(text, own)
    at = scene(text, own, question, asked | (DEMONYMS - own))
    spoken = _by_initials(wanted, text, at, spelt_out)
    if spoken is not None:
        return spoken
    left_out = ALWAYS_LEFT_OUT if not any(word.plain == "of" for word in wanted.words) else frozenset()
    required = (
        frozenset(one for one in core if one not in asked and stem(one) not in asked and one not in left_out) or own
    )
    if len(core) == 1 or core[-1] in ("city", "college"):
        required = own - asked or own
    missing = required - frozenset(text.stems)
    if missing:
        return _mismatch(core, required, text, at, missing)
    found = []
    places = list(islice(phrase.shortest(text.stems, required), phrase.MOST_PLACES + 1))
    if len(places) > phrase.MOST_PLACES:
        return Match(None, "repeated")
    for start, end in places:
        found.append(_window(wanted, text, at, _grown(text, own, start, end)))
    return phrase.together(found)


def _believers(text: Text, own: frozenset[str]) -> Text:
    """The text with the belief for those who hold it: Roman Catholics hold Roman Catholicism."""
    stems = {word.stem: f"{stem(word.plain)}ism" for word in text.words if f"{stem(word.plain)}ism" in own}
    words = tuple(word._replace(stem=stems.get(word.stem, word.stem)) for word in text.words)
    return text._replace(words=words, stems=tuple(word.stem for word in words))


def _core(text: Text) -> tuple[str, ...]:
    """The words that make the name: without articles, legal forms, and prepositions of containers ("City of")."""
    words = [word for word in text.words if word.plain not in _ARTICLES]
    stems = [word.stem for word in words if word.plain not in LEGAL or len(words) == 1]
    if stems[:2] == ["city", "of"]:
        stems = stems[2:]
    if stems[-2:] == ["of", "america"] and len(stems) > 2:
        stems = stems[:-2]
    return tuple(stem for stem in stems if stem not in FUNCTION or len(stems) == 1)


def _grown(text: Text, own: frozenset[str], start: int, end: int) -> tuple[int, int]:
    """The window with the reference's other words beside it, and the articles and prepositions that link them."""
    words = text.words
    at = start
    while at and (words[at - 1].stem in own or words[at - 1].plain in ("of", "the", "and")) and not breaks(words, at):
        at -= 1
        start = at if words[at].stem in own else start
    at = end
    while (
        at < len(words) and (words[at].stem in own or words[at].plain in ("of", "the", "and")) and not breaks(words, at)
    ):
        at += 1
        end = at if words[at - 1].stem in own else end
    return start, end


def _window(wanted: Text, text: Text, at: Scene, window: tuple[int, int]) -> Match:
    start, end = window
    words = text.words
    inside = [word for word in words[start:end] if is_new(at, word)]
    if inside or end - start > len(wanted.words) + 3:
        return Match(False if len(words) <= 6 else None, "other_name")
    if any(word.plain == "or" for word in words[start:end]) and "or" not in wanted.stems:
        return Match(False, "alternatives")
    if any(breaks(words, place) for place in range(start + 1, end)) and len(words) > len(wanted.words) + 2:
        return Match(None, "scattered")
    match = guarded(at, start, end)
    if not match.same:
        return match
    beside = _beside(text, at, start, end)
    return stands(at, start, end, name=True) if beside is None else beside


def _beside(text: Text, at: Scene, start: int, end: int) -> Match | None:
    """Capitalised words right before or behind the window, or a container behind a comma."""
    words = text.words
    fragment = all(is_name_like(word) or not is_content(word) for word in words)
    if start and words[start - 1].plain in SPELT_OUT and words[start - 1].raw.isupper():
        return Match(False, "other_name")
    before = words[start - 1] if start and not breaks(words, start) else None
    before = None if before and before.plain in TITLES else before
    if (
        before
        and is_name_like(before)
        and before.stem not in at.own
        and (is_exclusive(before.stem) or is_exclusive(read(before.raw).stems[0]))
    ):
        part = words[start:end] and words[start].plain in _CONTINENTS
        return Match(False if fragment and not part else None, "other_name")
    after = words[end] if end < len(words) and not breaks(words, end) else None
    if after and after.plain in GENERIC and after.stem not in at.asked and is_name_like(after):
        return Match(None, "generic")
    if not fragment:
        return None
    if end < len(words) and "," in words[end].gap:
        last = clause_end(words, end + 1)
        if words[end].plain == "in" or (words[end].plain in ("on", "near") and at.where):
            return None
        container = " ".join(word.plain for word in words[end:last])
        known = all(word.stem in at.asked for word in words[end:last] if is_content(word))
        if known:
            return None
        asked_elsewhere = any(place in at.asked for place in PLACES if " " not in place)
        known = (container in PLACES and not asked_elsewhere) or _REGIONS.search(container) is not None
        itself = container == " ".join(word.plain for word in words[start:end])
        return Match(None, "container") if itself or not known else None
    if start and "," in words[start].gap and any(is_new(at, word) for word in words[:start]):
        place = " ".join(word.plain for word in words[start:end])
        return None if at.where and place in PLACES else Match(None, "several")
    return None


def _by_initials(wanted: Text, text: Text, at: Scene, spelt_out: bool) -> Match | None:
    """WHO for the World Health Organization, and the other way round unless the reference says itself what it is."""
    letters = _letters(wanted)
    for place, word in enumerate(text.words):
        if len(word.raw) >= 2 and word.raw.isupper() and word.plain in letters and word.plain not in at.own:
            if len(text.words) == 1:
                return Match(True, "initials")
            match = guarded(at, place, place + 1)
            return stands(at, place, place + 1, name=True) if match.same else match
    if not spelt_out and len(wanted.words) == 1 and len(wanted.words[0].raw) >= 3 and wanted.words[0].raw.isupper():
        name = tuple(word for word in text.words if word.plain not in _ARTICLES)
        if (
            len(name) <= _LONGEST
            and wanted.words[0].plain in _letters(text)
            and all(is_name_like(word) or not is_content(word) for word in name)
        ):
            return Match(True, "initials")
    return None


def _letters(text: Text) -> frozenset[str]:
    kept = tuple(word for word in text.words if word.plain not in _ARTICLES)
    return initials(text._replace(words=kept)) if len(kept) > 1 else frozenset()


def _is_team(core: tuple[str, ...], text: Text) -> bool:
    """The Packers for the Green Bay Packers: the plural that ends the name, alone."""
    last = core[-1]
    return (
        len(core) > 1
        and last not in PLACES
        and _core(text) == (last,)
        and last.endswith("s")
        and len(last) > 4
        and last not in GENERIC
    )


def _mismatch(core: tuple[str, ...], required: frozenset[str], text: Text, at: Scene, missing: frozenset[str]) -> Match:
    new = [word for word in text.words if is_new(at, word)]
    short = len(text.content) <= phrase.FRAGMENT
    for key in missing:
        for word in new:
            if len(key) >= 7 and near(key, word.stem) and single(key) == single(word.stem):
                return Match(True if len(missing) == 1 and len(new) == 1 and short else None, "spelling")
            if (
                len(missing) == len(new) == 1
                and short
                and {key, word.stem} == {min(key, word.stem), min(key, word.stem) + "s"}
            ):
                return Match(True, "spelling")
            if near(key, word.stem):
                return Match(None, "near")
            if opposed(key, word.stem) or opposed(*(read(one).stems[0] for one in (key, word.plain))):
                return Match(False, "opposed")
    if not new:
        if missing == required:
            return (
                Match(False, "says_nothing")
                if not any(word.plain in PLAIN for word in text.words)
                else Match(None, "other")
            )
        first = read(next(iter(missing))).stems
        if _is_team(core, text):
            return Match(True, "team")
        return Match(False if len(missing) == 1 and first and is_exclusive(first[0]) else None, "partial")
    if missing != required:
        return Match(False if short else None, "other_name")
    if any(_related(key, word.stem) for key in missing for word in new):
        return Match(None, "kin")
    return Match(False, "disjoint")


def single(word: str) -> str:
    """A word without doubled letters: Hemmingway is Hemingway."""
    return _DOUBLED.sub(r"\1", word)


def _related(one: str, other: str) -> bool:
    return len(one) > 4 and len(other) > 4 and one[:5] == other[:5] and fold(one) != fold(other)
