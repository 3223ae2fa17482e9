"""Ranges, bounds and approximate values: 10-20 km, at least 5, about 50, 50 ± 2, 0 ≤ x < 1.

Ends are compared by value and unit, a unit at one end counting for both. "5 or more" is "at least 5"; "more than 5" is
not, but may be meant so: None. 50 ± 2 is 48 to 52. Brackets and signs say whether an end belongs to a range; plain
words leave it open. A point inside a range is not the range, and a bound is no range.

"About 50" is 50. Another value near an approximate reference, within `NEAR`, is None: how near is near nobody said.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import units
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.kinds import money, percentage, quantity
from webscale_rl.reward.kinds import number as numbers_kind
from webscale_rl.reward.markup import plain
from webscale_rl.reward.numbers import Number
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.verdict import Match

NEAR = Fraction(1, 10)
"""How far a value may be from an approximate reference and still be a question for the judge."""


class Value(NamedTuple):
    """An end of a range: its number in base units, and what it measures ("" if it says no unit)."""

    number: Number
    measure: object
    start: int
    end: int


class Range(NamedTuple):
    """What a text says of a value. `sort`: between, least, more, most, less, about, point. A range's ends are `low` and
    `high`; other sorts have `low` alone. `closed` says of each end whether it belongs, None where nothing says so."""

    sort: str
    low: Value
    high: Value | None
    start: int
    end: int
    closed: tuple[bool | None, bool | None] = (None, None)


_ABOUT = re.compile(
    r"(?:(?:\b(?:about|approximately|approx\.?|around|roughly|circa|ca\.|nearly|almost|some|an estimated"
    r"|estimated(?: at)?|close to"
    r"|or so)|[~≈∼])\s?(?:the )?)$",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:\b(?:at least|a minimum of|minimum of|minimum|(?:no|not) (?:less|fewer|younger|lower|smaller|shorter"
    r"|earlier) than|from)|≥|>=|⩾)\s?$",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:\b(?:more than|over|above|greater than|larger than|higher than|exceeding|exceeds|in excess of|upwards of"
    r"|older than|longer than)|>)\s?$",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"(?:\b(?:at most|a maximum of|maximum of|maximum|(?:no|not) (?:more|older|greater|higher|larger|longer|later)"
    r" than|up to|as many as|as much as)|≤|<=|⩽)\s?$",
    re.IGNORECASE,
)
_LESS = re.compile(
    r"(?:\b(?:less than|fewer than|under|below|lower than|smaller than|younger than|shorter than)|<)\s?$", re.IGNORECASE
)
_LEAST_AFTER = re.compile(
    r"\s?(?:\+(?!\s?\d)|or (?:more|above|over|greater|higher|older|longer|later)|and (?:above|over|up|older|more)"
    r"|(?:at )?minimum\b|at least)",
    re.IGNORECASE,
)
_MOST_AFTER = re.compile(
    r"\s?(?:or (?:less|fewer|below|under|lower|younger|shorter|earlier)|and (?:below|under|younger)|(?:at"
    r" )?maximum\b|at most)",
    re.IGNORECASE,
)
_ABOUT_AFTER = re.compile(r"\s?(?:or so\b|approximately\b|approx\b|,? give or take)", re.IGNORECASE)
_TO = re.compile(r"\s?(?:-|–|~|to|through|till|until|up to|\.\.\.?|…)\s?(?:about |approximately )?$", re.IGNORECASE)
_BETWEEN = re.compile(
    r"\b(?:between|from|anywhere from|ranging from|ranges? (?:from|of|is)|in the range (?:of|from)?)\s?(?:about "
    r"|approximately )?$",
    re.IGNORECASE,
)
_AND = re.compile(r"\s?(?:and|to|-|through)\s?(?:about )?$", re.IGNORECASE)
_PLUS_MINUS = re.compile(r"\s?(?:±|\+/-|\+-|plus or minus|give or take)\s?$", re.IGNORECASE)
_PAIR = re.compile(r"\s?[,;]\s?$")
_CHAIN = re.compile(r"\s?(<=|≤|<|⩽)\s?[A-Za-zΑ-ω]\w{0,8}\s?(<=|≤|<|⩽)\s?$")


def infer(answer: str, question: str = "") -> Reference | None:
    """A range if the whole answer is one, a bound, or a value that is said to be approximate."""
    text = plain(clean(answer))
    if len(text) > 100:
        return None
    found = ranges(text)
    if len(found) != 1 or found[0].sort == "point":
        return None
    one = found[0]
    if _LEADS.sub("", text[: one.start]).strip(" ([") or (
        text[one.end :].strip(" .)]") not in _TAILS and not quantity.TAIL.fullmatch(text, one.end)
    ):
        return None
    if one.sort == "between" and one.high and one.low.number.value >= one.high.number.value:
        return None
    return Reference(answer=answer, type="range", unit=_unit(one))


_LEADS = re.compile(r"^(?:[A-Za-z]\s?(?==|≥|≤|<|>|∈)|[A-Za-z]\s?(?:=|∈|\bin\b)|the )\s?")
_PERCENT_ASKED = re.compile(r"%|\bper ?cent", re.IGNORECASE)
_TAILS = ("", "inclusive", "exclusive", "inclusive)", "(inclusive", "each")


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the answer says the same range, bound or approximate value. None if the reference cannot be read."""
    sought = _sought(reference.answer)
    if sought is None:
        return Match(None, "reference")
    text = plain(clean(answer))
    if crowded(text):
        return Match(False, "many")
    given = ranges(text)
    if not given:
        return numbers_kind.without(text)
    claims = [
        Claim(
            one.start,
            one.end,
            _same(sought, one, question, reference.tolerance),
            (one.sort, one.low.number.value, one.high.number.value if one.high else None),
            one.sort == "point" and sought.sort not in ("point", "about"),
        )
        for one in given
    ]
    return decide(_without_bounds(text, given), claims, question)


def ranges(text: str) -> list[Range]:
    """What a text says of values, in order: ranges, bounds, approximations, and plain points."""
    found: list[Range] = []
    rest = _values(text)
    at = 0
    while at < len(rest):
        one = rest[at]
        pair = _pair(text, one, rest[at + 1]) if at + 1 < len(rest) else None
        found.append(pair or _bound(text, one))
        at += 2 if pair else 1
        if len(found) > 1 and (both := _both(text, found[-2], found[-1])):
            found[-2:] = [both]
    return found


def _both(text: str, one: Range, other: Range) -> Range | None:
    """At least 20 and at most 25: one range."""
    if one.sort not in ("least", "more") or other.sort not in ("most", "less"):
        return None
    if text[one.end : other.start].strip(" ,") not in ("and", "but", ""):
        return None
    low, high = _shared(one.low, other.low)
    return Range("between", low, high, one.start, other.end, (one.sort == "least", other.sort == "most"))


def _values(text: str) -> list[Value]:
    """Numbers with what they measure: a currency, per cent, a unit or nothing."""
    priced = [one for one in money.amounts(text) if one.currency not in ("", "%")]
    signed = {one.start: one for one in percentage.shares(text) if one.sort in ("percent", "points")}
    values = []
    at = 0
    for one in quantity.quantities(text):
        while at < len(priced) and priced[at].end <= one.start:
            at += 1
        amount = priced[at] if at < len(priced) and priced[at].start <= one.start else None
        if amount:
            values.append(Value(amount.number, amount.currency, amount.start, amount.end))
        elif one.start in signed:
            share = signed[one.start]
            values.append(Value(share.number, share.sort, share.start, share.end))
        else:
            values.append(Value(one.number, one.unit or "", one.start, one.end))
    return values


def _pair(text: str, one: Value, other: Value) -> Range | None:
    """Two values that are the ends of one range, or a value and its error."""
    between = text[one.end : other.start]
    before = text[max(0, one.start - 24) : one.start]
    if len(between) > 24:
        return None
    if _PLUS_MINUS.fullmatch(between) or (between.strip() == "plus or" and text.startswith("minus", other.start)):
        return _error(one, other)
    opened = _BETWEEN.search(before)
    dashed = _TO.fullmatch(between)
    # "10 -20" reads -20 as negative, but for the dash that joins
    joined = between.strip() == "" and other.number.value < 0 and text[other.start] == "-" and one.end == other.start
    chain = _CHAIN.fullmatch(between)
    bracket = (
        _PAIR.fullmatch(between) and before.rstrip()[-1:] in ("(", "[") and text[other.end :].lstrip()[:1] in (")", "]")
    )
    if not (dashed or joined or chain or bracket or (opened and _AND.fullmatch(between))):
        return None
    one, other = _shared(one, other)
    closed: tuple[bool | None, bool | None] = (None, None)
    start, end = one.start - (len(opened[0]) if opened else 0), other.end
    if chain:
        closed = (chain[1] != "<", chain[2] != "<")
    elif bracket:
        closed = (before.rstrip()[-1] == "[", text[other.end :].lstrip()[0] == "]")
        start, end = start - 1, end + 1
    elif re.match(r"\s?\(?(inclusive)", text[other.end :]):
        closed = (True, True)
    elif re.match(r"\s?\(?(exclusive)", text[other.end :]):
        closed = (False, False)
    return Range("between", one, other, start, end, closed)


def _shared(one: Value, other: Value) -> tuple[Value, Value]:
    """Both ends with the unit that one of them says: 10-20 km, $10-20. A scale word counts for both: 2-3 million."""
    if not one.measure and other.measure:
        one = one._replace(measure=other.measure)
    elif one.measure and not other.measure:
        other = other._replace(measure=one.measure)
    places = other.number.places
    if one.number.form == other.number.form == "words" and one.number.value < 100 and other.number.value % 1000 == 0:
        scale = Fraction(1000) ** ((len(str(int(other.number.value))) - 1) // 3)  # between two and three million
        one = one._replace(number=one.number._replace(value=one.number.value * scale))
    elif (
        places is not None
        and places < -2
        and one.number.places in (0, 1)
        and abs(one.number.value) < 1000 <= other.number.value
    ):
        scale = Fraction(1000) ** ((len(str(int(other.number.value))) - 1) // 3)
        one = one._replace(number=one.number._replace(value=one.number.value * scale))
    return one, other


def _error(one: Value, error: Value) -> Range:
    middle, error = _shared(one, error)
    width = abs(error.number.value)
    low = middle._replace(number=Number(middle.number.value - width, None, "fraction"))
    high = middle._replace(number=Number(middle.number.value + width, None, "fraction"))
    return Range("between", low, high, one.start, error.end)


def _bound(text: str, one: Value) -> Range:
    before, after = text[max(0, one.start - 24) : one.start], text[one.end : one.end + 24]
    for sort, pattern in (("least", _LEAST), ("most", _MOST), ("more", _MORE), ("less", _LESS), ("about", _ABOUT)):
        match = pattern.search(before)
        if match and not (sort == "least" and match[0].lower().strip() == "from"):
            return Range(sort, one, None, one.start - len(match[0]), one.end)
    for sort, pattern in (("least", _LEAST_AFTER), ("most", _MOST_AFTER), ("about", _ABOUT_AFTER)):
        match = pattern.match(after)
        if match:
            return Range(sort, one, None, one.start, one.end + len(match[0]))
    return Range("point", one, None, one.start, one.end)


def _same(sought: Range, given: Range, question: str, tolerance: float) -> bool | None:
    if sought.sort == "between":
        if given.sort != "between" or sought.high is None or given.high is None:
            return False
        ends = (
            _equal(sought.low, given.low, question, tolerance),
            _equal(sought.high, given.high, question, tolerance),
            *(
                None if None in pair and pair != (None, None) else pair[0] == pair[1]
                for pair in zip(sought.closed, given.closed, strict=True)
            ),
        )
        # words leave open whether the ends belong; brackets of one side alone contradict nothing
        plain_words = sought.closed == (None, None) or given.closed == (None, None)
        return _all(ends[:2] if plain_words else ends)
    alike = _equal(sought.low, given.low, question, tolerance)
    if sought.sort == "about" or (sought.sort == "point" and given.sort == "about"):
        return _near(sought, given, alike)
    if alike is False or given.sort == "between":
        return False
    if sought.sort == given.sort:
        return alike
    return (
        None
        if {sought.sort, given.sort} in ({"least", "more"}, {"most", "less"}) or given.sort in ("point", "about")
        else False
    )


def _near(sought: Range, given: Range, alike: bool | None) -> bool | None:
    if given.sort in ("about", "point") and alike is not False:
        return alike
    low = sought.low.number.value
    ends = [given.low, given.high] if given.high else [given.low]
    if (
        sought.low.measure
        and given.low.measure
        and _equal(sought.low, given.low._replace(number=sought.low.number), "", 0) is False
    ):
        return False
    return None if any(abs(end.number.value - low) <= abs(low) * NEAR for end in ends if end) else False


def _all(states: tuple[bool | None, ...]) -> bool | None:
    return False if False in states else None if None in states else True


def _equal(one: Value, other: Value, question: str, tolerance: float) -> bool | None:
    """Whether two ends are the same value in the same measure."""
    mine, theirs = one.measure, other.measure
    if isinstance(mine, units.Unit):
        asked = units.asked(question)
        unit = theirs if isinstance(theirs, units.Unit) else None
        if theirs and unit is None:
            return False
        sought = quantity.Quantity(one.number, mine, one.start, one.end)
        return quantity.same(
            sought, quantity.Quantity(other.number, unit, other.start, other.end), question, tolerance, asked
        )
    alike = numbers_kind.same(one.number, other.number, question, tolerance)
    if mine == theirs or not alike:
        return alike
    if not mine and theirs:
        # the question may hold the unit: "How many years" and 10-20 years
        return alike if theirs != "percent" or _PERCENT_ASKED.search(question) else None
    if mine == "percent" and not theirs:
        return alike if _PERCENT_ASKED.search(question) else None
    if mine and not theirs:
        return None
    return None if {mine, theirs} <= {"$", "USD"} else False


def _unit(one: Range) -> str:
    measure = one.low.measure
    return (
        measure.symbol
        if isinstance(measure, units.Unit)
        else str(measure)
        if measure not in ("percent", "points")
        else ""
    )


def _without_bounds(text: str, given: list[Range]) -> str:
    """The text with the words that the ranges are made of blanked, so that they are not read as bounds once more."""
    parts, at = [], 0
    for one in given:
        parts += [text[at : one.start], "_" * (max(one.end, one.start) - one.start)]
        at = one.end
    return "".join(parts) + text[at:]


@lru_cache(maxsize=512)
def _sought(answer: str) -> Range | None:
    found = ranges(plain(clean(answer)))
    told = [one for one in found if one.sort != "point"]
    if len(told) == 1:
        return told[0]
    return found[0] if len(found) == 1 else None
