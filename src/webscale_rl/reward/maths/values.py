"""Whether two values are the same: with units, per cent, degrees, and decimals that stand for exact values."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.reward.maths.evaluate import at, equal, exact
from webscale_rl.reward.maths.meaning import INFINITY, MINUS_INFINITY, Meaning
from webscale_rl.reward.maths.tree import Node, symbols
from webscale_rl.reward.verdict import Match

ENOUGH_DIGITS = 4
"""Significant digits from which a rounded decimal stands for an exact value: 0.3333 for 1/3, 1.414 for the root of 2.
Fewer are left to a judge: whether 0.33 will do depends on what was asked."""


class Asked(NamedTuple):
    """What the comparison needs of the question. `seed` chooses the points."""

    text: str
    seed: int

    def says(self, *words: str) -> bool:
        """Whether the question has one of these words."""
        return any(word in self.text for word in words)


def scalar(one: Node, other: Node, asked: Asked) -> bool | None:
    """Whether two expressions are the same; an infinity is only itself."""
    if one == other:
        return True
    if INFINITY in (one, other) or MINUS_INFINITY in (one, other):
        return False
    return equal(one, other, asked.seed)


def values(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Two values, of the same variable if both name one."""
    if reference.name and answer.name and other_name(reference.name, answer.name):
        return Match(False, "variable")
    one, other = reference.parts[0], answer.parts[0]
    unit = units(reference.unit, answer.unit)
    alike = scalar(one, other, asked)
    if "%" in (reference.unit, answer.unit) and reference.unit != answer.unit:
        return _percent(reference, answer, alike, asked)
    if "°" in (reference.unit, answer.unit) and alike is False:
        return _radians(reference, answer, asked)
    if alike is True:
        return Match(unit, "value" if unit else "unit")
    if alike is False and unit is None:
        return Match(None, "unit")
    if alike is False:
        return _approximate(one, other, asked)
    return Match(alike, "undecided")


def other_name(one: str, other: str) -> bool:
    """Whether these are two variables; words and functions say nothing, and case may be style."""
    return len(one) == len(other) == 1 and one.lower() != other.lower()


def _percent(reference: Meaning, answer: Meaning, alike: bool | None, asked: Asked) -> Match:
    """One says per cent, the other does not: 50 is right where the question asks for per cent."""
    if alike:
        return Match(True if asked.says("percent", "%", "per cent") else None, "percent")
    one, other = exact(reference.parts[0]), exact(answer.parts[0])
    if one is None or other is None:
        return Match(None, "percent")
    hundred = other * 100 == one if reference.unit == "%" else other == one * 100
    if not hundred:
        return Match(False, "percent")
    return Match(None if asked.says("percent") else True, "percent")


def _radians(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.unit == answer.unit or (reference.unit and answer.unit):
        return Match(False if reference.unit == answer.unit else None, "angle")
    one, other = (Node("deg", m.parts) if m.unit == "°" else m.parts[0] for m in (reference, answer))
    if not equal(one, other, asked.seed):
        return Match(False, "angle")
    return Match(None if asked.says("degree") else True, "angle")


_PLURALS = {
    "inches": "in", "inch": "in", "feet": "ft", "foot": "ft", "meters": "m", "metres": "m", "meter": "m",
    "cents": "cent",
    "centimeters": "cm", "centimeter": "cm", "centimetres": "cm", "kilometers": "km", "miles": "mi", "mile": "mi",
    "minutes": "min", "minute": "min", "hours": "hr", "hour": "hr", "h": "hr", "hrs": "hr", "seconds": "sec",
    "second": "sec", "s": "sec", "degrees": "°", "degree": "°", "dollars": "$", "dollar": "$",
    "yards": "yd", "pounds": "lb",
    "units": "", "unit": "", "lbs": "lb", "grams": "g", "kilograms": "kg", "radians": "", "rad": "", "¢": "cent",
}  # fmt: skip
_RAISED = {"square": "^2", "sq": "^2", "cubic": "^3"}
_NO_UNITS = frozenset(
    "squared cubed root of not no isn't wrong incorrect false maybe except if when unless otherwise but plus minus "
    "times less more than over about hundred thousand million billion trillion dozen k is are was equals would "
    "should half negative never".split()
)


@lru_cache(maxsize=512)
def _unit(text: str) -> str | None:
    """A unit in one spelling; None if these words make another value of the number, or doubt it."""
    words, power = [], ""
    for word in text.lower().replace(".", " ").split():
        if word in _NO_UNITS:
            return None
        if word in _RAISED:
            power = _RAISED[word]
            continue
        base, caret, exponent = word.partition("^")
        base = _PLURALS.get(base, base[:-1] if len(base) > 3 and base.endswith("s") else base)
        if base or caret:
            words.append(base + caret + exponent if base else "")
    return " ".join(filter(None, words)) + power if any(words) else ""


def units(reference: str, answer: str) -> bool | None:
    """Whether the units agree: what one does not say is not held against the other; None if they cannot be compared."""
    one, other = _unit(reference), _unit(answer)
    if one is None or other is None:
        return None
    if not one or not other or one == other:
        return True
    return None if {one, other} <= {"$", "cent"} or " " in one + other else False


_DECIMAL = re.compile(r"0*\.?0*")


def _approximate(one: Node, other: Node, asked: Asked) -> Match:
    """Of an exact value and a decimal, whether the decimal is the value as far as it goes."""
    exact_one, exact_other = not _literal(one), not _literal(other)
    if exact_one == exact_other or symbols(one) or symbols(other):
        return Match(False, "value")
    precise, literal = (one, _literal(other)) if exact_one else (other, _literal(one))
    value = at(precise, {})
    if value is None or abs(value.imag) > 1e-12 or _integer(precise):
        return Match(False, "value")
    negative = (other if exact_one else one).op == "neg"
    stated = float(Fraction(literal)) * (-1 if negative else 1)
    places = len(literal.partition(".")[2])
    off = abs(value.real - stated)
    cut = off < 10.0**-places and abs(stated) < abs(value.real)
    if off > 0.5000001 * 10.0**-places and not cut:
        return Match(False, "value")
    digits = len(_DECIMAL.sub("", literal, count=1).replace(".", ""))
    if digits < 2:
        return Match(False, "rounded")
    strict = exact_one and asked.says("exact", "simplest radical", "fraction", "in terms of")
    if digits < ENOUGH_DIGITS or (strict and not asked.says("nearest", "round", "decimal", "approx")):
        return Match(None, "rounded")
    return Match(True, "rounded")


def _integer(node: Node) -> bool:
    value = exact(node)
    return value is not None and value.denominator == 1


def _literal(node: Node) -> str:
    """The digits of a decimal that stands alone, with or without a sign."""
    inner = node.args[0] if node.op == "neg" else node
    return inner.name if inner.op == "num" and "." in inner.name else ""
