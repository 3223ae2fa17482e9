"""Quantities: a number with a unit, compared after exact conversion ("5000 m" is "5 km", "212 °F" is "100 °C").

- Units of other dimensions, or the same number with another unit, are wrong: 5 miles are not 5 km.
- Conversions are exact. Where the converted reference has no short decimal (5 km in miles), an answer that rounds it
  correctly to two digits or more, at most 2 % off, is right: "3.1 miles" for "5 km".
- An answer without a unit is right if the question asks for the reference's unit, or if the unit only names what is
  counted ("12 players" and "12"); otherwise None.
- Two readings of one letter or word are None: MB of 1000 or 1024, tons, degrees of which scale.
- Mixed values are added: 5 ft 3 in, 2 hours and 30 minutes.

Words that are no unit are compared as words: "12 players" and "12 teams" are None, for words may be synonyms.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import units
from webscale_rl.reward.claims import Claim, crowded, decide
from webscale_rl.reward.counting import names, stem
from webscale_rl.reward.kinds import number as numbers_kind
from webscale_rl.reward.markup import plain
from webscale_rl.reward.numbers import Number, find
from webscale_rl.reward.reference import Reference
from webscale_rl.reward.text import clean
from webscale_rl.reward.units import Dimension, Unit
from webscale_rl.reward.verdict import Match

CONVERTED_ERROR = Fraction(2, 100)
"""How far a rounded conversion may be off: 62 miles for 100 km is 0.2 %, 1.6 km for a mile 0.6 %."""
MEASURED_DIGITS = 4
MEASURED_ERROR = Fraction(1, 2000)
"""Two values of so many digits that differ by so little may be two measurements of one thing."""
SHORT_DECIMAL = 6
"""Significant digits up to which a converted value is written in full, so that no rounding of it is expected."""

_NOUN = re.compile(r"[ -]?((?:[a-z][a-z'-]{1,20} )?[a-z][a-z'-]{2,20})(?![\w'-])")
_TWICE = re.compile(r"([^()]{2,40}) \(([^()]{2,40})\)\.?")
"""A quantity and the same in another unit: "45 miles (72 km)"."""
_PLURAL = re.compile(r"(?:s|people|men|women|children|feet|teeth|mice|species|fish|sheep|deer|cattle|percent)$")
_BETWEEN_PARTS = re.compile(r"(?:\s|,\s|\sand\s|,\sand\s)?")
_DEGREES = (("rad", 1),)
_TEMPERATURE = (("K", 1),)
_DATA = "bit"


class Quantity(NamedTuple):
    """A number with its unit (None if it has none), and where both stand."""

    number: Number
    unit: Unit | None
    start: int
    end: int


def infer(answer: str, question: str = "") -> Reference | None:
    """A quantity if the answer is a number with a known unit, or with a plural noun: "12 players"."""
    text = plain(clean(answer))
    if len(text) > 80:
        return None
    twice = _TWICE.fullmatch(text)
    if twice is not None:
        first, other = infer(twice[1]), infer(twice[2])
        if first and other and first.unit != other.unit and compare(first, other.answer).same:
            return Reference(first.answer, "quantity", first.unit, aliases=(other.answer,))
    one = _single(text, counted_too=True)
    if one is None or one.unit is None:
        return None
    return Reference(answer=answer, type="quantity", unit=one.unit.symbol)


def compare(reference: Reference, answer: str, question: str = "") -> Match:
    """Whether the quantity that the answer gives is the reference's. None if the reference holds no single quantity."""
    match = _compare(reference, answer, question)
    for alias in reference.aliases:
        if not match.same:
            again = _compare(Reference(alias, "quantity", tolerance=reference.tolerance), answer, question)
            match = again if again.same or (again.same is None and match.same is False) else match
    return match


def _compare(reference: Reference, answer: str, question: str) -> Match:
    sought = _sought(reference.answer, question)
    if sought is None or sought.unit is None:
        return Match(None, "reference")
    text = plain(clean(answer))
    if crowded(text):
        return Match(False, "many")
    given = quantities(text, sought.unit.dimension)
    if not given:
        return numbers_kind.without(text)
    asked = units.asked(question)
    has_unit = any(one.unit is not None for one in given)
    claims = []
    for one in given:
        alike = same(sought, one, question, reference.tolerance, asked)
        if alike and _is_count(sought.unit) and not _is_named(text, one.end, sought.unit.symbol.split()):
            alike = None  # other words for what is counted, or other things
        key = one.unit.base(one.number.value) if one.unit else one.number.value
        weak = has_unit and one.unit is None
        claims.append(Claim(one.start, one.end, alike, (key, one.unit.dimension if one.unit else ()), weak))
    return decide(text, claims, question, _asked(question, sought.unit.dimension))


def quantities(text: str, preferred: Dimension | None = None) -> list[Quantity]:
    """The numbers of a text with the units after them; mixed values ("5 ft 3 in") are one."""
    found: list[Quantity] = []
    for one in find(text):
        if one.number.ordinal:
            continue
        unit = units.after(text, one.end, preferred)
        quantity = Quantity(one.number, unit.unit if unit else None, one.start, unit.end if unit else one.end)
        if found and _continues(text, found[-1], quantity):
            found[-1] = _added(found[-1], quantity)
        elif not (found and quantity.start < found[-1].end):
            found.append(quantity)
    return found


def same(
    sought: Quantity, given: Quantity, question: str = "", tolerance: float = 0.0, asked: Unit | None = None
) -> bool | None:
    """Whether one quantity is the other."""
    unit, other = sought.unit, given.unit
    if unit is None:
        return None
    if _is_count(unit):
        return _same_count(sought, given, question, tolerance)
    if other is None:
        alike = numbers_kind.same(sought.number, given.number, question, tolerance)
        if asked is None or not alike or asked.is_same(unit):
            return alike if asked is not None or not alike else None
        return None
    alike = numbers_kind.same(sought.number, given.number, question, tolerance)
    if unit.is_same(other):
        return _near(sought.number, given.number) if alike is False else alike
    if unit.dimension != other.dimension:
        bare = {unit.dimension, other.dimension} == {_DEGREES, _TEMPERATURE} and "°" in (unit.symbol, other.symbol)
        return None if alike and (bare or {unit.symbol, other.symbol} <= _LOOSE) else False
    power = _power_of_ten(other, unit)
    if power is not None:
        # no rounding is due to a shift of the decimal point
        places = None if given.number.places is None else given.number.places - power
        shifted = given.number._replace(value=given.number.value * Fraction(10) ** power, places=places)
        alike = numbers_kind.same(sought.number, shifted, question, tolerance)
        if alike is not False or _near(sought.number, shifted) is None:
            return alike or None
    elif _converted(sought.number, unit, given.number, other, question, tolerance):
        return True
    if {unit.symbol, other.symbol} <= _TONS and alike:
        return None
    if unit.dimension[0][0] == _DATA and _binary(sought.number, unit, given.number, other):
        return None
    return False


def _is_named(text: str, end: int, noun: list[str]) -> bool:
    """Whether the words after a number name what the reference counts, or nothing: 6 atoms, but not 6 carbon atoms."""
    named = names(text, end, noun[-1])
    if not named or len(noun) == 1:
        return named is None or named
    words = [stem(word) for word in _WORDS.findall(text[end : end + 48])]
    return all(word in noun for word in words[: words.index(noun[-1])])


_WORDS = re.compile(r"[A-Za-z][\w'-]*")


def _is_count(unit: Unit) -> bool:
    return bool(unit.dimension) and unit.dimension[0][0].startswith("#")


_TONS = frozenset(("ton", "t", "longton"))
_LOOSE = frozenset(("cal", "kcal", "lb", "lbf", "kg", "kgf"))
"""Names that people use for two things: the pound of mass and of force. The same number of both is for the judge."""


def _same_count(sought: Quantity, given: Quantity, question: str, tolerance: float) -> bool | None:
    """Things that are counted: the number decides; what is counted may be left out or called by other words."""
    alike = numbers_kind.same(sought.number, given.number, question, tolerance)
    if given.unit is None or not alike:
        return alike
    return None


def _power_of_ten(one: Unit, other: Unit) -> int | None:
    """The power of ten between two units, None if it is another ratio."""
    if one.offset or other.offset:
        return None
    ratio = one.factor / other.factor
    top, bottom = str(ratio.numerator), str(ratio.denominator)
    if top.rstrip("0") != "1" or bottom.rstrip("0") != "1":
        return None
    return len(top) - len(bottom)


def _near(sought: Number, given: Number) -> bool | None:
    """Other measurements of the same thing, 8,848 m and 8848.86 m: nobody can tell by rule. None, or False."""
    if min(numbers_kind.digits(sought), numbers_kind.digits(given)) < MEASURED_DIGITS:
        return False
    return None if abs(sought.value - given.value) <= abs(sought.value) * MEASURED_ERROR else False


def _converted(sought: Number, unit: Unit, given: Number, other: Unit, question: str, tolerance: float) -> bool:
    base, target = unit.base(sought.value), other.base(given.value)
    if base == target:
        return True
    if tolerance and abs(base - target) <= abs(base) * Fraction(tolerance):
        return True
    there, back = other.of(base), unit.of(target)
    exact = unit.exact and other.exact
    if exact and _is_short(there) and _is_short(back):
        return False
    if base and abs(base - target) > abs(base) * CONVERTED_ERROR:
        return False
    return _rounds(there, given) or _rounds(back, sought)


def _rounds(precise: Fraction, rounded: Number) -> bool:
    """Whether the number, to two digits at least, is what the precise value is at its last place."""
    places = rounded.places
    if places is None or numbers_kind.digits(rounded) < 2:
        return False
    if places == 0:
        places = -_zeros(rounded.value)
    return abs(precise - rounded.value) * 2 <= Fraction(10) ** -places


def _zeros(value: Fraction) -> int:
    """The zeros at the end of an integer, up to all but two of its digits: 12,400 was rounded to hundreds."""
    text = str(abs(value.numerator))
    return min(len(text) - len(text.rstrip("0")), max(0, len(text) - 2))


def _is_short(value: Fraction) -> bool:
    """Whether a value is a decimal of few digits."""
    bottom = value.denominator
    for prime in (2, 5):
        while bottom % prime == 0:
            bottom //= prime
    if bottom != 1 or value.denominator > 10**9:
        return False
    scaled = value * 10**9 if value.denominator > 1 else value
    return len(str(abs(scaled.numerator)).rstrip("0")) <= SHORT_DECIMAL


def _binary(sought: Number, unit: Unit, given: Number, other: Unit) -> bool:
    """Whether both are the same amount of data where K, M and G are powers of 1024."""
    ratio = other.base(given.value) / unit.base(sought.value) if sought.value else Fraction(0)
    return any(ratio == Fraction(1000, 1024) ** power for power in range(-6, 7) if power)


def _continues(text: str, one: Quantity, other: Quantity) -> bool:
    """Whether the second goes on with the first in a smaller unit of the same dimension."""
    if one.unit is None or other.unit is None or one.unit.dimension != other.unit.dimension:
        return False
    smaller = one.unit.factor > other.unit.factor and not (one.unit.offset or other.unit.offset)
    between = text[one.end : other.start]
    return (
        smaller
        and len(between) < 7
        and _BETWEEN_PARTS.fullmatch(between.lower()) is not None
        and 0 <= other.unit.factor * other.number.value < one.unit.factor
        and one.number.value.denominator == 1
    )


def _added(one: Quantity, other: Quantity) -> Quantity:
    if one.unit is None or other.unit is None:
        return one
    value = abs(one.number.value) + other.number.value * other.unit.factor / one.unit.factor
    signed = -value if one.number.value < 0 else value
    return Quantity(Number(signed, None, "fraction"), one.unit, one.start, other.end)


def _single(text: str, counted_too: bool = False, preferred: Dimension | None = None) -> Quantity | None:
    """The quantity that a whole text is."""
    found = quantities(text, preferred)
    if len(found) != 1 or found[0].start:
        return None
    one = found[0]
    if TAIL.fullmatch(text, one.end):
        return one
    if one.unit is not None or not counted_too:
        return None
    noun = _NOUN.fullmatch(text.rstrip("."), one.end)
    if noun and (_PLURAL.search(noun[1]) or one.number.value == 1):
        return one._replace(unit=units.counting(noun[1]), end=len(text))
    return None


TAIL = re.compile(
    r"\s?(?:\(?(?:old|of age|tall|long|wide|high|deep|thick|away|apart|each|ago|in (?:length|height|width|depth"
    r"|diameter"
    r"|total|area|size|weight)|above sea level)\)?)?\s?\.?"
)
"""What may stand behind a quantity and says no more: 35 years old, 5 km long."""
_LEADS = re.compile(r"^(?:[A-Za-z]\w{0,3}\s?=|about|approximately|around|roughly|~|≈)\s?", re.IGNORECASE)


@lru_cache(maxsize=512)
def _sought(answer: str, question: str) -> Quantity | None:
    text = _LEADS.sub("", plain(clean(answer)))
    one = _single(text, counted_too=True)
    if one is None:
        found = [quantity for quantity in quantities(text) if quantity.unit]
        one = found[0] if len(found) == 1 else None
    if one is None or one.unit is None:
        return None
    asked = units.asked(question)
    if one.unit.dimension == _DEGREES and asked and asked.dimension == _TEMPERATURE:
        return one._replace(unit=asked)  # "0 degrees" where Celsius is asked for
    if asked and one.unit.dimension != asked.dimension:
        # "100 C" is no charge where a temperature is asked for
        again = _single(text, preferred=asked.dimension)
        one = again if again and again.unit and again.unit.dimension == asked.dimension else one
    return one


@lru_cache(maxsize=1024)
def _asked(question: str, dimension: Dimension) -> frozenset[tuple[Fraction, Dimension]]:
    return frozenset(
        (one.unit.base(one.number.value), one.unit.dimension) if one.unit else (one.number.value, ())
        for one in quantities(clean(question), dimension)
    )
