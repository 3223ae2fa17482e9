"""Stage 1b, the paid filter: is the page informative, and complete enough that an answer can be verified from it?

As the paper (section 3.2): it drops only pages that are mostly menus, headers and footers, and fragments that no answer
could be verified from. It keeps the diversity of the corpus and judges neither difficulty nor style.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from webscale_rl.prompt import defuse
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.types import Document, Drop


class FilterReply(msgspec.Struct, frozen=True):
    """The verdict: both must hold. `reason` says in a few words what the page is."""

    reason: str
    informative: bool
    self_contained: bool


class Filter(Stage[Document, FilterReply, Document]):
    """Drops pages without information and fragments."""

    name = "filter"
    takes = Document
    gives = Document
    reasons = frozenset({"not_informative", "not_self_contained"})
    slots = frozenset({"document"})
    reply_type = FilterReply
    Options: ClassVar[Any] = PromptedOptions

    def ask(self, record: Document) -> dict[str, str]:
        """The document, cut to what the options allow."""
        return {"document": excerpt(record.text, self.options.max_document_chars)}

    def decide(self, record: Document, reply: FilterReply) -> list[Document] | Drop:
        """Keep the document as it is, or drop it with what the reply called it."""
        if not reply.informative:
            return self.drop("not_informative", defuse(reply.reason)[:300])
        if not reply.self_contained:
            return self.drop("not_self_contained", defuse(reply.reason)[:300])
        return [record]
