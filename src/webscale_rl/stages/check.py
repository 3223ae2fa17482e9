"""Stage 4: three separate verdicts on a pair, and the words of the document that prove its answer.

All three must hold (the paper, section 3.2): the question has its context, the answer is right by the document, and the
question does not give it away. The evidence must stand in the document: a checker that cannot point at its proof has
not checked. A reply that is no verdict never reaches `decide`: it is a Failure, neither a pass nor a drop.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from webscale_rl.prompt import defuse
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt, quoted_in
from webscale_rl.types import Drop, Pair


class CheckReply(msgspec.Struct, frozen=True):
    """Evidence first, then the reader's own answer, then the verdicts that follow from them."""

    evidence: str
    own_answer: str
    answer_correct: bool
    has_context: bool
    leaks_answer: bool


class Check(Stage[Pair, CheckReply, Pair]):
    """Keeps a pair on which all three verdicts and the evidence hold."""

    name = "check"
    takes = Pair
    gives = Pair
    reasons = frozenset({"no_context", "wrong_answer", "leaks_answer", "no_evidence"})
    slots = frozenset({"document", "question", "answer"})
    reply_type = CheckReply
    Options: ClassVar[Any] = PromptedOptions

    def ask(self, record: Pair) -> dict[str, str]:
        """The document, the question and the proposed answer. The generator's evidence is not shown: it would lead."""
        return {
            "document": excerpt(record.brief.document.text, self.options.max_document_chars),
            "question": record.question,
            "answer": record.answer,
        }

    def decide(self, record: Pair, reply: CheckReply) -> list[Pair] | Drop:
        """The pair with the checker's evidence, or the first verdict that fails."""
        if not reply.has_context:
            return self.drop("no_context")
        if not reply.answer_correct:
            return self.drop("wrong_answer", defuse(reply.own_answer)[:300])
        if reply.leaks_answer:
            return self.drop("leaks_answer")
        if not quoted_in(reply.evidence, record.brief.document.text):
            return self.drop("no_evidence", defuse(reply.evidence)[:300])
        return [msgspec.structs.replace(record, evidence=reply.evidence.strip())]
