"""Percentages: 45 %, 45 percent, forty-five per cent; percentage points and basis points are another thing.

An answer may give the share in another way: a fraction, or "1 in 4", is 25 % wherever it stands; a bare "45" is 45 % if
the question asks for a percentage, and "0.45" if it asks for a proportion, a probability or a decimal. Otherwise a bare
number that would fit is None. So is a correct rounding, either way, that the question did not ask for: precision first.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import rates
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.counting import names
from webscale_rl.reward.kinds import number as numbers_kind
from webscale_rl.reward.markup import plain
from webscale_rl.reward.numbers import Number, find
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match

_SIGN = re.compile(
    r"[\s-]?(?:(?P<points>percentage[ -]points?|p\.?p\.?(?![a-z])|%[ -]points?|per ?cent[ -]points?)"
    r"|(?P<basis>basis[ -]points?|bps\b|bp\b)|(?P<mille>‰|per mille?\b)|(?P<percent>%|per ?cent\b|percentage\b"
    r"|pct\b\.?))",
    re.IGNORECASE,
)
_ASKED = re.compile(r"%|\bper ?cent|\bpercentages?\b", re.IGNORECASE)
_SHARE_ASKED = re.compile(
    r"\b(?:probability|proportion|fraction|decimal|ratio|chance|likelihood|odds)\b", re.IGNORECASE
)
_PRICED = re.compile(r"[$£€¥₹]\s?$")
_OUT_OF = re.compile(r"\s(?:in|out of(?: every)?)\s(?:every\s)?$")
_LEADS = re.compile(r"^(?:[A-Za-z]\w{0,3}\s?=|about|approximately|around|roughly|~|≈)\s?", re.IGNORECASE)


class Share(NamedTuple):
    """A number that is or may be a percentage: `sort` is percent, points, fraction or bare."""

    number: Number
    sort: str
    start: int
    end: int
    per: str = ""


def infer(answer: str, question: str = "") -> Reference | None:
    """A percentage if the whole answer is a number with its sign or word."""
    text = plain(clean(answer))
    if len(text) > 80:
        return None
    found = shares(text)
    if len(found) != 1 or found[0].start or text[found[0].end :].strip() not in ("", "."):
        return None
    return Reference(answer=answer, type="percentage") if found[0].sort in ("percent", "points") else None


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the share that the answer gives is the reference's. None if the reference holds no single percentage."""
    sought = _sought(reference.answer)
    if sought is None:
        return Match(None, "reference")
    text = plain(clean(answer))
    if crowded(text):
        return Match(False, "many")
    given = shares(text)
    if not given:
        return numbers_kind.without(text)
    has_sign = any(one.sort == "percent" for one in given)
    claims = [
        Claim(
            one.start,
            one.end,
            _judged(sought, one, text, question, reference.tolerance),
            (one.number.value, one.sort),
            has_sign and one.sort == "bare",
        )
        for one in given
    ]
    return decide(text, claims, question, _asked_values(question))


def shares(text: str) -> list[Share]:
    """The numbers of a text as shares; "1 in 4" and "1 out of 4" are one."""
    found: list[Share] = []
    for one in find(text):
        if one.number.ordinal:
            continue
        ratio = _ratio(text, found[-1], one.number, one.start) if found else None
        if ratio is not None:
            found[-1] = Share(Number(ratio, None, "fraction"), "fraction", found[-1].start, one.end)
            continue
        if _PRICED.search(text[max(0, one.start - 2) : one.start]):
            continue
        sign = _SIGN.match(text, one.end)
        if sign is None:
            found.append(Share(one.number, "fraction" if one.number.form == "fraction" else "bare", one.start, one.end))
        elif sign["points"] or sign["basis"]:
            number = _shifted(one.number, -2) if sign["basis"] else one.number
            found.append(Share(number, "points", one.start, sign.end()))
        else:
            number = _shifted(one.number, -1) if sign["mille"] else one.number
            per, end = rates.per(text, sign.end())
            found.append(Share(number, "percent", one.start, end, per))
    return found


def _ratio(text: str, before: Share, number: Number, start: int) -> Fraction | None:
    joined = _OUT_OF.match(text[before.end : start])
    if joined is None or before.sort != "bare" or number.places != 0 or not 0 < before.number.value <= number.value:
        return None
    # "12 in 1990" is no share
    return before.number.value / number.value if number.value <= 1000 else None


def _shifted(number: Number, powers: int) -> Number:
    """The number times a power of ten, with its written precision."""
    places = None if number.places is None else number.places - powers
    return number._replace(value=number.value * Fraction(10) ** powers, places=places)


def _judged(sought: Share, given: Share, text: str, question: str, tolerance: float) -> bool | None:
    """As `_same`, unless the answer counts something ("64 patients"), or names another rate."""
    alike = _same(sought, given, question, tolerance)
    if alike and given.sort == "bare" and names(text, given.end, "") is False:
        return None
    return rates.agree(sought.per, given.per, question) if alike else alike


def _same(sought: Share, given: Share, question: str, tolerance: float) -> bool | None:
    if given.sort == sought.sort:
        return _alike(sought.number, given.number, question, tolerance)
    if "points" in (given.sort, sought.sort):
        if given.sort == "percent" or sought.sort == "percent":
            return None if given.number.value == sought.number.value else False
        return _alike(sought.number, given.number, question, tolerance) if _ASKED.search(question) else None
    as_share = _alike(sought.number, _shifted(given.number, 2), question, tolerance)
    if given.sort == "fraction":
        return as_share
    as_percent = _alike(sought.number, given.number, question, tolerance)
    if _ASKED.search(question):
        return as_percent or (None if as_share else False)
    if _SHARE_ASKED.search(question):
        return as_share or (None if as_percent else False)
    if as_percent and abs(given.number.value) > 1:
        return True  # no proportion is more than 1, so that only per cent can be meant
    return False if as_share is False and as_percent is False else None


def _alike(sought: Number, given: Number, question: str, tolerance: float) -> bool | None:
    alike = numbers_kind.same(sought, given, question, tolerance)
    if alike is not False or None in (sought.places, given.places):
        return alike
    coarse, fine = sorted((sought, given), key=lambda number: number.places or 0)
    if numbers_kind.digits(coarse) < numbers_kind.NEAR_DIGITS or coarse.places == fine.places:
        return False
    near = abs(coarse.value - fine.value) * 2 <= Fraction(10) ** -(coarse.places or 0)
    return None if near else False


@lru_cache(maxsize=512)
def _sought(answer: str) -> Share | None:
    found = shares(_LEADS.sub("", plain(clean(answer))))
    signed = [one for one in found if one.sort in ("percent", "points")]
    if len(signed) == 1:
        return signed[0]
    # the type says percentage, so that a lone number is one
    return found[0]._replace(sort="percent") if len(found) == 1 else None


@lru_cache(maxsize=1024)
def _asked_values(question: str) -> frozenset[tuple[Fraction, str]]:
    return frozenset((one.number.value, one.sort) for one in shares(clean(question)))
