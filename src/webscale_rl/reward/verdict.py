"""What the reward says, and what one kind of answer says of another."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Verdict(msgspec.Struct, frozen=True):
    """Whether a response's final answer is right: `score` 1 or 0, or None when the rules cannot tell.

    `how` is the rule that decided, as `part/rule` ("number/value", "answer/unclosed_box"). `extracted` is the final
    answer as it was compared, cut at 300 characters, and `span` where it stands in the response, in characters.
    """

    score: int | None
    how: str
    extracted: str = ""
    span: tuple[int, int] | None = None


class Match(NamedTuple):
    """Whether an answer means the same as a reference: None if this kind's rules cannot tell. `rule` is one word."""

    same: bool | None
    rule: str
