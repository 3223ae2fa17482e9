"""Stage 3b, free checks of a pair before the paid one: every rejection here saves a call.

Not covered: whether the answer is right. That is the check's work. Until the reward's full type system takes over,
answers are compared as normalised tokens, numbers by value.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from webscale_rl.normalise import restates, tokens, wording
from webscale_rl.prompt import defuse
from webscale_rl.stage import Stage, StageOptions
from webscale_rl.stages.document_text import quoted_in
from webscale_rl.types import Drop, Pair

_SOURCE = (
    r"(?:text|passage|document|article|excerpt|paragraph|author|authors|page|story|snippet|content|reading|source)"
)
_REFERS = re.compile(
    rf"\b(?:according to|based on|in|from|by|per"
    rf"|as (?:stated|mentioned|described|given|discussed|reported|noted) (?:in|by)"
    rf"|(?:stated|mentioned|described|given|discussed|reported|noted|listed|provided|presented) (?:in|by))"
    rf" (?:the|this|that) (?:(?:given|provided|above|following|preceding|same) )?{_SOURCE}\b"
    rf"|\b(?:the|this) {_SOURCE} (?:above|below|says?|states?|mentions?|describes?|discusses|provides?|gives?|lists?"
    rf"|refers?|suggests?|claims?|reports?|notes?|uses?|explains?)\b"
    rf"|\bdo(?:es)? the {_SOURCE} (?:say|state|mention|describe|discuss|give|list|suggest|claim|report|note|explain)\b"
    rf"|\b(?:mentioned|described|given|shown|listed|discussed|defined|quoted|cited)"
    rf" (?:above|below|earlier|previously)\b"
    rf"|\bthe (?:given|provided|above|following|preceding|aforementioned) {_SOURCE}\b"
    rf"|\b(?:this|the above|the given|the described) (?:study|table|figure|section|chapter|example|review|report)\b",
    re.IGNORECASE,
)
_YES_NO = re.compile(r"^(?:yes|no|true|false)\b", re.IGNORECASE)
_OPTIONS = re.compile(r"(?:^|\s)\(?A[.):].{1,400}?(?:\s|^)\(?B[.):]", re.DOTALL)


class PrecheckOptions(StageOptions):
    """Options of the precheck stage."""

    max_answer_words: int = Field(30, ge=1, description="a longer answer cannot be checked by rule")
    max_question_words: int = Field(300, ge=1, description="a longer question is a document of its own")
    allow_yes_no: bool = Field(True, description="keep questions that are answered yes or no")
    allow_choice: bool = Field(True, description="keep multiple-choice questions")
    require_evidence: bool = Field(True, description="the generator's quotation must stand in the document")


class Precheck(Stage[Pair, None, Pair]):
    """Drops what is not worth a paid check."""

    name = "precheck"
    takes = Pair
    gives = Pair
    gathers = True
    reasons = frozenset(
        {
            "empty_question",
            "empty_answer",
            "long_answer",
            "long_question",
            "restated_answer",
            "refers_to_text",
            "yes_no",
            "choice",
            "no_evidence",
            "duplicate_in_document",
        }
    )
    Options: ClassVar[Any] = PrecheckOptions

    def decide_all(self, records: Sequence[Pair]) -> list[list[Pair] | Drop]:
        """Each pair on its own, then the exact duplicates among a document's pairs: the first one stays."""
        seen: set[str] = set()
        decisions: list[list[Pair] | Drop] = []
        for pair in records:
            decision = self.decide(pair, None)
            if not isinstance(decision, Drop):
                asked = wording(pair.question)
                if asked in seen:
                    decision = self.drop("duplicate_in_document")
                seen.add(asked)
            decisions.append(decision)
        return decisions

    def decide(self, record: Pair, reply: None) -> list[Pair] | Drop:
        """All rules that look at one pair."""
        question, answer = tokens(record.question), tokens(record.answer)
        if not question:
            return self.drop("empty_question")
        if not record.answer.strip() or not (answer or record.answer_type in ("code", "formula")):
            return self.drop("empty_answer")
        return self._form(record) or self._leak(record, question, answer) or [record]

    def _form(self, record: Pair) -> Drop | None:
        words = len(record.answer.split())
        if words > self.options.max_answer_words:
            return self.drop("long_answer", f"{words} words, limit {self.options.max_answer_words}")
        words = len(record.question.split())
        if words > self.options.max_question_words:
            return self.drop("long_question", f"{words} words, limit {self.options.max_question_words}")
        if reference := _REFERS.search(record.question):
            return self.drop("refers_to_text", defuse(reference[0]))
        if not self.options.allow_yes_no and is_yes_no(record):
            return self.drop("yes_no")
        if not self.options.allow_choice and (record.answer_type == "choice" or _OPTIONS.search(record.question)):
            return self.drop("choice")
        return None

    def _leak(self, record: Pair, question: tuple[str, ...], answer: tuple[str, ...]) -> Drop | None:
        choosing = record.answer_type == "choice" or is_yes_no(record)
        if not choosing and restates(question, answer):
            return self.drop("restated_answer")
        if self.options.require_evidence and not quoted_in(record.evidence, record.brief.document.text):
            return self.drop("no_evidence", defuse(record.evidence)[:300])
        return None


def is_yes_no(pair: Pair) -> bool:
    """Whether the pair asks for a yes or a no, whatever it calls itself."""
    return pair.answer_type == "yes_no" or _YES_NO.match(pair.answer.strip()) is not None
