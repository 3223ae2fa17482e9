"""Formulas as trees: a recursive-descent parser over the tokens of `latex.py`, bounded in depth, without backtracking.

It reads arithmetic, powers and roots, functions, ±, degrees and percentages, tuples and intervals, sets and unions,
matrices, (in)equalities, lists of solutions ("x = 2 or x = 3"), numbers in a base, big-O and units behind a value.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from webscale_rl.reward.latex import Kind, Token, Unreadable, tokens

MAX_DEPTH = 24
"""Brackets, exponents and functions in one another. Real answers have six at most; a level is some seven calls."""
MAX_TREE = 80
"""Levels of the tree, so that whoever walks it by recursion is safe."""
MAX_DIGITS = 400


class Node(NamedTuple):
    """A formula. `op` says what it is and what the other fields mean:

    num (value; name: its digits if it is a decimal), sym (name), const (name: pi e i oo empty reals), add, mul, div, neg,
    pow (args), pm, mp (one argument, or two as a sum), fn (name, args), fact, deg, pct, base (name: digits, value: base),
    tuple (name: its two brackets), set, union, inter, minus, such (expression, condition), matrix of row,
    rel (name: relations by commas, args), list (args; name: "and", "or" or ","), ratio, unit (name, one argument), text (name).
    """

    op: str
    args: tuple[Node, ...] = ()
    name: str = ""
    value: Fraction | None = None


_ENDS = {"(": ")]", "[": ")]", "{": "}", "group": "endgroup", "⌊": "⌋", "⌈": "⌉"}
_STARTS = frozenset({"num", "sym", "const", "fn", "open", "cmd", "env"})
_MATRICES = frozenset("pmatrix bmatrix matrix vmatrix Bmatrix smallmatrix array".split())
_TWO_ARGUMENTS = frozenset({"binom", "frac"})


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.bars = 0

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def is_op(self, *signs: str) -> bool:
        token = self.tokens[self.at]
        return token.kind == "op" and token.text in signs

    def deeper(self, part: Callable[[], Node]) -> Node:
        """The part, one level down."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("too deep")
        node = part()
        self.depth -= 1
        return node

    # What a whole answer is

    def whole(self) -> Node:
        node = self.listed(top=True)
        if self.here.kind != "end":
            raise Unreadable(f"{self.here.text} was not expected")
        return node

    def listed(self, *, top: bool = False) -> Node:
        """Items between commas, "and" and "or"; after "=>" only what follows counts."""
        items = [self.related()]
        joins: set[str] = set()
        while self.here.kind in ("sep", "join") and self.here.text not in ("&", "\\"):
            if self.here.text == "to" and not top:
                break
            join = self.take()
            last = self.here
            if join.text == "so":
                items, joins = [], set[str]()
            else:
                joins.add(join.text)
                if join.kind == "sep" and last.kind == "join":
                    joins.add(self.take().text)
                    last = self.here
            if last.kind == "end" or last.text == "...":
                raise Unreadable("unfinished list")
            items.append(self.related())
        if len(items) == 1:
            return items[0]
        if "to" in joins:
            raise Unreadable("an arrow")
        return Node("list", tuple(items), "or" if "or" in joins else "and" if "and" in joins else ",")

    def related(self) -> Node:
        items, relations = [self.sum()], []
        while self.here.kind == "rel":
            relations.append(self.take().text)
            items.append(self.sum())
        return Node("rel", tuple(items), ",".join(relations)) if relations else items[0]

    def sum(self) -> Node:
        if self.here.kind == "text":  # a word is an answer, or the left side of "=", but no factor
            return Node("text", name=self.words(self.take().text))
        terms = [] if self.is_op("±", "∓") else [self.product()]
        while self.is_op("+", "-", "±", "∓"):
            sign = self.take().text
            term = self.product()
            if sign == "+":
                terms.append(term)
            elif sign == "-":
                terms.append(Node("neg", (term,)))
            else:
                terms.append(Node("pm" if sign == "±" else "mp", (term,)))
        node = terms[0] if len(terms) == 1 else Node("add", tuple(terms))
        while self.is_op("∪", "∩", "∖"):
            sign = self.take().text
            other = self.product()
            node = Node({"∪": "union", "∩": "inter", "∖": "minus"}[sign], (node, other))
        if self.is_op(":") and self.bars == 0 and node.op in ("num", "sym", "ratio", "div", "mul"):
            parts = [node]
            while self.is_op(":"):
                self.take()
                parts.append(self.product())
            node = Node("ratio", tuple(parts))
        return self.measured(node)

    def measured(self, node: Node) -> Node:
        """The value with the words behind it as its unit: "5.4 \\text{ cents}", "15 cm^2"."""
        if self.here.kind != "text":
            return node
        words: list[str] = []
        while self.here.kind == "text" or (words and self.is_op("^", "/", "*")):
            token = self.take()
            if token.text == "^":
                words[-1] += f"^{self.exponent_digits()}"
            else:
                words.append(token.text)
        return Node("unit", (node,), " ".join(words).lower())

    def exponent_digits(self) -> str:
        grouped = self.here.text == "group"
        if grouped:
            self.take()
        sign = self.take().text if self.is_op("-") else ""
        token = self.take()
        if token.kind != "num" or (grouped and self.take().text != "endgroup"):
            raise Unreadable("a unit's exponent")
        return sign + token.text

    def product(self) -> Node:
        if self.is_op("-", "+"):
            sign = self.take().text
            node = self.deeper(self.product)
            return Node("neg", (node,)) if sign == "-" else node
        node = self.implicit()
        while True:
            if self.is_op("*"):
                self.take()
                node = _times(node, self.factor())
            elif self.is_op("/"):
                self.take()
                node = Node("div", (node, self.factor()))
            elif self.is_op("mod"):
                self.take()
                node = Node("fn", (node, self.factor()), "mod")
            elif self.is_op("choose"):
                self.take()
                node = Node("fn", (node, self.factor()), "binom")
            else:
                return node

    def factor(self) -> Node:
        if self.is_op("-", "+"):
            sign = self.take().text
            node = self.deeper(self.factor)
            return Node("neg", (node,)) if sign == "-" else node
        return self.implicit()

    def implicit(self) -> Node:
        """Factors side by side; an integer before a fraction of integers is a mixed number."""
        node = self.power()
        while True:
            here = self.here
            if here.kind == "bar" and self.bars == 0:
                pass
            elif here.kind not in _STARTS or (here.kind == "env" and here.text.startswith("end")):
                return node
            previous = self.tokens[self.at - 1]
            if here.kind == "num" and previous.kind == "num":
                return self.mixed(node)
            other = self.power()
            if node.op == "num" and not node.name and here.text == "frac" and _proper(other):
                node = Node("num", name="mixed", value=(node.value or Fraction(0)) + _quotient(other))
            else:
                node = _times(node, other)

    def mixed(self, whole: Node) -> Node:
        """The plain form "2 1/2"."""
        upper = self.take()
        if whole.op != "num" or whole.name or not self.is_op("/"):
            raise Unreadable("two numbers side by side")
        self.take()
        lower = self.take()
        if lower.kind != "num" or not (upper.text + lower.text).isdecimal():
            raise Unreadable("two numbers side by side")
        part = Node("div", (_number(upper.text), _number(lower.text)))
        if not _proper(part):
            raise Unreadable("two numbers side by side")
        return Node("num", name="mixed", value=(whole.value or Fraction(0)) + _quotient(part))

    def power(self) -> Node:
        node = self.scripted(self.atom())
        while self.here.kind == "op":
            sign = self.here.text
            if sign == "^":
                self.take()
                node = self.raised(node)
            elif sign == "!":
                self.take()
                node = Node("fact", (node,))
            elif sign in ("°", "%"):
                self.take()
                node = Node("deg" if sign == "°" else "pct", (node,))
            else:
                return node
        return node

    def raised(self, node: Node) -> Node:
        if self.is_op("°"):
            self.take()
            return Node("deg", (node,))
        if self.is_op("'"):
            self.take()
            return Node("sym", name=f"{node.name}'")
        if (
            self.here.text == "group"
            and self.tokens[self.at + 1].text == "°"
            and self.tokens[self.at + 2].text == "endgroup"
        ):
            self.at += 3
            return Node("deg", (node,))
        return Node("pow", (node, self.deeper(self.script)))

    def script(self) -> Node:
        """An exponent: one factor, with its sign, and right-associative."""
        if self.is_op("-", "+"):
            sign = self.take().text
            node = self.script()
            return Node("neg", (node,)) if sign == "-" else node
        node = self.scripted(self.atom())
        if self.is_op("^"):
            self.take()
            return self.raised(node)
        return node

    def scripted(self, node: Node) -> Node:
        """The node with its subscript and primes: part of a variable's name, or a number's base."""
        while self.is_op("_", "'"):
            if self.take().text == "'":
                if node.op != "sym":
                    raise Unreadable("a prime")
                node = Node("sym", name=f"{node.name}'")
                continue
            below = self.subscript()
            if node.op == "num" and below.isdecimal() and 2 <= int(below[:4]) <= 36 and not node.name:
                node = Node("base", name=str(node.value), value=Fraction(int(below)))
            elif node.op in ("sym", "const"):
                node = Node("sym", name=f"{node.name}_{below}")
            else:
                raise Unreadable("a subscript")
        return node

    def subscript(self) -> str:
        token = self.take()
        if token.kind in ("num", "sym", "const", "text"):
            return token.text
        if token.text != "group":
            raise Unreadable("a subscript")
        parts: list[str] = []
        while self.here.text != "endgroup":
            if self.here.kind in ("end", "open", "env"):
                raise Unreadable("a subscript")
            parts.append(self.take().text)
        self.take()
        return "".join(parts)

    def atom(self) -> Node:
        token = self.take()
        match token.kind:
            case "num":
                return self.numeral(token.text)
            case "sym":
                return self.letter(token.text)
            case "const":
                return Node("const", name=token.text)
            case "fn":
                return self.deeper(lambda: self.function(token.text))
            case "open":
                return self.deeper(lambda: self.bracketed(token.text))
            case "bar":
                return self.deeper(self.absolute)
            case "cmd":
                return self.deeper(lambda: self.built(token.text))
            case "env":
                return self.deeper(lambda: self.matrix(token.text))
        if token.text == "$" and self.here.kind == "num":
            return Node("unit", (self.numeral(self.take().text),), "$")
        raise Unreadable(f"{token.text} was not expected")

    def words(self, first: str) -> str:
        parts = [first]
        while self.here.kind == "text" or (first in _NAMED_BY_LETTERS and self.here.kind == "sym"):
            parts.append(self.take().text)
        return " ".join(" ".join(parts).split())

    def letter(self, name: str) -> Node:
        if name in ("O", "Theta", "Omega") and self.here.text == "(":
            self.take()
            inside = self.deeper(self.sum)
            self.close(")")
            return Node("fn", (inside,), f"big{name}")
        return Node("sym", name=name)

    def numeral(self, literal: str) -> Node:
        node = _number(literal)
        if self.here.text != "overline" or not node.name:
            return node
        self.take()
        over = self.group_of_digits()
        places = len(literal.partition(".")[2])
        return Node("num", value=(node.value or Fraction(0)) + Fraction(int(over), (10 ** len(over) - 1) * 10**places))

    def group_of_digits(self) -> str:
        opened, digits = self.take(), self.take()
        if (
            opened.text != "group"
            or not digits.text.isdecimal()
            or len(digits.text) > MAX_DIGITS
            or self.take().text != "endgroup"
        ):
            raise Unreadable("a bar")
        return digits.text

    def function(self, name: str) -> Node:
        power = base = None
        while self.is_op("^", "_"):
            if self.take().text == "^":
                power = self.deeper(self.script)
            else:
                base = self.deeper(self.script)
        if name == "sqrt" and self.here.text == "[":
            return self.built("sqrt")
        args = self.arguments(name)
        if base is not None:
            name, args = ("logb", (base, *args)) if name == "log" else (f"{name}_{base}", args)
        if power is not None and power == Node("neg", (_number("1"),)) and name in _INVERSES:
            return Node("fn", args, f"arc{name}")
        node = Node("fn", args, name)
        return Node("pow", (node, power)) if power is not None else node

    def arguments(self, name: str) -> tuple[Node, ...]:
        if self.here.text in ("(", "group", "[", "{"):
            opened = self.take().text
            inside = self.deeper(self.listed)
            self.close(_ENDS[opened])
            return inside.args if inside.op == "list" else (inside,)
        if name in ("sqrt", "cbrt"):
            return (self.scripted(self.atom()),)
        node = self.factor_of_function()
        return (node,)

    def factor_of_function(self) -> Node:
        """What a function without brackets applies to: `\\sin 2x` ends where a sum, a function or a bracket begins."""
        node = self.power()
        while self.here.kind in ("num", "sym", "const") or self.here.text == "frac":
            node = _times(node, self.power())
        return node

    def close(self, expected: str) -> str:
        token = self.take()
        if token.kind != "close" or token.text not in (expected if len(expected) == 2 else (expected,)):
            raise Unreadable("a bracket is not closed")
        return token.text

    def bracketed(self, opened: str) -> Node:
        bars, self.bars = self.bars, 1 if opened == "{" else 0
        if opened in ("{", "(") and self.here.text in ("}", ")"):
            self.take()
            if opened == "(":
                raise Unreadable("nothing in brackets")
            return Node("set")
        inside = self.listed()
        if opened == "{" and (self.here.kind == "bar" or self.is_op(":")):
            self.take()
            inside = Node("such", (inside, self.listed()))
        closed = self.close(_ENDS[opened])
        self.bars = bars
        if opened in "⌊⌈":
            return Node("fn", (inside,), "floor" if opened == "⌊" else "ceil")
        items = inside.args if inside.op == "list" and inside.name == "," else (inside,)
        if opened == "{":
            return inside if inside.op == "such" else Node("set", items)
        if len(items) > 1 and opened != "group":
            return Node("tuple", items, opened + closed)
        if opened == "[" or closed == "]":
            if opened + closed != "[]":
                raise Unreadable("brackets that do not match")
            return inside
        return inside

    def absolute(self) -> Node:
        bars, self.bars = self.bars, 1
        inside = self.sum()
        if self.take().kind != "bar":
            raise Unreadable("a bar is not closed")
        self.bars = bars
        return Node("fn", (inside,), "abs")

    def built(self, name: str) -> Node:
        if name == "sqrt":
            root = None
            if self.here.text == "[":
                self.take()
                root = self.sum()
                self.close(")]")
            inside = self.argument()
            return Node("fn", (inside,), "sqrt") if root is None else Node("fn", (inside, root), "root")
        if name in _TWO_ARGUMENTS:
            upper = self.argument()
            lower = self.argument()
            return Node("div", (upper, lower)) if name == "frac" else Node("fn", (upper, lower), "binom")
        raise Unreadable(name)

    def argument(self) -> Node:
        """What a command applies to: a group, or a single character, so that `\\frac12` is one half."""
        token = self.take()
        if token.text == "group":
            inside = self.deeper(self.listed)
            self.close("endgroup")
            return inside
        if token.kind == "num":
            if len(token.text) > 1 and token.text.isdecimal():
                self.at -= 1
                self.tokens[self.at] = Token("num", token.text[1:])
            return _number(token.text[:1] if token.text.isdecimal() else token.text)
        if token.kind in ("sym", "const"):
            return Node(token.kind, name=token.text)
        if token.kind == "open":
            return self.deeper(lambda: self.bracketed(token.text))
        raise Unreadable("an argument")

    def matrix(self, kind: str) -> Node:
        name = kind.removeprefix("begin ")
        if name not in _MATRICES:
            raise Unreadable(kind)
        if name == "array" and self.here.text == "group":
            while self.take().text != "endgroup":
                if self.here.kind == "end":
                    raise Unreadable("an array")
        rows: list[Node] = []
        row: list[Node] = []
        while True:
            row.append(self.sum())
            token = self.take()
            if token.text == "&":
                continue
            rows.append(Node("row", tuple(row)))
            row = []
            if token.text == "\\" and not self.here.text.startswith("end "):
                continue
            last = self.take() if token.text == "\\" else token
            if last.kind != "env" or last.text != f"end {name}":
                raise Unreadable("a matrix that is not closed")
            return Node("fn" if name == "vmatrix" else "matrix", tuple(rows), "det" if name == "vmatrix" else "")


_NAMED_BY_LETTERS = frozenset({"angle", "triangle", "segment"})
_INVERSES = frozenset("sin cos tan cot sec csc sinh cosh tanh".split())


def _number(literal: str) -> Node:
    if len(literal) > MAX_DIGITS:
        raise Unreadable("too many digits")
    if "e" in literal or "E" in literal:
        mantissa, _, exponent = literal.lower().partition("e")
        if abs(int(exponent)) > MAX_DIGITS:
            raise Unreadable("too many digits")
        return Node("num", value=Fraction(mantissa) * Fraction(10) ** int(exponent))
    return Node("num", name=literal if "." in literal else "", value=Fraction(literal))


def _quotient(part: Node) -> Fraction:
    upper, lower = part.args[0].value, part.args[1].value
    assert upper is not None and lower is not None  # _proper saw them
    return upper / lower


def _proper(part: Node) -> bool:
    """Whether this is a fraction of two integers below one, as in a mixed number."""
    if part.op != "div" or any(arg.op != "num" or arg.name for arg in part.args):
        return False
    upper, lower = part.args
    return upper.value is not None and lower.value is not None and 0 < upper.value < lower.value


def _times(node: Node, other: Node) -> Node:
    """The product, flat: a long one is no deep tree."""
    return Node("mul", (*(node.args if node.op == "mul" else (node,)), other))


def _deep(node: Node) -> bool:
    level = [node]
    for _ in range(MAX_TREE):
        level = [arg for part in level for arg in part.args]
        if not level:
            return False
    return True


def parse(text: str, *, grouped: bool = True) -> Node:
    """The tree of a formula. Raises Unreadable where it is none that we know; takes time linear in the text."""
    node = _Parser(tokens(text, grouped=grouped)).whole()
    if _deep(node):  # "1/2/3/..." and "5!!!..." nest without brackets
        raise Unreadable("too deep")
    return node


__all__ = ["MAX_DEPTH", "Kind", "Node", "Unreadable", "parse"]
