"""ProX: keep or drop the document, then a program of edits for each of its pieces (after the paper's description).

worth      one verdict on the document
chunks     pieces of at most 1,500 tokens, cut at lines     chunks.py
program    edits of a piece by its line numbers             program.py
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from webscale_rl.prompt import defuse
from webscale_rl.refine.chunks import PieceOptions, refined
from webscale_rl.refine.pieces import numbered
from webscale_rl.refine.program import Edit, Refused, apply
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.types import Brief, Document, Drop, Pair

REFUSALS = frozenset(
    {"contradicts_itself", "no_such_line", "overlaps", "no_such_text", "adds_text", "removes_too_much"}
)


class WorthReply(msgspec.Struct, frozen=True):
    """What the document is, in a few words, and whether it stays."""

    reason: str
    keep: bool


class Worth(Stage[Document, WorthReply, Document]):
    """Drops documents that would teach a language model nothing."""

    name = "worth"
    takes = Document
    gives = Document
    reasons = frozenset({"worthless"})
    slots = frozenset({"document"})
    reply_type = WorthReply
    Options: ClassVar[Any] = PromptedOptions

    def ask(self, record: Document) -> dict[str, str]:
        """The document, cut to what the options allow."""
        return {"document": excerpt(record.text, self.options.max_document_chars)}

    def decide(self, record: Document, reply: WorthReply) -> list[Document] | Drop:
        """Keep the document as it is, or drop it with what the reply called it."""
        return [record] if reply.keep else self.drop("worthless", defuse(reply.reason)[:300])


class ProgramReply(msgspec.Struct, frozen=True):
    """The calls of a program, in any order. None is the same as keep_all."""

    program: list[Edit]


class Program(Stage[Brief, ProgramReply, Pair]):
    """Edits a piece by a program that a model wrote. It is checked as data and never run as code."""

    name = "program"
    takes = Brief
    gives = Pair
    reasons = REFUSALS
    slots = frozenset({"lines"})
    reply_type = ProgramReply
    Options: ClassVar[Any] = PieceOptions

    def ask(self, record: Brief) -> dict[str, str]:
        """The lines of the piece, numbered."""
        return {"lines": numbered(record.document.text)}

    def decide(self, record: Brief, reply: ProgramReply) -> list[Pair] | Drop:
        """The piece as its program leaves it; a program that is refused changes nothing."""
        piece = record.document.text
        try:
            edited = apply(reply.program, piece, self.options.max_removed)
        except Refused as refusal:
            if self.options.refused == "keep":
                return [refined(record, piece, {"refused": refusal.word})]
            return self.drop(refusal.word, defuse(refusal.detail)[:300])
        done = {"removed_lines": edited.removed_lines, "normalized": edited.normalized}
        return [refined(record, edited.text, {name: count for name, count in done.items() if count})]
