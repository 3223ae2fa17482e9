"""The tree that a formula is."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from webscale_rl.reward.maths.latex import Unreadable

MAX_DIGITS = 400


class Node(NamedTuple):
    """A formula. `op` says what it is and what the other fields mean:

    num (value; name: its digits if it is a decimal, or "mixed"), sym (name), const (name: pi e i oo empty reals),
    add, mul, div, neg, pow (args), pm, mp (one argument, in a sum), fn (name, args), fact, deg, pct,
    base (name: digits, value: base), tuple (name: its two brackets), set, union, inter, minus,
    such (expression, condition), matrix of row, rel (name: relations by commas, args),
    list (args; name: "and", "or" or ","), ratio, unit (name, one argument), text (name).
    """

    op: str
    args: tuple[Node, ...] = ()
    name: str = ""
    value: Fraction | None = None


def number(literal: str) -> Node:
    """The number that the digits are. Raises Unreadable for more of them than an answer has."""
    if len(literal) > MAX_DIGITS:
        raise Unreadable("too many digits")
    if "e" in literal or "E" in literal:
        mantissa, _, exponent = literal.lower().partition("e")
        if abs(int(exponent)) > MAX_DIGITS:
            raise Unreadable("too many digits")
        return Node("num", value=Fraction(mantissa) * Fraction(10) ** int(exponent))
    if literal.isdecimal():
        return Node("num", value=Fraction(int(literal)))
    return Node("num", name=literal if "." in literal else "", value=Fraction(literal))


def quotient(part: Node) -> Fraction:
    """The value of a fraction that is `proper`."""
    upper, lower = part.args[0].value, part.args[1].value
    assert upper is not None  # `proper` saw them
    assert lower is not None
    return upper / lower


def proper(part: Node) -> bool:
    """Whether this is a fraction of two integers below one, as in a mixed number."""
    if part.op != "div" or any(arg.op != "num" or arg.name for arg in part.args):
        return False
    upper, lower = part.args
    return upper.value is not None and lower.value is not None and 0 < upper.value < lower.value


def times(node: Node, other: Node) -> Node:
    """The product, flat: a long one is no deep tree."""
    return Node("mul", (*(node.args if node.op == "mul" else (node,)), other))


def symbols(node: Node) -> frozenset[str]:
    """The variables of a formula."""
    return frozenset(part.name for part in walk(node) if part.op == "sym")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    todo = [node]
    while todo:
        part = todo.pop()
        yield part
        todo += part.args
