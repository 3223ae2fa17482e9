"""The ground truth as the reward reads it: its wording, its type, and what belongs to the type. Typed once, when the
pair is made, and stored with it."""

from __future__ import annotations

import msgspec

from webscale_rl.types import AnswerType


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """One short ground truth.

    `unit` is the canonical unit of a quantity or the currency of money, "" if it has none. `tolerance` is relative
    (0.01 is one per cent), 0 for exact. `aliases` are other wordings that are right too, such as an abbreviation that
    the question gives. `ordered` says of a list that its order matters.
    """

    answer: str
    type: AnswerType
    unit: str = ""
    tolerance: float = 0.0
    aliases: tuple[str, ...] = ()
    ordered: bool = False
