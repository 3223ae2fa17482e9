"""GDR: a piece that is adequate is returned unchanged, else cleaned, else left out (after the paper's description).

chunks     pieces of at most 1,500 tokens, cut at lines          chunks.py
clean      one verdict on a piece, and its cleaned text           faithful.py checks that nothing was added
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from webscale_rl.prompt import defuse
from webscale_rl.refine.chunks import PieceOptions, refined
from webscale_rl.refine.faithful import INFIDELITIES, infidelity
from webscale_rl.refine.program import visible
from webscale_rl.stage import Stage
from webscale_rl.types import Brief, Drop, Pair

WORTHLESS = "worthless"


class CleanReply(msgspec.Struct, frozen=True):
    """The verdict, and the cleaned text if there is one: an adequate text is not written out again."""

    reason: str
    verdict: Literal["adequate", "cleaned", "worthless"]
    text: str


class Clean(Stage[Brief, CleanReply, Pair]):
    """Takes the noise out of a piece in the model's own hand, and holds the model to the source."""

    name = "clean"
    takes = Brief
    gives = Pair
    reasons = frozenset({WORTHLESS, *INFIDELITIES})
    slots = frozenset({"text"})
    reply_type = CleanReply
    Options: ClassVar[Any] = PieceOptions

    def ask(self, record: Brief) -> dict[str, str]:
        """The piece."""
        return {"text": record.document.text}

    def decide(self, record: Brief, reply: CleanReply) -> list[Pair] | Drop:
        """The piece as it was or as it was cleaned, or why it is left out."""
        source = record.document.text
        if reply.verdict == "worthless":
            return self.drop(WORTHLESS, defuse(reply.reason)[:300])
        cleaned = _ended_as(source, reply.text)
        if reply.verdict == "adequate" or cleaned == source:
            return [refined(record, source, {})]
        fault = infidelity(cleaned, source, self.options.max_removed)
        if fault is not None:
            word, detail = fault
            if self.options.refused == "keep":
                return [refined(record, source, {"refused": word})]
            return self.drop(word, defuse(detail)[:300])
        return [refined(record, cleaned, {"removed_characters": visible(source) - visible(cleaned)})]


def _ended_as(source: str, text: str) -> str:
    """The text with the white space around it that the source has: the next piece follows."""
    bare = source.strip()
    start = source.find(bare) if bare else 0
    return source[:start] + text.strip() + source[start + len(bare) :]
