"""Whether two equations, two inequalities or two orders of growth are the same."""

from __future__ import annotations

import math
from itertools import pairwise

from webscale_rl.reward.maths.evaluate import POINTS, at, at_points, equal, near, point
from webscale_rl.reward.maths.latex import Unreadable
from webscale_rl.reward.maths.meaning import Meaning, Span, as_spans, end
from webscale_rl.reward.maths.tree import Node, symbols
from webscale_rl.reward.maths.values import Asked, other_name
from webscale_rl.reward.verdict import Match

_NOUGHT = 1e-9


def spans_and_inequality(reference: Meaning, answer: Meaning) -> Match:
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
    places += [(low + high) / 2 for low, high in pairwise(ends)]
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


def orders(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Orders of growth: constant factors do not count."""
    if reference.unit != answer.unit:
        return Match(None, "order")
    return Match(_proportional(reference.parts[0], answer.parts[0], asked) is not None, "order")


def order_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """`n log n` for `O(n log n)`, where growth is asked for."""
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


def inequalities(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Two inequalities: the same sides, or one a positive multiple of the other."""
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


def equations(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """Two equations: the same sides, one a multiple of the other, or both solved for the same variable."""
    if reference.name and reference.name == answer.name:
        return Match(equal(reference.parts[1], answer.parts[1], asked.seed), "equation")
    if _sides(reference.parts, answer.parts, asked):
        return Match(True, "equation")
    one, other = (Node("add", (m.parts[0], Node("neg", (m.parts[1],)))) for m in (reference, answer))
    if symbols(one) != symbols(other):
        folded = [sorted(map(str.lower, symbols(node))) for node in (one, other)]
        return Match(None if folded[0] == folded[1] else False, "equation")
    if not any(at_points(one, asked.seed)) or not any(at_points(other, asked.seed)):
        return Match(None, "equation")  # nothing to go by, or an identity
    if _proportional(one, other, asked) is not None:
        return Match(True, "equation")
    if reference.name and answer.name and _one_letter(reference.name) and _one_letter(answer.name):
        solved = asked.says("solve", "express", "rearrange", "isolate", "in terms of", "subject", "find")
        return Match(False if not _same_line(one, other, asked) else None if solved else True, "solved_for")
    return Match(_same_line(one, other, asked), "equation")


def _sides(ones: tuple[Node, ...], others: tuple[Node, ...], asked: Asked) -> bool:
    """Whether both have the same sides, in either order."""
    for left, right in (others, others[::-1]):
        if equal(ones[0], left, asked.seed) and equal(ones[1], right, asked.seed):
            return True
    return False


def _one_letter(name: str) -> bool:
    return "(" not in name and " " not in name


def _same_line(one: Node, other: Node, asked: Asked) -> bool:
    """Whether both, solved for the variables that both are linear in, give the same, and are so in one at least."""
    names = sorted(symbols(one))
    verdicts = {_same_solution(one, other, name, names, asked) for name in names}
    return True in verdicts and False not in verdicts


def _same_solution(one: Node, other: Node, name: str, names: list[str], asked: Asked) -> bool | None:
    """For one variable; None if they are not linear in it, or solved by nought, which says nothing of the rest."""
    for number in range(POINTS):
        places = {other_name: point(other_name, number, asked.seed) for other_name in names}
        first, second = _solved(one, name, places), _solved(other, name, places)
        if first is None or second is None or (abs(first) < _NOUGHT and abs(second) < _NOUGHT):
            return None
        if not near(first, second):
            return False
    return True


def _solved(difference: Node, name: str, places: dict[str, float]) -> complex | None:
    values = [at(difference, {**places, name: x}) for x in (1.0, 2.0, 4.0)]
    low, middle, high = values
    if low is None or middle is None or high is None or not near(high - middle, 2 * (middle - low)):
        return None
    slope = middle - low
    return 1 - low / slope if abs(slope) > _NOUGHT else None


def equation_and_value(reference: Meaning, answer: Meaning, asked: Asked) -> Match:
    """`2x + 3` for `y = 2x + 3`, and the other way round."""
    equation, value = (reference, answer) if reference.kind == "equation" else (answer, reference)
    if not equation.name:
        return Match(False, "equation")
    if value.name and other_name(value.name, equation.name):
        return Match(False, "variable")
    return Match(equal(equation.parts[1], value.parts[0], asked.seed), "right_side")
