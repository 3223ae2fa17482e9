"""What a formula says as an answer: a value, a set of solutions, intervals, a point, an equation, a word.

"x = 5" is the value 5 of x, "x = 2 or x = 3" and "1 ± √2" are sets, "x > 2" is the interval (2, ∞), `y = 2x + 3` stays
an equation. Nothing is solved: an equation that does not name its solution is an equation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from webscale_rl.reward.maths.evaluate import at, equal
from webscale_rl.reward.maths.latex import Unreadable
from webscale_rl.reward.maths.tree import Node, symbols, walk

MAX_ELEMENTS = 16
"""Of a set: each is compared with each."""


class Span(NamedTuple):
    """An interval. `low_closed`: its lower end belongs to it."""

    low: Node
    high: Node
    low_closed: bool
    high_closed: bool


class Meaning(NamedTuple):
    """`kind`: value, set, spans, tuple (unit: its brackets), matrix, equation, inequality (unit: its relation), named,
    word, order, ratio, base. `name`: the variable that has this value, or the variables of "named", by commas."""

    kind: str
    parts: tuple[Node, ...] = ()
    name: str = ""
    unit: str = ""
    spans: tuple[Span, ...] = ()


INFINITY = Node("const", name="oo")
MINUS_INFINITY = Node("neg", (INFINITY,))
_EMPTY = frozenset({"no solution", "no solutions", "no real solution", "no real solutions", "none", "empty set"})
_ALL = frozenset({"all real numbers", "all reals", "all real", "real numbers"})
_SAYING = frozenset("is are was equals be gives get so then thus hence therefore with that and not no isn't".split())
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}
_NO_VALUES = frozenset({"list", "rel", "text", "set", "union", "inter", "minus", "matrix", "tuple", "unit", "such"})
_FLAT = {"value", "set"}


def read(node: Node) -> Meaning:
    """What the formula says. Raises Unreadable where it contradicts itself, or is too much."""
    match node.op:
        case "rel":
            return _relation(node)
        case "list":
            return _list(node)
        case "set":
            return _set([read(arg) for arg in node.args])
        case "tuple":
            return Meaning("tuple", node.args, unit=node.name)
        case "union" | "inter" | "minus":
            return _combined(node)
        case "such":
            return read(node.args[1])
        case "matrix":
            return Meaning("matrix", node.args)
        case "ratio":
            return Meaning("ratio", node.args)
        case "base":
            return Meaning("base", (Node("num", value=node.value),), unit=node.name)
        case "text":
            return _word(node.name)
    return _scalar(node)


def _word(words: str) -> Meaning:
    lower = words.lower()
    if lower in _EMPTY:
        return Meaning("set")
    if lower in _ALL:
        return Meaning("spans", spans=(Span(MINUS_INFINITY, INFINITY, False, False),))
    return Meaning("word", unit=lower)


def _scalar(node: Node) -> Meaning:
    if node.op == "unit":
        measured = read(node.args[0])
        if measured.kind not in ("value", "set") or measured.unit:
            raise Unreadable("a unit of something else")
        return measured._replace(unit=node.name)
    if node.op == "const" and node.name == "empty":
        return Meaning("set")
    if node.op == "const" and node.name == "reals":
        return Meaning("spans", spans=(Span(MINUS_INFINITY, INFINITY, False, False),))
    if node.op == "fn" and node.name.startswith("big"):
        return Meaning("order", node.args, unit=node.name)
    if node.op == "neg" and node.args[0].op in ("deg", "pct", "unit"):
        inner = node.args[0]
        sign = {"deg": "°", "pct": "%"}.get(inner.op, inner.name)
        return Meaning("value", (Node("neg", inner.args),), unit=sign)
    if node.op in ("deg", "pct"):
        return Meaning("value", node.args, unit="°" if node.op == "deg" else "%")
    found = {part.op for part in walk(node)}
    if "pm" in found or "mp" in found:
        return Meaning("set", (_signed(node, plus=True), _signed(node, plus=False)))
    if found & _NO_VALUES:
        raise Unreadable("no value")
    return Meaning("value", (node,))


def _signed(node: Node, *, plus: bool) -> Node:
    """The formula with the upper or the lower of all its signs."""
    args = tuple(_signed(arg, plus=plus) for arg in node.args)
    if node.op in ("pm", "mp"):
        return args[0] if plus == (node.op == "pm") else Node("neg", args)
    return node._replace(args=args)


def _set(found: list[Meaning]) -> Meaning:
    """All elements in one set; ± gives two."""
    elements: list[Node] = []
    names = {meaning.name for meaning in found if meaning.name}
    units = {meaning.unit for meaning in found if meaning.unit and meaning.kind in _FLAT}
    for meaning in found:
        if meaning.kind in _FLAT:
            elements += meaning.parts
        elif meaning.kind == "tuple":
            elements.append(Node("tuple", meaning.parts, meaning.unit))
        elif meaning.kind == "word":
            elements.append(Node("text", name=meaning.unit))
        elif meaning.kind == "matrix":
            elements.append(Node("matrix", meaning.parts))
        else:
            raise Unreadable("a set of what are no values")
    if len(elements) > MAX_ELEMENTS or len(units) > 1:
        raise Unreadable("a set that is too large")
    return Meaning(
        "set", tuple(elements), name=min(names) if len(names) == 1 else "", unit=units.pop() if units else ""
    )


def _list(node: Node) -> Meaning:
    found = [read(arg) for arg in node.args]
    kinds = {meaning.kind for meaning in found}
    if "word" in kinds and len(kinds) > 1:
        raise Unreadable("words and values")
    if "spans" in kinds:
        if kinds - {"spans", "tuple"}:
            raise Unreadable("intervals and others")
        return _intervals([as_spans(meaning) for meaning in found], node.name)
    if kinds <= {"equation"} | _FLAT and kinds & {"equation"}:
        return Meaning("system", node.args)
    names = [meaning.name for meaning in found]
    if len(set(names)) == len(names) and all(names) and kinds == {"value"}:
        return Meaning("named", tuple(meaning.parts[0] for meaning in found), name=",".join(names))
    if len({name for name in names if name}) > 1:
        raise Unreadable("several variables")
    return _set(found)


def _intervals(parts: list[tuple[Span, ...]], join: str) -> Meaning:
    spans = [span for part in parts for span in part]
    both = merged(spans)
    whole = len(both) == 1 and both[0].low == MINUS_INFINITY and both[0].high == INFINITY
    if join == "and" or (join == "," and whole):
        return Meaning("spans", spans=_intersection(spans))
    return Meaning("spans", spans=both)


def _combined(node: Node) -> Meaning:
    first, second = read(node.args[0]), read(node.args[1])
    if node.op == "union" and first.kind == second.kind == "set":
        return _set([first, second])
    if node.op == "minus":
        line = as_spans(first)
        if second.kind != "set" or len(line) != 1 or not second.parts:
            raise Unreadable("a difference")
        return Meaning("spans", spans=_without(line[0], second.parts))
    spans = [*as_spans(first), *as_spans(second)]
    return Meaning("spans", spans=merged(spans) if node.op == "union" else _intersection(spans))


def as_spans(meaning: Meaning) -> tuple[Span, ...]:
    """The intervals that this says. Raises Unreadable if it says none."""
    if meaning.kind == "spans":
        return meaning.spans
    if meaning.kind == "tuple" and len(meaning.parts) == 2:
        low, high = meaning.parts
        return (Span(low, high, meaning.unit[0] == "[", meaning.unit[1] == "]"),)
    if meaning.kind == "set":
        return tuple(Span(part, part, True, True) for part in meaning.parts)
    raise Unreadable("no interval")


def end(node: Node) -> float:
    """Where an end of an interval lies. Raises Unreadable if that is not a real number."""
    if node == INFINITY:
        return math.inf
    if node == MINUS_INFINITY:
        return -math.inf
    value = at(node, {})
    if value is None or abs(value.imag) > 1e-12:
        raise Unreadable("an end that is no number")
    return value.real


def merged(spans: list[Span]) -> tuple[Span, ...]:
    """The union, in order, with what overlaps or touches as one."""
    ordered = sorted(spans, key=lambda span: (end(span.low), not span.low_closed))
    result: list[Span] = []
    for span in ordered:
        low, high = end(span.low), end(span.high)
        if low > high:
            raise Unreadable("an interval that ends before it begins")
        if result:
            last = result[-1]
            reach = end(last.high)
            if low < reach or (low == reach and (span.low_closed or last.high_closed)):
                further = high > reach or (high == reach and span.high_closed)
                result[-1] = last._replace(high=span.high, high_closed=span.high_closed) if further else last
                continue
        result.append(span)
    return tuple(result)


def _intersection(spans: list[Span]) -> tuple[Span, ...]:
    low = max(spans, key=lambda span: (end(span.low), not span.low_closed))
    high = min(spans, key=lambda span: (end(span.high), span.high_closed))
    if end(low.low) >= end(high.high):
        raise Unreadable("nothing in common")
    return (Span(low.low, high.high, low.low_closed, high.high_closed),)


def _without(line: Span, points: tuple[Node, ...]) -> tuple[Span, ...]:
    result, rest = [], line
    for point in sorted(points, key=end):
        if not end(rest.low) < end(point) < end(rest.high):
            raise Unreadable("a point outside")
        result.append(rest._replace(high=point, high_closed=False))
        rest = rest._replace(low=point, low_closed=False)
    return (*result, rest)


def lone(node: Node) -> str:
    """The name that stands alone on a side of a relation: a variable, `f(x)`, a word, "derivative"; or ""."""
    if node.op == "text":
        return "" if _SAYING & set(node.name.lower().split()) else node.name
    if node.op == "sym":
        return "derivative" if node.name in ("y'", "f'") else node.name
    if node.op == "const" and node.name in ("e", "i"):
        return node.name
    if node.op == "tuple" and all(arg.op == "sym" for arg in node.args):
        return f"({','.join(arg.name for arg in node.args)})"
    if node.op == "div" and all(_differential(arg) for arg in node.args):
        return "derivative"
    return _applied(*node.args) if node.op == "mul" and len(node.args) == 2 else ""


def _applied(function: Node, variable: Node) -> str:
    """`f(x)`, which reads like a product."""
    if function.op == "sym" and variable.op in ("sym", "num") and len(function.name.rstrip("'")) == 1:
        inside = variable.name or variable.value
        return "derivative" if function.name in ("y'", "f'") and variable.op == "sym" else f"{function.name}({inside})"
    if function.op == "sym" and variable.op == "tuple" and variable.name == "()" and len(function.name) == 1:
        return f"{function.name}{lone(variable)}" if lone(variable) else ""
    if function.op == "pow" and variable.op == "sym" and function.args[0].op == "sym" and function.args[1].op == "neg":
        return f"{function.args[0].name}^-1({variable.name})"
    return ""


def _differential(node: Node) -> bool:
    """`dy` of `\\frac{dy}{dx}`."""
    return node.op == "mul" and [arg.op for arg in node.args] == ["sym", "sym"] and node.args[0].name == "d"


def _relation(node: Node) -> Meaning:
    relations = node.name.split(",")
    if relations == ["in"]:
        inner = read(node.args[1])
        return inner._replace(name=lone(node.args[0]))
    if set(relations) <= {"=", "~"}:
        return _equation(node, relations)
    if "in" in relations or {"=", "~"} & set(relations):
        raise Unreadable("relations of several kinds")
    return _inequality(node, relations)


def _equation(node: Node, relations: list[str]) -> Meaning:
    first = node.args[0]
    name = lone(first)
    if (
        not name
        and len(node.args) == 2
        and lone(node.args[1])
        and not symbols(first)
        and not symbols(node.args[1]) <= {""}
    ):
        return _equation(node._replace(args=node.args[::-1]), relations)
    chain = list(node.args[1:]) if name else list(node.args)
    steps = relations[1:] if name else relations
    if name and symbols(first) & symbols(chain[-1]) and first.op == "sym":
        name, chain, steps = "", list(node.args), relations
    if not name and any(symbols(part) for part in chain):
        if len(chain) == 2:
            return Meaning("equation", tuple(chain))
        return _meaning_of_chain(chain, steps)
    if name and symbols(chain[-1]) and not any(part.op in ("pm", "mp") for part in walk(chain[-1])):
        return Meaning("equation", (first, chain[-1]), name=name)
    return _meaning_of_chain(chain, steps)._replace(name=name)


def _meaning_of_chain(chain: list[Node], steps: list[str]) -> Meaning:
    """The value at the end of "a = b = c"; the last that is not said to be approximate. They must all be equal."""
    kept = chain[0]
    for step, part in zip(steps, chain[1:], strict=True):
        if step == "~":
            continue
        before, after = read(kept), read(part)
        if before.kind == after.kind == "value" and equal(before.parts[0], after.parts[0], 0) is False:
            raise Unreadable("a chain of what are not equal")
        kept = part
    return read(kept)


def _inequality(node: Node, relations: list[str]) -> Meaning:
    args = node.args
    variables = [number for number, arg in enumerate(args) if symbols(arg)]
    if len(variables) != 1 or args[variables[0]].op != "sym":
        if len(args) == 2:
            return Meaning("inequality", args, unit=relations[0])
        raise Unreadable("an inequality of several variables")
    at_, name = variables[0], args[variables[0]].name
    if len(args) == 2:
        relation = relations[0] if at_ == 0 else _FLIPPED[relations[0]]
        return Meaning("spans", name=name, spans=_half(relation, args[1 - at_]))
    if len(args) != 3 or at_ != 1 or "!=" in relations:
        raise Unreadable("an inequality")
    left, right = _half(_FLIPPED[relations[0]], args[0]), _half(relations[1], args[2])
    return Meaning("spans", name=name, spans=_intersection([*left, *right]))


def _half(relation: str, limit: Node) -> tuple[Span, ...]:
    if relation == "!=":
        return Span(MINUS_INFINITY, limit, False, False), Span(limit, INFINITY, False, False)
    closed = relation.endswith("=")
    if relation[0] == "<":
        return (Span(MINUS_INFINITY, limit, False, closed),)
    return (Span(limit, INFINITY, closed, False),)
