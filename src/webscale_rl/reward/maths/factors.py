"""Products and what they are made of: numbers, variables, functions, powers, brackets, matrices."""

from __future__ import annotations

from fractions import Fraction

from webscale_rl.reward.maths.cursor import Cursor
from webscale_rl.reward.maths.latex import Token, Unreadable
from webscale_rl.reward.maths.tree import MAX_DIGITS, Node, number, proper, quotient, times

_ENDS = {"(": ")]", "[": ")]", "{": "}", "group": "endgroup", "⌊": "⌋", "⌈": "⌉"}
_STARTS = frozenset({"num", "sym", "const", "fn", "open", "cmd", "env"})
_MATRICES = frozenset("pmatrix bmatrix matrix vmatrix Bmatrix smallmatrix array".split())
_TWO_ARGUMENTS = frozenset({"binom", "frac"})
_NAMED_BY_LETTERS = frozenset({"angle", "triangle", "segment"})
_INVERSES = frozenset("sin cos tan cot sec csc sinh cosh tanh".split())


class Factors(Cursor):
    """Reads products and what they are made of."""

    def product(self) -> Node:
        """Factors between * and /, with a sign before them."""
        if self.is_op("-", "+"):
            sign = self.take().text
            node = self.deeper(self.product)
            return Node("neg", (node,)) if sign == "-" else node
        node = self.implicit()
        while True:
            if self.is_op("*"):
                self.take()
                node = times(node, self.factor())
            elif self.is_op("/"):
                self.take()
                node = self.divided(node)
            elif self.is_op("mod"):
                self.take()
                node = Node("fn", (node, self.factor()), "mod")
            elif self.is_op("choose"):
                self.take()
                node = Node("fn", (node, self.factor()), "binom")
            else:
                return node

    def divided(self, node: Node) -> Node:
        """5/9(F - 32) and 1/2x start with a fraction of two numbers; x/2y has 2y below."""
        if self.here.kind != "num" or node.op != "num":
            return Node("div", (node, self.factor()))
        node = Node("div", (node, self.power()))
        while self.here.kind in _STARTS - {"num", "env"}:
            node = times(node, self.power())
        return node

    def factor(self) -> Node:
        """One factor with its sign."""
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
            if node.op == "num" and not node.name and here.text == "frac" and proper(other):
                node = Node("num", name="mixed", value=(node.value or Fraction(0)) + quotient(other))
            else:
                node = times(node, other)

    def mixed(self, whole: Node) -> Node:
        """The plain form "2 1/2"."""
        upper = self.take()
        if whole.op != "num" or whole.name or not self.is_op("/"):
            raise Unreadable("two numbers side by side")
        self.take()
        lower = self.take()
        if lower.kind != "num" or not (upper.text + lower.text).isdecimal():
            raise Unreadable("two numbers side by side")
        part = Node("div", (number(upper.text), number(lower.text)))
        if not proper(part):
            raise Unreadable("two numbers side by side")
        return Node("num", name="mixed", value=(whole.value or Fraction(0)) + quotient(part))

    def power(self) -> Node:
        """A base with its exponents, factorials, degrees and per cent signs."""
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
        """The node to the power that comes next; `^\\circ` makes it degrees."""
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
        """The node with its subscript and primes: part of a variable's name, or a number's base. x2 is x_2."""
        if node.op == "sym" and self.here.kind == "num" and not self.here.spaced and self.here.text.isdecimal():
            node = Node("sym", name=f"{node.name}_{self.take().text}")
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
        """The text of a subscript."""
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
        """What has no parts side by side."""
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
        """Words that stand together."""
        parts = [first]
        while self.here.kind == "text" or (first in _NAMED_BY_LETTERS and self.here.kind == "sym"):
            parts.append(self.take().text)
        return " ".join(" ".join(parts).split())

    def letter(self, name: str) -> Node:
        """A variable, or an order of growth."""
        if name in ("O", "Theta", "Omega") and self.here.text == "(":
            self.take()
            inside = self.deeper(self.sum)
            self.close(")")
            return Node("fn", (inside,), f"big{name}")
        return Node("sym", name=name)

    def numeral(self, literal: str) -> Node:
        """A number, with the digits under a bar repeated."""
        node = number(literal)
        if self.here.text != "overline" or not node.name:
            return node
        self.take()
        over = self.group_of_digits()
        places = len(literal.partition(".")[2])
        return Node("num", value=(node.value or Fraction(0)) + Fraction(int(over), (10 ** len(over) - 1) * 10**places))

    def group_of_digits(self) -> str:
        """The digits in braces that a bar stands over."""
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
        """A function with its power, its base and what it applies to."""
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
        if power is not None and power == Node("neg", (number("1"),)) and name in _INVERSES:
            return Node("fn", args, f"arc{name}")
        node = Node("fn", args, name)
        return Node("pow", (node, power)) if power is not None else node

    def arguments(self, name: str) -> tuple[Node, ...]:
        """What a function applies to: brackets, or what follows."""
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
            node = times(node, self.power())
        return node

    def close(self, expected: str) -> str:
        """The bracket that must close here."""
        token = self.take()
        if token.kind != "close" or token.text not in (expected if len(expected) == 2 else (expected,)):
            raise Unreadable("a bracket is not closed")
        return token.text

    def bracketed(self, opened: str) -> Node:
        """What an opened bracket holds: a group, a point, an interval, a set."""
        bars, self.bars = self.bars, 1 if opened == "{" or (opened == "(" and self.given()) else 0
        if opened in ("{", "(") and self.here.text in ("}", ")"):
            self.take()
            if opened == "(":
                raise Unreadable("nothing in brackets")
            return Node("set")
        inside = self.listed()
        if opened == "{" and (self.here.kind == "bar" or self.is_op(":")):
            self.take()
            inside = Node("such", (inside, self.listed()))
        elif opened == "(" and self.here.kind == "bar":
            self.take()
            inside = _conditional(inside, self.listed())
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

    def given(self) -> bool:
        """Whether a bar stands alone in these brackets, as in P(A|B)."""
        depth = bars = 0
        for token in self.tokens[self.at :]:
            depth += {"open": 1, "close": -1}.get(token.kind, 0)
            if depth < 0:
                break
            bars += token.kind == "bar"
        return bars == 1

    def absolute(self) -> Node:
        """What stands between two bars."""
        bars, self.bars = self.bars, 1
        inside = self.sum()
        if self.take().kind != "bar":
            raise Unreadable("a bar is not closed")
        self.bars = bars
        return Node("fn", (inside,), "abs")

    def built(self, name: str) -> Node:
        """A root, a fraction or a binomial coefficient."""
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
            return number(token.text[:1] if token.text.isdecimal() else token.text)
        if token.kind in ("sym", "const"):
            return Node(token.kind, name=token.text)
        if token.kind == "open":
            return self.deeper(lambda: self.bracketed(token.text))
        raise Unreadable("an argument")

    def matrix(self, kind: str) -> Node:
        """Rows between `\\begin` and `\\end`."""
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


def _conditional(event: Node, condition: Node) -> Node:
    """`A|B` as one variable."""
    if event.op != "sym" or condition.op != "sym":
        raise Unreadable("a bar")
    return Node("sym", name=f"{event.name}|{condition.name}")
