"""Where a parser stands among the tokens, and how deep."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from webscale_rl.reward.maths.latex import Token, Unreadable
from webscale_rl.reward.maths.tree import Node

MAX_DEPTH = 24
"""Brackets, exponents and functions in one another. Real answers have six at most; a level is some seven calls."""


class Cursor(ABC):
    """Tokens with a place among them. What brackets hold is read by a subclass of a subclass: the parser."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.bars = 0

    @property
    def here(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """The next token, which is then behind us."""
        token = self.tokens[self.at]
        if token.kind == "end":
            raise Unreadable("more was expected")
        self.at += 1
        return token

    def is_op(self, *signs: str) -> bool:
        """Whether one of these signs comes next."""
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

    @abstractmethod
    def listed(self) -> Node:
        """What brackets hold: items between commas."""

    @abstractmethod
    def sum(self) -> Node:
        """Terms between signs."""
