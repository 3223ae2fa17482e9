"""Whether two formulas say the same as answers: values, sets, intervals, points, matrices, equations."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from fractions import Fraction
from typing import NamedTuple

from webscale_rl.reward.evaluate import POINTS, at, at_points, equal, exact, near, point, symbols
from webscale_rl.reward.expression import Node, Unreadable
from webscale_rl.reward.meaning import INFINITY, MINUS_INFINITY, Meaning, Span, as_spans, end, read
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


def same(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Whether the answer says what the reference says."""
    pair = reference.kind, answer.kind
    if pair in _BY_KIND:
        return _BY_KIND[pair](reference, answer, asked)
    if "inequality" in pair and {"spans", "tuple"} & set(pair):
        return _spans_and_inequality(reference, answer)
    if "spans" in pair or "tuple" in pair:
        try:
            return Match(_same_spans(as_spans(reference), as_spans(answer), asked), "interval")
        except Unreadable:
            return Match(None if "set" in pair else False, "shape")
    if "base" in pair and "value" in pair:
        return _base_and_value(reference, answer, asked)
    if "ratio" in pair and "value" in pair:
        return _ratio_and_value(reference, answer, asked)
    return Match(None if "order" in pair or "word" in pair or "system" in pair else False, "shape")


def elements(one: Node, other: Node, asked: Asked) -> bool | None:
    """Whether two parts of sets, tuples or matrices are the same."""
    if one == other:
        return True
    if INFINITY in (one, other) or MINUS_INFINITY in (one, other):
        return False
    if one.op in _STRUCTURES or other.op in _STRUCTURES:
        try:
            return same(read(one), read(other), asked).same
        except Unreadable:
            return None
    return equal(one, other, asked.seed)


_STRUCTURES = frozenset({"tuple", "text", "matrix", "set", "rel", "deg", "pct", "unit"})


def _values(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.name and answer.name and _other_name(reference.name, answer.name):
        return Match(False, "variable")
    one, other = reference.parts[0], answer.parts[0]
    unit = _units(reference.unit, answer.unit)
    alike = elements(one, other, asked)
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


def _other_name(one: str, other: str) -> bool:
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
    "inches": "in", "inch": "in", "feet": "ft", "foot": "ft", "meters": "m", "metres": "m", "meter": "m", "cents": "cent",
    "centimeters": "cm", "centimeter": "cm", "centimetres": "cm", "kilometers": "km", "miles": "mi", "mile": "mi",
    "minutes": "min", "minute": "min", "hours": "hr", "hour": "hr", "h": "hr", "hrs": "hr", "seconds": "sec",
    "second": "sec", "s": "sec", "degrees": "°", "degree": "°", "dollars": "$", "dollar": "$", "yards": "yd", "pounds": "lb",
    "units": "", "unit": "", "lbs": "lb", "grams": "g", "kilograms": "kg", "radians": "", "rad": "", "¢": "cent",
}  # fmt: skip
_RAISED = {"square": "^2", "sq": "^2", "cubic": "^3"}
_NO_UNITS = frozenset(
    "not no isn't wrong incorrect false maybe except if when unless otherwise but plus minus times less more than over "
    "about hundred thousand million billion trillion dozen k is are was equals would should half negative never".split()
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


def _units(reference: str, answer: str) -> bool | None:
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


def _sets(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.name and answer.name and _other_name(reference.name, answer.name):
        return Match(False, "variable")
    if not _units(reference.unit, answer.unit):
        return Match(None, "unit")
    wanted, given = _distinct(reference.parts, asked), _distinct(answer.parts, asked)
    if len(wanted) != len(given):
        return Match(False, "set")
    unsure, left = False, list(given)
    for part in wanted:
        verdicts = [elements(part, candidate, asked) for candidate in left]
        if True in verdicts:
            left.pop(verdicts.index(True))
        elif None in verdicts:
            unsure = True
        else:
            return Match(False, "set")
    return Match(None if unsure else True, "set")


def _distinct(parts: tuple[Node, ...], asked: Asked) -> list[Node]:
    kept: list[Node] = []
    for part in parts:
        if not any(elements(part, other, asked) for other in kept):
            kept.append(part)
    return kept


def _tuples(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if len(reference.parts) != len(answer.parts):
        return Match(False, "tuple")
    verdict = _all(reference.parts, answer.parts, asked)
    if reference.unit == answer.unit or verdict is False:
        return Match(verdict, "tuple")
    # (1, 2) and [1, 2] are two intervals, but (1, 2, 3) and [1, 2, 3] are one vector
    interval = len(reference.parts) == 2 and not asked.says("point", "coordinates", "vector", "pair")
    return Match(False if interval else verdict, "brackets")


def _all(ones: tuple[Node, ...], others: tuple[Node, ...], asked: Asked) -> bool | None:
    unsure = False
    for one, other in zip(ones, others, strict=True):
        verdict = elements(one, other, asked)
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def _tuple_and_set(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """(1, 2) for 1 and 2: a list in brackets is the list; a point is no set, but a judge may see it otherwise."""
    verdict = _sets(reference._replace(unit=""), answer._replace(unit=""), asked).same
    if verdict is not True:
        return Match(verdict, "set")
    bracketed = answer.kind == "tuple" and answer.unit == "[]" and not asked.says("interval")
    in_order = _all(reference.parts, answer.parts, asked)
    plain = answer.kind == "set" and reference.unit == "()" and not asked.says("interval")
    return Match(
        True if bracketed or (plain and in_order and asked.says("ordered", "coordinates")) else None, "brackets"
    )


def _named(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    ones = dict(zip(reference.name.split(","), reference.parts, strict=True))
    others = dict(zip(answer.name.split(","), answer.parts, strict=True))
    if ones.keys() != others.keys():
        return Match(None if len(ones) == len(others) else False, "variable")
    return Match(_all(tuple(ones.values()), tuple(others[name] for name in ones), asked), "values")


def _named_and_tuple(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    named, plain = (reference, answer) if reference.kind == "named" else (answer, reference)
    if len(named.parts) != len(plain.parts):
        return Match(False, "tuple")
    names = named.name.split(",")
    verdict = _all(named.parts, plain.parts, asked)
    return Match(verdict if names == sorted(names) else None, "tuple")


def _matrices(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if [len(row.args) for row in reference.parts] != [len(row.args) for row in answer.parts]:
        return Match(False, "matrix")
    flat = [tuple(cell for row in meaning.parts for cell in row.args) for meaning in (reference, answer)]
    return Match(_all(flat[0], flat[1], asked), "matrix")


def _matrix_and_tuple(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    matrix, vector = (reference, answer) if reference.kind == "matrix" else (answer, reference)
    cells = tuple(cell for row in matrix.parts for cell in row.args)
    if len(cells) != len(vector.parts) or min(len(matrix.parts), len(matrix.parts[0].args)) != 1:
        return Match(None if any(part.op == "tuple" for part in vector.parts) else False, "matrix")
    return Match(_all(cells, vector.parts, asked), "matrix")


def _spans(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if reference.name and answer.name and _other_name(reference.name, answer.name):
        return Match(False, "variable")
    return Match(_same_spans(reference.spans, answer.spans, asked), "interval")


def _same_spans(ones: tuple[Span, ...], others: tuple[Span, ...], asked: Asked) -> bool | None:
    if len(ones) != len(others):
        return False
    unsure = False
    for one, other in zip(ones, others, strict=True):
        if one[2:] != other[2:]:
            return False
        verdict = _all(one[:2], other[:2], asked)
        if verdict is False:
            return False
        unsure = unsure or verdict is None
    return None if unsure else True


def _spans_and_inequality(reference: Meaning, answer: Meaning) -> Match:
    """|x| < 3 for (-3, 3): told by the truth of it at the ends, beside them and between them. Others are not solved."""
    told, other = (reference, answer) if reference.kind == "inequality" else (answer, reference)
    try:
        spans = as_spans(other)
        ends = sorted({end(limit) for span in spans for limit in span[:2]} - {math.inf, -math.inf})
    except Unreadable:
        return Match(False, "shape")
    names = symbols(Node("row", told.parts))
    if len(names) != 1 or not any(part.op == "fn" and part.name == "abs" for part in told.parts):
        return Match(None, "inequality")
    if not ends:
        return Match(None, "inequality")
    places = [x for limit in ends for x in (limit - 1e-3, limit, limit + 1e-3)] + [ends[0] - 99, ends[-1] + 99]
    places += [(low + high) / 2 for low, high in zip(ends, ends[1:], strict=False)]
    for x in places:
        inside = any(_in_span(x, span) for span in spans)
        if _holds(told, {min(names): x}) is not inside:
            return Match(False, "inequality")
    return Match(True, "inequality")


def _in_span(x: float, span: Span) -> bool:
    low, high = end(span.low), end(span.high)
    return low < x < high or (x == low and span.low_closed) or (x == high and span.high_closed)


def _holds(inequality: Meaning, places: dict[str, float]) -> bool | None:
    left, right = (at(part, places) for part in inequality.parts)
    if left is None or right is None or inequality.unit == "!=":
        return None
    if near(left, right):
        return inequality.unit.endswith("=")
    return (left.real < right.real) == (inequality.unit[0] == "<")


def _base_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """52 for 52 in base 8 where the question names the base; its decimal value is another answer."""
    digits = reference.unit if reference.kind == "base" else answer.unit
    value = exact((answer if reference.kind == "base" else reference).parts[0])
    if value is None or str(value) != digits:
        return Match(False, "base")
    return Match(True if asked.says("base", "binary", "octal") else None, "base")


def _bases(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return Match(reference.unit == answer.unit and reference.parts == answer.parts, "base")


def _ratio_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    ratio, value = (reference, answer) if reference.kind == "ratio" else (answer, reference)
    if len(ratio.parts) != 2 or not elements(Node("div", ratio.parts), value.parts[0], asked):
        return Match(False, "ratio")
    return Match(True if asked.says("ratio") else None, "ratio")


def _ratios(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    if len(reference.parts) != len(answer.parts):
        return Match(False, "ratio")
    verdict = _all(reference.parts, answer.parts, asked)
    if verdict is not False or not asked.says("ratio"):
        return Match(verdict, "ratio")
    ones, others = (
        [Node("div", (part, meaning.parts[0])) for part in meaning.parts] for meaning in (reference, answer)
    )
    return Match(_all(tuple(ones), tuple(others), asked), "ratio")


def _words(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return Match(True if reference.unit == answer.unit else None, "words")


def _orders(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Orders of growth: constant factors do not count."""
    if reference.unit != answer.unit:
        return Match(None, "order")
    return Match(_proportional(reference.parts[0], answer.parts[0], asked) is not None, "order")


def _order_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    alike = _proportional(reference.parts[0], answer.parts[0], asked) is not None
    return Match(True if alike and asked.says("complex", "big", "order", "time") else None if alike else False, "order")


def _proportional(one: Node, other: Node, asked: Asked) -> float | None:
    """The factor between two expressions, if it is the same at all points."""
    factor: complex | None = None
    for first, second in zip(at_points(one, asked.seed), at_points(other, asked.seed), strict=False):
        if first is None or second is None:
            continue
        if second == 0 or first == 0:
            return None
        if factor is not None and not near(factor, first / second):
            return None
        factor = first / second
    return factor.real if factor is not None and abs(factor.imag) < 1e-9 else None


def _inequalities(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    one, other = _oriented(reference), _oriented(answer)
    if one[0] != other[0]:
        return Match(False, "inequality")
    factor = _proportional(one[1], other[1], asked)
    return Match(factor is not None and (factor > 0 or one[0] == "!="), "inequality")


def _oriented(meaning: Meaning) -> tuple[str, Node]:
    left, right = meaning.parts
    if meaning.unit[0] == ">":
        return "<" + meaning.unit[1:], Node("add", (right, Node("neg", (left,))))
    return meaning.unit, Node("add", (left, Node("neg", (right,))))


def _equations(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Two equations: the same sides, one a multiple of the other, or both solved for the same variable."""
    if reference.name and reference.name == answer.name:
        return Match(equal(reference.parts[1], answer.parts[1], asked.seed), "equation")
    one, other = (Node("add", (m.parts[0], Node("neg", (m.parts[1],)))) for m in (reference, answer))
    if symbols(one) != symbols(other):
        return Match(False, "equation")
    if _proportional(one, other, asked) is not None:
        return Match(True, "equation")
    if reference.name and answer.name and _one_letter(reference.name) and _one_letter(answer.name):
        return Match(None if _same_line(one, other, asked) else False, "solved_for")
    return Match(_same_line(one, other, asked), "equation")


def _one_letter(name: str) -> bool:
    return "(" not in name and " " not in name


def _same_line(one: Node, other: Node, asked: Asked) -> bool:
    """Whether both, solved for a variable that both are linear in, give the same."""
    names = sorted(symbols(one))
    for name in names:
        agreed = 0
        for number in range(POINTS):
            places = {other_name: point(other_name, number, asked.seed) for other_name in names}
            first, second = _solved(one, name, places), _solved(other, name, places)
            if first is None or second is None or not near(first, second):
                break
            agreed += 1
        if agreed == POINTS:
            return True
    return False


def _solved(difference: Node, name: str, places: dict[str, float]) -> complex | None:
    values = [at(difference, {**places, name: x}) for x in (1.0, 2.0, 4.0)]
    low, middle, high = values
    if low is None or middle is None or high is None or not near(high - middle, 2 * (middle - low)):
        return None
    slope = middle - low
    return 1 - low / slope if abs(slope) > 1e-9 else None


def _equation_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """`2x + 3` for `y = 2x + 3`, and the other way round."""
    equation, value = (reference, answer) if reference.kind == "equation" else (answer, reference)
    if not equation.name:
        return Match(False, "equation")
    if value.name and _other_name(value.name, equation.name):
        return Match(False, "variable")
    return Match(equal(equation.parts[1], value.parts[0], asked.seed), "right_side")


def _value_and_set(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    return _sets(reference._replace(kind="set"), answer._replace(kind="set"), asked)


_BY_KIND = {
    ("value", "value"): _values, ("set", "set"): _sets, ("value", "set"): _value_and_set, ("set", "value"): _value_and_set,
    ("tuple", "tuple"): _tuples, ("tuple", "set"): _tuple_and_set, ("set", "tuple"): _tuple_and_set,
    ("named", "named"): _named, ("named", "tuple"): _named_and_tuple, ("tuple", "named"): _named_and_tuple,
    ("matrix", "matrix"): _matrices, ("matrix", "tuple"): _matrix_and_tuple, ("tuple", "matrix"): _matrix_and_tuple,
    ("spans", "spans"): _spans, ("base", "base"): _bases, ("ratio", "ratio"): _ratios, ("word", "word"): _words,
    ("order", "order"): _orders, ("order", "value"): _order_and_value, ("inequality", "inequality"): _inequalities,
    ("equation", "equation"): _equations, ("equation", "value"): _equation_and_value,
    ("value", "equation"): _equation_and_value,
}  # fmt: skip

__all__ = ["ENOUGH_DIGITS", "Asked", "elements", "same"]
