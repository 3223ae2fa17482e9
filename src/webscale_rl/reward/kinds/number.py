"""Numbers: integers, decimals, fractions, scientific notation and number words, compared by exact value.

A reference is exact unless its tolerance says otherwise, with two exceptions:
- written as a decimal with three significant digits at least ("3.14"), it is right to give more digits that round to it
  ("3.14159"); of a shorter one ("0.5" and "0.52") nobody can tell which was meant: None.
- an answer with fewer digits that is the correct rounding of the reference, to two digits at least, is None, and right
  if the question asks for a rounded or an approximate value.

An answer may restate the unit or noun. A unit that the question asks for is converted, per cent and currencies count
as the question has them. "About 42" is 42; "more than 42" is None; a range or alternatives are wrong.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from webscale_rl.reward import units
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.markup import plain
from webscale_rl.reward.numbers import Found, Number, find, parse
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match

SURE_DIGITS = 3
"""Significant digits from which on a decimal reference is a rounded value, so that longer answers may round to it."""
NEAR_DIGITS = 2
"""Significant digits that a shorter, rounded answer needs for the rules to doubt rather than to refuse it."""

_ROUNDED = re.compile(
    r"\b(?:round(?:ed|ing)?|approximate(?:ly)?|about|roughly|estimate|nearest|decimal places?|significant"
    r" (?:figures?|digits?)"
    r"|to \w+ (?:decimals?|places|digits))\b",
    re.IGNORECASE,
)
_EXACT = re.compile(r"\bexact(?:ly)?\b", re.IGNORECASE)
_PERCENT_NEXT = re.compile(r"\s?(?:%|per ?cent\b|percent\b|pct\b)", re.IGNORECASE)
_PERCENT_ASKED = re.compile(r"(?<![\d ])%|(?<!\d )\bper ?cent\b|\bpercentages?\b", re.IGNORECASE)
_SHARE_ASKED = re.compile(
    r"\b(?:probability|proportion|fraction|decimal|ratio|share|chance|likelihood)\b", re.IGNORECASE
)
_EXPRESSION_AFTER = re.compile(r"\s?[\^√π!∞²³′″]|\s?[*/·×+](?=\s?[\w(\\√])|\s?-\s(?=\d)|(?:[xyzabnki]\b)|\s?\\[a-z]")
_EXPRESSION_BEFORE = re.compile(
    r"(?:[\^√_|±∓]|\\[a-z]+\{|[\w)]\s?[*/·×+]|\d\s?-|\b(?:log|ln|sin|cos|tan|sqrt)[\s(])\s?$"
)
_NOTHING = re.compile(
    r"\b(?:none|no one|nobody|nothing|no|nil|never|both|pairs?|couple|singles?|solo|once|twice|thrice|several"
    r"|doubled?|triple|half"
    r"|[IVXLC]+|infinite(?:ly)?|infinity|undefined)\b"
)
_LABEL = re.compile(
    r"(?:#|\bnos?\.|\bnumber|№|\b(chapter|section|article|page|grade|level|type|group|step|version|model|volume|room|route"
    r"|highway|channel|figure|table|season)) ?$",
    re.IGNORECASE,
)


_RANK_ASKED = re.compile(
    r"\b(?:which|what|in what|her|his|their) (?:place|position|rank)|\b(?:rank(?:ed|s)?|placed?)\b", re.IGNORECASE
)
_YEAR_BEFORE = re.compile(r"\b(?:in|since|by|as of|during|until|year|from|after|before)\s$", re.IGNORECASE)


def _is_year(value: Fraction) -> bool:
    return value.denominator == 1 and 1000 <= value <= 2100


def infer(answer: str, question: str = "") -> Reference | None:
    """A number if the whole answer is one; "x = 5" too. A year is one as well: dates are asked first."""
    number = _whole(plain(clean(answer)))
    return None if number is None else Reference(answer=answer, type="number")


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the number that the answer gives is the reference's. None if the reference holds no single number."""
    sought = _sought(reference.answer)
    if sought is None:
        return Match(None, "reference")
    text = plain(clean(answer))
    if crowded(text):
        return Match(False, "many")
    number = parse(text)
    if number is not None:
        return Match(same(sought, number, question, reference.tolerance), "value")
    found = find(text)
    if not found:
        return without(text)
    claims = _measured([_claim(reference, sought, one, text, question) for one in found], text, question)
    return decide(text, claims, question, _asked(question))


def _measured(claims: list[Claim], text: str, question: str) -> list[Claim]:
    """The claims, those without the unit that the question asks for weak if others have it."""
    asked = units.asked(question)
    if asked is None or len(claims) < 2:
        return claims
    fits = [
        (unit := units.after(text, claim.end)) is not None and unit.unit.dimension == asked.dimension
        for claim in claims
    ]
    if not any(fits):
        return claims
    return [claim if fit else claim._replace(weak=True) for claim, fit in zip(claims, fits, strict=True)]


def same(sought: Number, given: Number, question: str = "", tolerance: float = 0.0) -> bool | None:
    """Whether one number is the other, by value, written precision and tolerance (relative)."""
    if sought.value == given.value:
        return True
    if tolerance and abs(given.value - sought.value) <= abs(sought.value) * Fraction(tolerance):
        return True
    if sought.ordinal or given.ordinal or (sought.value < 0) != (given.value < 0):
        return False
    if sought.form in ("decimal", "scientific") and _rounds_to(given, sought):
        return True if digits(sought) >= SURE_DIGITS else None
    if given.form in ("decimal", "scientific") and _rounds_to(sought, given) and digits(given) >= NEAR_DIGITS:
        # a decimal reference was rounded as far as the question wants; a fraction may be rounded anywhere
        asked = sought.places is None and _ROUNDED.search(question) and not _EXACT.search(question)
        return True if asked else None
    return False


def digits(number: Number) -> int:
    """Significant digits as written."""
    if number.places is None:
        return 0
    scaled = abs(number.value) * Fraction(10) ** number.places
    return len(str(scaled.numerator // scaled.denominator))


def _rounds_to(precise: Number, rounded: Number) -> bool:
    """Whether the rounded number is what the precise one is at its last place; half may go either way."""
    if rounded.places is None or (precise.places is not None and precise.places <= rounded.places):
        return False
    return abs(precise.value - rounded.value) * 2 <= Fraction(10) ** -rounded.places


def _whole(text: str) -> Number | None:
    number = parse(text)
    if number is None and "=" in text and len(text) < 60:
        left, _, right = text.rpartition("=")
        number = parse(right) if re.fullmatch(r"\s*[A-Za-z]\w{0,3}\s*", left) else None
    return number


@lru_cache(maxsize=512)
def _sought(answer: str) -> Number | None:
    text = plain(clean(answer))
    number = _whole(text)
    if number is None:
        found = find(text)
        number = found[0].number if len(found) == 1 else None
    return number


@lru_cache(maxsize=1024)
def _asked(question: str) -> frozenset[Fraction]:
    return frozenset(one.number.value for one in find(clean(question)))


def _claim(reference: Reference, sought: Number, one: Found, text: str, question: str) -> Claim:
    number = one.number
    alike = same(sought, number, question, reference.tolerance)
    percent = _PERCENT_NEXT.match(text, one.end)
    if percent:
        alike = _percent(sought, number, question, alike)
    elif alike is False or one.end < len(text):
        alike = _with_unit(sought, one, text, question, alike)
    if alike and (
        _EXPRESSION_AFTER.match(text, one.end) or _EXPRESSION_BEFORE.search(text[max(0, one.start - 12) : one.start])
    ):
        alike = None
    pronoun = number.form == "words" and number.value == 1 and number.places == 0
    before = text[max(0, one.start - 12) : one.start]
    label = _LABEL.search(before)
    if alike and label and label[1] and label[1].lower() not in question.lower():
        alike = None  # "version 2" counts nothing
    ranked = bool(_RANK_ASKED.search(question))
    weak = (
        pronoun
        or (number.ordinal != ranked and not (number.ordinal and sought.ordinal))
        or label
        or (_is_year(number.value) and not _is_year(sought.value) and _YEAR_BEFORE.search(before))
    )
    return Claim(one.start, one.end, alike, (number.value, bool(percent)) if percent else number.value, bool(weak))


def _percent(sought: Number, number: Number, question: str, alike: bool | None) -> bool | None:
    """A percentage where a bare number was expected: right as the question has it."""
    if _PERCENT_ASKED.search(question):
        return alike
    if same(sought, number._replace(value=number.value / 100, places=_shifted(number)), question):
        return True if _SHARE_ASKED.search(question) else None
    return None if alike else alike


def _shifted(number: Number) -> int | None:
    return None if number.places is None else number.places + 2


def _with_unit(sought: Number, one: Found, text: str, question: str, alike: bool | None) -> bool | None:
    """A number with a unit: converted to the unit that the question asks for, if it names one."""
    asked = units.asked(question)
    unit = units.after(text, one.end) if asked else None
    if asked is None or unit is None or unit.unit.dimension != asked.dimension:
        return None if alike and asked and unit else alike
    if unit.unit.is_same(asked):
        return alike
    value = asked.of(unit.unit.base(one.number.value))
    return same(sought, one.number._replace(value=value, places=None, form="fraction"), question)


def without(text: str) -> Match:
    """The verdict on an answer without a number: wrong, unless it may say one in words that are not read here."""
    if not text.isascii() or _NOTHING.search(text) or any(character.isdigit() for character in text):
        return Match(None, "words")
    return Match(False, "none")
