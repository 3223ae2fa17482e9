"""What formulas are worth: exactly as fractions where that is cheap, else at a few points.

Exact arithmetic is bounded before it is done: powers, factorials and binomials whose result would have more than
MAX_BITS bits are refused, so `9^9^9^9` and `2^{10^9}` cost nothing. Values at points are complex doubles. The points
come from a digest of the variable's name and a seed (the reference's text), so they are the same in every run; four are
positive, two of either sign. Two expressions that agree at all of them to nine digits are equal. Roots of odd order are
real for negative numbers, other powers and logarithms take their principal branch.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from webscale_rl.reward.maths.tree import Node, symbols, walk

MAX_BITS = 8_192
"""Of an exact numerator or denominator: 2,400 digits."""
MAX_WORK = 400_000
"""Bits that one exact evaluation may make in all; about ten milliseconds."""
MAX_FACTORIAL = 170
"""The last whose factorial is a double."""
_REACH = ((0.4, 2.6), (2.8, 7.5), (0.1, 0.9), (0.5, 4.5), (0.4, 2.6), (2.8, 7.5))
POINTS = len(_REACH)
POSITIVE = 4
"""At the points from here on variables have either sign."""
_FAR, _FAR_AT = (200.0, 2_000.0), (1, 5)
_PIECEWISE = frozenset({"abs", "min", "max", "floor", "ceil"})
RELATIVE = 1e-9
CANCELLED = 1e-13
"""What a sum of terms of about one may leave where it should be nothing."""

Value = complex | None


class _Refused(ArithmeticError):
    """Too large, not rational, or not a number."""


def exact(node: Node) -> Fraction | None:
    """The rational value of a formula without variables, or None if it is none, or too large to be worth it."""
    if node.op == "num":
        return node.value
    try:
        return _Exact().value(node)
    except (ArithmeticError, ValueError):
        return None


class _Exact:
    """Rational arithmetic on a budget."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def value(self, node: Node) -> Fraction:
        result = self._value(node)
        bits = result.numerator.bit_length() + result.denominator.bit_length()
        self.left -= bits
        if bits > 2 * MAX_BITS or self.left < 0:
            raise _Refused
        return result

    def _value(self, node: Node) -> Fraction:
        match node.op:
            case "num":
                assert node.value is not None
                return node.value
            case "add":
                return sum((self.value(arg) for arg in node.args), Fraction(0))
            case "neg":
                return -self.value(node.args[0])
            case "mul":
                product = Fraction(1)
                for arg in node.args:
                    product *= self.value(arg)
                    self.left -= product.numerator.bit_length()
                    if self.left < 0:
                        raise _Refused
                return product
            case "div":
                return self.value(node.args[0]) / self.value(node.args[1])
            case "pow":
                return self.power(self.value(node.args[0]), self.value(node.args[1]))
            case "fact":
                return Fraction(math.factorial(_natural(self.value(node.args[0]), MAX_FACTORIAL)))
            case "pct":
                return self.value(node.args[0]) / 100
            case "fn":
                return self.function(node.name, [self.value(arg) for arg in node.args])
        raise _Refused

    def power(self, base: Fraction, exponent: Fraction) -> Fraction:
        if exponent.denominator != 1:
            root = _root(base, exponent.denominator)
            return self.power(root, Fraction(exponent.numerator))
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(exponent) > MAX_BITS or (size - 1) * abs(exponent.numerator) > MAX_BITS:
            raise _Refused
        return base**exponent.numerator

    def function(self, name: str, args: list[Fraction]) -> Fraction:
        first = args[0]
        match name, len(args):
            case "sqrt", 1:
                return _root(first, 2)
            case "cbrt", 1:
                return _root(first, 3)
            case "root", 2:
                return _root(first, _natural(args[1], 64))
            case "abs", 1:
                return abs(first)
            case "floor", 1:
                return Fraction(math.floor(first))
            case "ceil", 1:
                return Fraction(math.ceil(first))
            case "binom", 2:
                return Fraction(math.comb(_natural(first, 1000), _natural(args[1], 1000)))
            case "mod", 2:
                return first % args[1]
            case "gcd" | "lcm", 2:
                pick = math.gcd if name == "gcd" else math.lcm
                return Fraction(pick(_natural(first, 10**18), _natural(args[1], 10**18)))
            case "min" | "max", _:
                return min(args) if name == "min" else max(args)
        raise _Refused


def _natural(value: Fraction, most: int) -> int:
    if value.denominator != 1 or not 0 <= value <= most:
        raise _Refused
    return value.numerator


def _root(value: Fraction, order: int) -> Fraction:
    """The rational root, if there is one."""
    if order < 1 or order > 64 or (value < 0 and order % 2 == 0):
        raise _Refused
    sign = -1 if value < 0 else 1
    parts = []
    for part in (abs(value.numerator), value.denominator):
        if part.bit_length() > 1000:
            raise _Refused
        root = math.isqrt(part) if order == 2 else round(part ** (1 / order))
        if root**order != part:
            raise _Refused
        parts.append(root)
    return Fraction(sign * parts[0], parts[1])


@lru_cache(maxsize=512)
def point(name: str, number: int, seed: int, *, wide: bool = False) -> float:
    """Where a variable stands at the point of that number."""
    digest = crc32(f"{name}/{number}/{seed}".encode())
    low, high = _FAR if wide and number in _FAR_AT else _REACH[number]
    size = low + (high - low) * (digest + 0.5) / 2**32
    return -size if number >= POSITIVE and digest & 1 else size


def at_points(node: Node, seed: int, *, wide: bool = False) -> tuple[Value, ...]:
    """The values at all points, None where the formula has none; a single one if there are no variables.

    `wide`: some points are far away, for `|x - 100|` is `100 - x` near nothing.
    """
    names = symbols(node)
    return tuple(
        at(node, {name: point(name, number, seed, wide=wide) for name in names})
        for number in range(POINTS if names else 1)
    )


def at(node: Node, places: dict[str, float]) -> Value:
    """The value where the variables stand at these places, or None."""
    try:
        value = _Numeric(places).value(node)
    except (ArithmeticError, LookupError, ValueError, TypeError):  # among them: a constant or function without a value
        return None
    return value if cmath.isfinite(value) else None


class _Numeric:
    def __init__(self, places: dict[str, float]) -> None:
        self.places = places

    def value(self, node: Node) -> complex:
        match node.op:
            case "num":
                assert node.value is not None
                return complex(node.value.numerator / node.value.denominator)
            case "sym":
                return complex(self.places[node.name])
            case "add":
                return sum(map(self.value, node.args), 0j)
            case "neg":
                return -self.value(node.args[0])
            case "mul":
                return math.prod(map(self.value, node.args), start=1 + 0j)
            case "div":
                return self.value(node.args[0]) / self.value(node.args[1])
            case "pow":
                return _power(self.value(node.args[0]), self.value(node.args[1]))
            case "const":
                return _CONSTANTS[node.name]
            case "fn":
                return _FUNCTIONS[node.name](*map(self.value, node.args))
            case "deg" | "pct" | "fact":
                return _POSTFIX[node.op](self.value(node.args[0]))
        raise ValueError(node.op)


def _power(base: complex, exponent: complex) -> complex:
    if base.imag == 0 and exponent.imag == 0:
        if base.real >= 0 or exponent.real == round(exponent.real):
            return complex(base.real**exponent.real)
        # a root of odd order: -8 to one third is -2
        part = Fraction(exponent.real).limit_denominator(99)
        if part.denominator % 2 and abs(float(part) - exponent.real) < 1e-12:
            size = float((-base.real) ** exponent.real)
            return complex(-size if part.numerator % 2 else size)
    return complex(base**exponent)


def _real(value: complex) -> float:
    if abs(value.imag) > 1e-12 * max(1.0, abs(value.real)):
        raise ValueError
    return value.real


def _binomial(n: complex, k: complex) -> complex:
    first, second = _real(n), _real(k)
    return complex(math.gamma(first + 1) / math.gamma(second + 1) / math.gamma(first - second + 1))


def _angle(function: Callable[[complex], complex]) -> Callable[[complex], complex]:
    return lambda value: function(1 / value)


def _floor(value: complex) -> complex:
    return complex(math.floor(_real(value) + 1e-12))


_POSTFIX: dict[str, Callable[[complex], complex]] = {
    "deg": lambda x: x * (math.pi / 180),
    "pct": lambda x: x / 100,
    "fact": lambda x: complex(math.gamma(_real(x) + 1)),
}
_CONSTANTS = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}
_FUNCTIONS: dict[str, Callable[..., complex]] = {
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "sinh": cmath.sinh, "cosh": cmath.cosh, "tanh": cmath.tanh,
    "arcsin": cmath.asin, "arccos": cmath.acos, "arctan": cmath.atan, "exp": cmath.exp, "ln": cmath.log,
    "log": cmath.log, "lg": cmath.log10, "sqrt": cmath.sqrt,
    "cot": lambda x: 1 / cmath.tan(x), "sec": lambda x: 1 / cmath.cos(x), "csc": lambda x: 1 / cmath.sin(x),
    "coth": lambda x: 1 / cmath.tanh(x),
    "arccot": _angle(cmath.atan), "arcsec": _angle(cmath.acos), "arccsc": _angle(cmath.asin),
    "cbrt": lambda x: _power(x, complex(1 / 3)), "root": lambda x, n: _power(x, 1 / n),
    "logb": lambda base, x: cmath.log(x) / cmath.log(base), "abs": lambda x: complex(abs(x)),
    "floor": _floor, "ceil": lambda x: -_floor(-x), "binom": _binomial,
    "mod": lambda x, m: complex(_real(x) % _real(m)),
    "min": lambda *xs: complex(min(map(_real, xs))), "max": lambda *xs: complex(max(map(_real, xs))),
    "arg": lambda x: complex(cmath.phase(x)), "Re": lambda x: complex(x.real), "Im": lambda x: complex(x.imag),
}  # fmt: skip


def near(one: complex, other: complex, *, sums: bool = True) -> bool:
    """Whether two values at a point are the same but for rounding."""
    return abs(one - other) <= RELATIVE * max(abs(one), abs(other)) + (CANCELLED if sums else 0.0)


class _Traits(NamedTuple):
    """What decides how a formula is evaluated: its variables, whether it has sums, whether it is defined in pieces."""

    names: frozenset[str]
    sums: bool
    piecewise: bool


def _traits(node: Node) -> _Traits:
    names, sums, piecewise = set(), False, False
    for part in walk(node):
        if part.op == "sym":
            names.add(part.name)
        elif part.op == "add":
            sums = True
        elif part.op == "fn":
            sums = True
            piecewise = piecewise or part.name in _PIECEWISE
    return _Traits(frozenset(names), sums, piecewise)


class _Known:
    """A reference's traits, its value if it is rational, and its values at the points that were needed so far."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.traits = _traits(node)
        self.rational = None if self.traits.names else exact(node)
        self.values: dict[tuple[int, int, bool], Value] = {}

    def at(self, number: int, seed: int, wide: bool) -> Value:
        """The value at a point. Two threads may both make it, and make the same."""
        key = number, seed, wide
        if key not in self.values:
            places = {name: point(name, number, seed, wide=wide) for name in self.traits.names}
            self.values[key] = at(self.node, places)
        return self.values[key]


_known = lru_cache(maxsize=512)(_Known)


def equal(reference: Node, answer: Node, seed: int) -> bool | None:
    """Whether two expressions have the same value wherever both have one.

    None if there is no point where both have one, or if they agree only where all variables are positive.
    """
    if reference == answer:
        return True
    known, other_traits = _known(reference), _traits(answer)
    traits = known.traits
    if known.rational is not None and not other_traits.names:
        rational = exact(answer)
        if rational is not None:
            return rational == known.rational
    wide = traits.piecewise or other_traits.piecewise
    size = POINTS if traits.names or other_traits.names else 1
    seen = 0
    for number in range(size):
        # of the reference all points are remembered; the answer's are made until one differs
        value = known.at(number, seed, wide)
        if value is None:
            continue
        other = at(answer, {name: point(name, number, seed, wide=wide) for name in other_traits.names})
        if other is None:
            continue
        if not near(value, other, sums=traits.sums or other_traits.sums):
            return None if number >= POSITIVE and seen >= 3 else False
        seen += 1
    return True if seen >= min(size, 2) else None
