"""Units in text: what stands after a number, its dimension, and the exact conversion to any unit of that dimension.

Read are symbols with their case (mW is not MW), names in either spelling and number, products and quotients ("m/s^2",
"kg·m^-3", "metres per second squared", "square feet", "kWh", "mol/L"), and temperatures with their offsets. The sizes
and their sources stand in `unit_table.py`. Any other word is a unit of counting ("players"), if the caller wants it.

Not covered: units that only context tells apart beyond what `preferred` settles (C: coulomb or Celsius), differences
of temperature, and derived units of more than six factors.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward import unit_table
from webscale_rl.reward.counting import stem

Dimension = tuple[tuple[str, int], ...]


class Unit(NamedTuple):
    """A unit: its canonical symbol, its dimension as sorted base units with powers, and how a value of it becomes one
    of the base: value x factor + offset. `exact` is False where the factor itself is rounded or irrational."""

    symbol: str
    dimension: Dimension
    factor: Fraction
    offset: Fraction = Fraction(0)
    exact: bool = True

    def base(self, value: Fraction) -> Fraction:
        """A value in this unit, in base units."""
        return value * self.factor + self.offset

    def of(self, base: Fraction) -> Fraction:
        """A value in base units, in this unit."""
        return (base - self.offset) / self.factor

    def is_same(self, other: Unit) -> bool:
        """Whether both measure alike, whatever they are called."""
        return self[1:4] == other[1:4]


class After(NamedTuple):
    """A unit and where it ends in the text."""

    unit: Unit
    end: int


def counting(noun: str) -> Unit:
    """The unit of things that are counted: players, player."""
    singular = " ".join(stem(word) for word in noun.split())
    return Unit(singular, ((f"#{singular}", 1),), Fraction(1))


_TEN = {power: Fraction(10) ** power for _, power in unit_table.PREFIXES.values()}


def _factor(text: str) -> Fraction:
    top, _, bottom = text.removeprefix("≈").partition("/")
    return Fraction(top) / Fraction(bottom or 1)


def _dimension(text: str) -> Dimension:
    parts = (re.fullmatch(r"([A-Za-z]+)(-?\d+)?", part) for part in text.split())
    return tuple(sorted((part[1], int(part[2] or 1)) for part in parts if part))


def _tables() -> tuple[dict[str, Unit], dict[str, Unit]]:
    """By symbol, with case, and by name, in lower case with hyphens, singular and plural."""
    symbols: dict[str, Unit] = {}
    names: dict[str, Unit] = {}
    prefixed: list[tuple[str, Unit]] = []
    for line in unit_table.LINES.strip().splitlines():
        written, called, dimension, factor, how = (part.strip() for part in line.split(";"))
        first, *_ = written.split()
        unit = Unit(first, _dimension(dimension), _factor(factor), exact=not factor.startswith("≈"))
        for symbol in written.split():
            symbols[symbol] = unit
            if how:
                prefixed.append((symbol, unit))
        for name in called.split():
            for form in (name, f"{name}s"):
                names[form.lower()] = unit
                if how:
                    names |= _prefixed_names(form.lower(), unit, binary=how == "b")
    for symbol, unit in prefixed:
        for made, value in _prefixed_symbols(symbol, unit).items():
            symbols.setdefault(made, value)
    for symbol, (size, zero, called) in unit_table.OFFSETS.items():
        unit = Unit(symbol, (("K", 1),), Fraction(size), Fraction(zero))
        symbols[symbol] = unit
        names |= dict.fromkeys(called.lower().split(), unit)
    return symbols, names


def _prefixed_names(name: str, unit: Unit, binary: bool) -> dict[str, Unit]:
    made = {
        prefix + name: unit._replace(symbol=sign + unit.symbol, factor=unit.factor * _TEN[power])
        for prefix, (sign, power) in unit_table.PREFIXES.items()
    }
    if binary:
        for prefix, (sign, power) in unit_table.BINARY.items():
            made[prefix + name] = unit._replace(symbol=sign + unit.symbol, factor=unit.factor * 1024**power)
    return made


def _prefixed_symbols(symbol: str, unit: Unit) -> dict[str, Unit]:
    made = {}
    for sign, power in unit_table.PREFIXES.values():
        value = unit._replace(symbol=sign + unit.symbol, factor=unit.factor * _TEN[power])
        made[sign + symbol] = value
        if sign == "µ":
            made["μ" + symbol] = made["u" + symbol] = value
    if dict(unit.dimension).keys() & {"bit"}:
        for sign, power in unit_table.BINARY.values():
            made[sign + symbol] = unit._replace(symbol=sign + unit.symbol, factor=unit.factor * 1024**power)
        made["K" + symbol] = made["k" + symbol]
    return made


_SYMBOLS, _NAMES = _tables()
_TEMPERATURES = {
    "C": _SYMBOLS["°C"], "F": _SYMBOLS["°F"], "c": _SYMBOLS["°C"], "f": _SYMBOLS["°F"], "K": _SYMBOLS["K"],
    "celsius": _SYMBOLS["°C"], "centigrade": _SYMBOLS["°C"], "fahrenheit": _SYMBOLS["°F"], "kelvin": _SYMBOLS["K"],
}  # fmt: skip
_TEMPERATURE: Dimension = (("K", 1),)
_ANGLE: Dimension = (("rad", 1),)
_DEGREES = re.compile(r"\s?(?:°\s?|(?:degrees?|deg\.?)\s)(celsius|centigrade|fahrenheit|kelvin|[CFK])\b", re.IGNORECASE)
_MARKS = frozenset("'\"′″")
_POWER_BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_POWER_AFTER = {"squared": 2, "cubed": 3}
_TOKEN = re.compile(r"\s?(?:-(?=[A-Za-z]))?(°[A-Za-z]?|[A-Za-zµμΩÅåÅö]+|′|″|'|\")")
_EXPONENT = re.compile(r"\s?(?:\^|\*\*)\s?\(?([-+]?\d)\)?|([²³])|([23])(?![\w])")
_JOIN = re.compile(r"\s?([/·*×⋅])\s?|\s(per|a|an)\s|(\s|-)(?=[A-Za-zµμΩ])", re.IGNORECASE)
_LAST = re.compile(r"\s?(?:squared|cubed)\b")
_MAX_FACTORS = 6
_NOT_UNITS = frozenset(
    "as at a are in bar hand chain cup mil thou grad pt st gray mole stone d y u h b p t g s".split()
)
"""Words and letters that are units only with a number before them and nothing after them but punctuation."""


def after(text: str, start: int, preferred: Dimension | None = None) -> After | None:
    """The unit that stands at this place, None if none does. `preferred` settles letters with two meanings."""
    degrees = _DEGREES.match(text, start)
    if degrees:
        return After(_TEMPERATURES[degrees[1].lower() if len(degrees[1]) > 1 else degrees[1].upper()], degrees.end())
    one = _one(text, start, preferred)
    if one is None:
        return None
    unit, end = one
    divides = False
    for _ in range(_MAX_FACTORS):
        joined = _JOIN.match(text, end)
        if joined is None:
            break
        divides = divides or joined[1] == "/" or joined[2] is not None
        opened = joined[1] == "/" and text.startswith("(", joined.end())
        following = _one(text, joined.end() + opened, None, bare=bool(joined[1]))
        if following is None or (joined[2] and joined[2].lower() != "per" and not _is_time(following[0])):
            break
        if joined[3] and not _multiplies(text, unit, following):
            break
        # "J/kg·K" has the kelvin below the line too, "J/kg·K^-1" says where it has it
        below = divides and "^-" not in following[0].symbol
        unit, end = _times(unit, following[0], -1 if below else 1), following[1]
    return After(unit, end + (text.startswith(")", end) and "(" in text[start:end]))


def _is_time(unit: Unit) -> bool:
    return unit.dimension == (("s", 1),)


def _multiplies(text: str, unit: Unit, following: tuple[Unit, int]) -> bool:
    """A space or a hyphen between two symbols multiplies them (N m, m s^-2), but not "5 ft 3" or "5 km in"."""
    return following[0].dimension != unit.dimension and text[following[1] : following[1] + 1] not in ("'",)


def _one(text: str, start: int, preferred: Dimension | None, bare: bool = False) -> tuple[Unit, int] | None:
    """One factor of a unit with its power."""
    token = _TOKEN.match(text, start)
    if token is None:
        return None
    word = token[1]
    power = _POWER_BEFORE.get(word.lower(), 0)
    if power:
        end = token.end() + text.startswith(".", token.end())
        inner = _one(text, end, None)
        return (_raised(inner[0], power), inner[1]) if inner else None
    named = _named(text, token.end(), word)
    unit, end = named if named else (_letter(text, token, preferred, bare), token.end())
    if unit is None:
        return None
    exponent = _EXPONENT.match(text, end) if word not in _MARKS else None
    if exponent:
        power = int(exponent[1] or exponent[3] or (2 if exponent[2] == "²" else 3))
        return _raised(unit, power), exponent.end()
    last = _LAST.match(text, end)
    return (_raised(unit, _POWER_AFTER[last[0].strip()]), last.end()) if last else (unit, end)


_MORE = re.compile(r"[ -]([A-Za-z]+)")


def _named(text: str, end: int, word: str) -> tuple[Unit, int] | None:
    """The longest name of up to four words that starts with this word: "nautical miles", "millimetres of mercury"."""
    name, best = word.lower(), None
    if name in unit_table.PREFIXES and (more := _MORE.match(text, end)):
        name, end = name + more[1].lower(), more.end()  # kilo-ohms
    if name in _NAMES:
        best = (_NAMES[name], end)
    if name not in _STARTS:
        return best
    for _ in range(3):
        more = _MORE.match(text, end)
        if more is None:
            break
        name, end = f"{name}-{more[1].lower()}", more.end()
        if name in _NAMES:
            best = (_NAMES[name], end)
    return best


_STARTS = frozenset(name.partition("-")[0] for name in _NAMES if "-" in name)
_ANY_CASE = frozenset("km kg cm ft lb lbs mph kph mi yd oz hr hrs min mins sec secs psi kwh".split()) & _SYMBOLS.keys()
"""Symbols that are the same unit in any case: no prefix and no other unit is written KM or Kg."""
_TIME: Dimension = (("s", 1),)
_FIGURE = re.compile(r"\s?\d")
_ENDS = re.compile(
    r"\s*(?:$|[.,;:!?)\]/·*^×²³]|(?:long|wide|tall|high|deep|thick|across|in|of|at|and|or|by|per|from|to)\b)"
)


def _letter(text: str, token: re.Match[str], preferred: Dimension | None, bare: bool) -> Unit | None:
    """A unit by its symbol. Letters that are words too count only where the value ends."""
    word = token[1]
    if preferred == _TEMPERATURE and word in _TEMPERATURES:
        return _TEMPERATURES[word]
    if word in ("'", '"', "′", "″"):
        if preferred == _ANGLE:
            return _SYMBOLS["′" if word in ("'", "′") else "″"]
        return _SYMBOLS["ft" if word in ("'", "′") else "in"]
    unit = _SYMBOLS.get(word)
    if unit is None and word.lower() in _ANY_CASE:
        unit = _SYMBOLS[word.lower()]
    if unit is not None and word in _NOT_UNITS and not bare and not _ENDS.match(text, token.end()):
        # 2 h 30 min goes on with a figure, 5 in 1990 does not
        return unit if unit.dimension == _TIME and _FIGURE.match(text, token.end()) else None
    return unit


def _raised(unit: Unit, power: int) -> Unit:
    if power == 1:
        return unit
    symbol = f"{unit.symbol}^{power}" if "/" not in unit.symbol else f"({unit.symbol})^{power}"
    dimension = tuple((base, count * power) for base, count in unit.dimension if power)
    return Unit(symbol, dimension, unit.factor**power, exact=unit.exact)


def _times(one: Unit, other: Unit, sign: int) -> Unit:
    powers = dict(one.dimension)
    for base, count in other.dimension:
        powers[base] = powers.get(base, 0) + sign * count
    dimension = tuple(sorted((base, count) for base, count in powers.items() if count))
    factor = one.factor * other.factor**sign
    return Unit(
        f"{one.symbol}{'/' if sign < 0 else '·'}{other.symbol}", dimension, factor, exact=one.exact and other.exact
    )


_ASKS = re.compile(
    r"(?:\b(?:how many|how much|number of|in|measured in|units? of|using)|\() ?(?=([A-Za-zµ°]+))", re.IGNORECASE
)
_AGE = re.compile(r"\bhow old\b|\b(?:what|which)\b[^?]{0,30}\bage\b|\bage\W{0,3}$", re.IGNORECASE)
_ASKED_END = re.compile(r"\s?(?:[?.,;)]|$)")
_INVARIANT = frozenset(
    "hertz celsius fahrenheit kelvin lux siemens kilohertz megahertz gigahertz horsepower square cubic"
    " degrees sq".split()
)


@lru_cache(maxsize=512)
def asked(question: str) -> Unit | None:
    """The unit that a question wants its answer in: "how many kilometres", "in metres per second", "(in kg)"."""
    if _AGE.search(question):
        return _NAMES["year"]
    for match in _ASKS.finditer(question):
        word = match[1]
        found = after(question, match.end())
        if found is None:
            continue
        plural = (
            word.lower() in _NAMES and word.lower().endswith(("s", "feet", "inches"))
        ) or word.lower() in _INVARIANT
        symbol = word in _SYMBOLS and _ASKED_END.match(question, found.end) and word not in _NOT_UNITS - {"g", "h", "s"}
        compound = found.end > match.end() + len(word)
        if plural or symbol or (compound and word.lower() in _NAMES):
            return found.unit
    return None
