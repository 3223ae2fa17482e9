"""QuRating: which of two texts is better by four criteria, asked in both orders (after the paper's description).

    opponents   the texts that this document is compared with          schedule.py draws them
    compare     four verdicts on two texts
    select      what stays, once all documents are scored              rating.py scores, selection.py selects

One call gives the verdicts on all four criteria. A pair is asked about twice, with its texts changed over: where the
two answers differ it was the place that decided, and the pair is a tie. Texts are cut to their beginnings.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field, model_validator

from webscale_rl.stage import PromptedOptions, Stage, StageOptions
from webscale_rl.types import Brief, Document, Drop, Pair

Criterion = Literal["writing_style", "required_expertise", "facts_and_trivia", "educational_value"]
CRITERIA: tuple[Criterion, ...] = ("writing_style", "required_expertise", "facts_and_trivia", "educational_value")
Side = Literal["A", "B"]


class OpponentsOptions(StageOptions):
    """Who is compared with whom."""

    pairs: int = Field(4, ge=2, le=64, description="other documents that each one is compared with, in both orders")
    anchors: int = Field(8, ge=2, le=256, description="documents of the whole corpus that each block is compared with")
    block: int = Field(1000, ge=8, le=100_000, description="documents that are compared among themselves")
    max_chars: int = Field(2000, ge=200, le=32_000, description="a text is compared by so many of its first characters")


class Opponents(Stage[Document, None, Brief]):
    """Makes the comparisons of a document: a Brief for each opponent and order, named OPPONENT:ORDER."""

    name = "opponents"
    takes = Document
    gives = Brief
    reasons = frozenset({"empty", "no_opponent"})
    Options: ClassVar[Any] = OpponentsOptions

    def decide(self, record: Document, reply: None) -> list[Brief] | Drop:
        """Both orders for each opponent."""
        if not record.text.strip():
            return self.drop("empty")
        tokens = record.metadata["tokens"]
        briefs = [
            Brief(
                msgspec.structs.replace(record, metadata={"opponent": text, "tokens": tokens}),
                "",
                name,
            )
            for ordinal, text in record.metadata["opponents"]
            for name in (f"{ordinal}:0", f"{ordinal}:1")
        ]
        return briefs or self.drop("no_opponent", "the corpus has no other document to compare it with")


class CompareReply(msgspec.Struct, frozen=True):
    """Which text is better, for each criterion."""

    writing_style: Side
    required_expertise: Side
    facts_and_trivia: Side
    educational_value: Side


class Compare(Stage[Brief, CompareReply, Pair]):
    """Asks which of two texts is better."""

    name = "compare"
    takes = Brief
    gives = Pair
    slots = frozenset({"text_a", "text_b"})
    reply_type = CompareReply
    Options: ClassVar[Any] = PromptedOptions

    def ask(self, record: Brief) -> dict[str, str]:
        """The two texts: the document's own is A in order 0 and B in order 1."""
        own, other = record.document.text, record.document.metadata["opponent"]
        first, second = (own, other) if record.persona.endswith(":0") else (other, own)
        return {"text_a": first, "text_b": second}

    def decide(self, record: Brief, reply: CompareReply) -> list[Pair]:
        """The letters of the better texts, in the order of the criteria. The texts are let go."""
        document = record.document
        slim = Brief(Document(document.id, "", document.source, document.url), "", record.persona)
        letters = "".join(getattr(reply, criterion) for criterion in CRITERIA)
        return [Pair(slim, "", letters, "phrase", str(document.metadata["tokens"]))]


class SelectOptions(StageOptions):
    """What stays."""

    keep: float | None = Field(
        None, gt=0, le=1, description="share of all tokens that stays; default: 0.5, or as `budget_tokens` says"
    )
    budget_tokens: int | None = Field(None, ge=1, description="most tokens that stay, by estimate, in place of `keep`")
    criteria: tuple[Criterion, ...] = Field(
        CRITERIA, min_length=1, description="criteria whose standardised scores are averaged"
    )
    temperature: float = Field(
        0.0, ge=0, description="0: the best stay; higher: drawn without replacement, by exp(score / temperature)"
    )

    @model_validator(mode="after")
    def _one_measure(self) -> SelectOptions:
        if self.keep is not None and self.budget_tokens is not None:
            raise ValueError("give keep or budget_tokens, not both")
        return self


class Select(Stage[Pair, None, Pair]):
    """Holds the options of the selection, which needs the scores of all documents and is made when all have ended."""

    name = "select"
    takes = Pair
    gives = Pair
    reasons = frozenset({"not_selected"})
    Options: ClassVar[Any] = SelectOptions

    def decide(self, record: Pair, reply: None) -> list[Pair]:
        """Every comparison counts."""
        return [record]
