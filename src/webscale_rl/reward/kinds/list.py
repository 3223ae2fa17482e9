"""Lists and sets: every item of the reference once, no other, in order only if the order was asked for.

Items are compared by kinds of their own: "$250 and $100", "Watson and Crick". Separators are commas, semicolons, "and",
lines, bullets, numbers and arrows; a comma in parentheses separates nothing.
"""

from __future__ import annotations

import importlib
import re
from functools import lru_cache
from types import ModuleType

from webscale_rl.reward.kinds import phrase
from webscale_rl.reward.lexicon import FUNCTION, PLAIN
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean, fold
from webscale_rl.reward.verdict import Match
from webscale_rl.reward.words import LONGEST, is_content, is_name_like, plain_text, read

MOST_ITEMS = 40
"""A longer list is no short answer."""
MOST_OPEN = 12
"""Items that are compared each with each; the others must be equal."""
ITEM_KINDS = ("date", "money", "percentage", "quantity", "number", "code", "person", "name", "phrase")
"""What an item can be, the surest first."""

_LINES = re.compile(r"\n\s{0,20}(?:[-*•]\s{1,8}|\(?\d{1,3}[.)]\s{1,8}|\(?[a-z]\)\s{1,8})?")
_NUMBERED = re.compile(r"(?:^|(?<=\s))\(?\d{1,2}[.)]\s")
_BULLET = re.compile(r"^\s{0,20}(?:[-*•]\s|\(?\d{1,3}[.)]\s)")
_ARROWS = re.compile(r"\s?(?:→|->|=>|⇒|<(?!\s?\d)|>(?!\s?\d))\s?|,?\s(?:and )?then\s|,?\sfollowed by\s")
_AND = re.compile(r",?\s(?:and|&|plus|as well as)\s", re.IGNORECASE)
_OR = re.compile(r",?\s(?:or|nor)\s", re.IGNORECASE)
_ASSIGNED = re.compile(r"^[a-zA-Z](?:_?\d)?\s?=\s?")
_GLOSS = re.compile(r"\s?\([^()]{0,200}\)")
_LEAD = re.compile(
    r"^.{0,300}?(?:\b(?:are|is|were|was|include|includes|included|borders?|of)\b:?|:)\s", re.IGNORECASE | re.DOTALL
)
_VERB_LEAD = re.compile(
    r"(?:is|are|was|were|has|have|had|consists?|includes?|comprises?|contains?|features?)\b(?:.{0,80}\b(?:of|are|:))?\s"
)
_ALL = frozenset(("all", "both", "each"))
_SAID_OF_ALL = re.compile(
    r" (?:(?:all|both|each) )?(?:have|has|are|is|were|was|border|make up|made|do)\b[^,;\n]{0,80}$"
)
_ORDER = re.compile(
    r"\b(?:in (?:the )?(?:correct |right |chronological |ascending |descending |alphabetical |proper )?order"
    r"|rank|ranked|sequence|chronolog\w+|from \w+ to \w+"
    r"|steps?|ascending|descending|order of|sorted|arrange|in turn|in order)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:what are|which are|list|name (?:the|all|two|three|four|five|six|both|some|any)|two|three|four|five"
    r"|six|seven|eight|both|who were|what were"
    r"|which \w+s\b|all of the|authors|members|components|countries|elements|ingredients|types|roots|solutions)\b",
    re.IGNORECASE,
)


def infer(answer: str, question: str = "") -> Reference | None:
    """Several items, if the answer has three at least or the question asks for several; each item is short."""
    text = clean(answer)
    if not text or len(text) > 600:
        return None
    parts = items(text)
    asked = _SEVERAL.search(question[:2000]) is not None
    if len(parts) < 2 or (len(parts) == 2 and not asked) or len(parts) > MOST_ITEMS:
        return None
    if any(len(part.split()) > 8 for part in parts) or not _alike(text, parts, asked):
        return None
    return Reference(answer, "list", ordered=_ORDER.search(question[:2000]) is not None)


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer lists what the reference lists."""
    wanted = _items(clean(reference.answer))
    if len(answer) > LONGEST:
        return Match(None, "long")
    text = plain_text(answer)
    if not text:
        return Match(False, "empty")
    found = items(_without_tail(_without_lead(text, question, wanted), question))
    if _OR.search(text) and not _OR.search(reference.answer):
        if not all(any(character.isdecimal() for character in item) for item in wanted):
            return Match(False, "alternatives")
        found = [part for item in found for part in _OR.split(item)]
    if len(found) > MOST_ITEMS:
        return Match(False, "too_many")
    match = _matched(wanted, found, reference.ordered, question)
    if match.same is None or (match.same is False and len(found) < len(wanted)):
        again = [part for item in found for part in _AND.split(item)]
        if again != found:
            second = _matched(wanted, again, reference.ordered, question)
            match = second if second.same else match
    if match.same is False and len(found) > len(wanted) and (tail := _tail(found, len(wanted))):
        second = _matched(wanted, tail, reference.ordered, question)
        match = second if second.same else match
    if match.same is None and not reference.ordered:
        # "the manufacture, sale and transportation of alcohol": the items share words that stand once
        whole = phrase.compare(Reference(reference.answer, "phrase"), answer, question)
        match = whole if whole.same else match
    return match


def _tail(found: list[str], count: int) -> list[str] | None:
    """The last items of a sentence whose commas began before its list: "The flag, the Tricolore, consists of A, B"."""
    first = _VERB_LEAD.match(found[-count])
    return [found[-count][first.end() :], *found[len(found) - count + 1 :]] if first else None


def items(text: str) -> list[str]:
    """The items of a list in the order in which they stand, without bullets, numbers and quotation marks."""
    text = text.strip().strip("[]{}").strip()
    if len(_NUMBERED.findall(text)) > 1 and "\n" not in text:
        text = "\n".join(part for part in _NUMBERED.split(text) if part.strip())
    lines = [line for line in _LINES.split(_BULLET.sub("", text)) if line.strip()]
    if len(lines) > 1:
        return [_item(line) for line in lines if _item(line)]
    parts = _split(text, ";")
    if len(parts) < 2:
        parts = [part for part in _ARROWS.split(text) if part.strip()]
        if len(parts) > 1:
            parts = [piece for part in parts for piece in _with_and(_split(part, ","))]
    if len(parts) < 2:
        parts = _with_and(_split(text, ","))
    return [_item(part) for part in parts if _item(part)]


@lru_cache(maxsize=512)
def _items(text: str) -> tuple[str, ...]:
    return tuple(items(text))


def _with_and(parts: list[str]) -> list[str]:
    """The last item may hold the last two: "b and c". An "and" in an earlier item belongs to it."""
    if not parts:
        return parts
    return [*parts[:-1], *(part for part in _AND.split(" " + parts[-1]) if part.strip())]


def _split(text: str, mark: str) -> list[str]:
    """The parts between marks that do not stand in parentheses or within a number."""
    parts, depth, last = [], 0, 0
    for at, character in enumerate(text):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth = max(0, depth - 1)
        elif character == mark and not depth:
            figures = (
                text[at - 1 : at].isdecimal() and text[at + 1 : at + 4].isdecimal() and len(text[at + 1 : at + 4]) == 3
            )
            if not (mark == "," and figures and not text[at + 4 : at + 5].isdecimal()):
                parts.append(text[last:at])
                last = at + 1
    parts.append(text[last:])
    return [part for part in parts if part.strip()]


def _item(part: str) -> str:
    part = part.strip().strip("\"'`").strip()
    part = re.sub(r"(?i)^(?:and|then|finally|first|next|lastly)\s+", "", part)
    return _ASSIGNED.sub("", part.rstrip(".;,").strip())


def _alike(text: str, parts: list[str], asked: bool) -> bool:
    """Whether the parts are items rather than pieces of one thing: a date, "Paris, France", a clause."""
    if ";" in text or "\n" in text:
        return True
    first = read(parts[0]).words
    if re.search(r"\b(?:1\d{3}|20\d\d)\b", parts[-1]) and len(parts) == 2 and not asked:
        return False
    if not first:
        return all(parts)
    verbal = {"is", "are", "was", "were", "has", "have", "had", "because", "which", "who", "that", "to"}
    if any(word.plain in verbal for part in parts for word in read(part).words):
        return False
    names = [all(is_name_like(word) or not is_content(word) for word in read(part).words) for part in parts]
    return asked or all(names[1:]) or not any(names[1:])


def _without_lead(text: str, question: str, wanted: tuple[str, ...]) -> str:
    """The text without what introduces the list ("The three primary colors of light are"), if that names no item."""
    known = read(question).content
    own = {stem for item in wanted for stem in read(item).content}
    for _ in range(4):
        lead = _LEAD.match(text)
        if not lead:
            break
        words = [word for word in read(lead[0]).words if is_content(word)]
        if any(word.stem in own for word in words):
            return text
        if not all(
            word.stem in known or word.plain in PLAIN or word.plain in FUNCTION or word.stem[0] == "#" for word in words
        ):
            return text
        text = text[lead.end() :]
    return text


def _without_tail(text: str, question: str) -> str:
    """The text without what is said of all items with the question's words: "A, B and C all have rings"."""
    tail = _SAID_OF_ALL.search(text)
    if tail is None:
        return text
    known = read(question).content
    words = [word for word in read(tail[0]).words if is_content(word)]
    return text[: tail.start()] if all(word.stem in known or word.plain in PLAIN | _ALL for word in words) else text


def _matched(wanted: tuple[str, ...], found: list[str], ordered: bool, question: str) -> Match:
    """Each item of one list to one of the other. Undecided items leave the list undecided if nothing else is wrong."""
    if len(found) != len(wanted):
        missing = len(found) < len(wanted)
        return Match(False, "missing" if missing else "extra")
    if ordered:
        says = [_same(one, other, question) for one, other in zip(wanted, found, strict=True)]
        return Match(_all(says), "ordered")
    left = list(found)
    open_items = []
    for item in wanted:
        exact = next((other for other in left if fold(other) == fold(item)), None)
        if exact is None:
            open_items.append(item)
        else:
            left.remove(exact)
    if len(left) > MOST_OPEN:
        return Match(None, "many")
    undecided = []
    for item in open_items:
        same = next((other for other in left if _same(item, other, question)), None)
        if same is None:
            undecided.append(item)
        else:
            left.remove(same)
    if not left:
        return Match(True, "items")
    open_ = all(any(_same(item, other, question) is None for other in left) for item in undecided)
    return Match(None if open_ else False, "items")


def _all(says: list[bool | None]) -> bool | None:
    if False in says:
        return False
    return True if all(says) else None


def _same(wanted: str, given: str, question: str) -> bool | None:
    if fold(wanted) == fold(given):
        return True
    module, reference = _kind(wanted)
    same: bool | None = module.compare(reference, given, "").same
    if not same and "(" in wanted + given:
        bare, other = _GLOSS.sub("", wanted), _GLOSS.sub("", given)
        if (bare, other) != (wanted, given) and bare and other:
            return _same(bare, other, question)
    if not same and reference.type == "name" and re.match(r"[A-Z]\. ?[A-Z]", given):
        person = importlib.import_module("webscale_rl.reward.kinds.person")
        return bool(person.compare(Reference(wanted, "person"), given, "").same) or same
    if same is None and reference.type in ("name", "phrase"):
        more = [word for word in read(given).words if is_content(word)]
        own = read(wanted).stems
        if (
            own
            and more
            and more[-1].stem == own[-1]
            and all(word.plain.endswith(("ist", "ial")) or word.plain == "nazi" for word in more[:-1])
        ):
            return True
    return same


@lru_cache(maxsize=512)
def _kind(item: str) -> tuple[ModuleType, Reference]:
    """The kind that surely reads an item, and how it reads it."""
    for kind in ITEM_KINDS:
        module = importlib.import_module(f"webscale_rl.reward.kinds.{kind}")
        reference = module.infer(item, "")
        if reference is not None:
            return module, reference
    return importlib.import_module("webscale_rl.reward.kinds.phrase"), Reference(item, "phrase")
