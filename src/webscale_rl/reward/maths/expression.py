"""Formulas as trees: a recursive-descent parser over the tokens of `latex.py`, bounded in depth, without backtracking.

It reads arithmetic, powers and roots, functions, ±, degrees and percentages, tuples and intervals, sets and unions,
matrices, (in)equalities, lists of solutions ("x = 2 or x = 3"), numbers in a base, big-O and units behind a value.
"""

from __future__ import annotations

from webscale_rl.reward.maths.factors import Factors
from webscale_rl.reward.maths.latex import Unreadable, tokens
from webscale_rl.reward.maths.tree import Node

MAX_TREE = 80
"""Levels of the tree, so that whoever walks it by recursion is safe."""


class _Parser(Factors):
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


__all__ = ["Node", "Unreadable", "parse"]
