"""Optional stage, after the check: another model answers the question with the document at hand, unaware of the answer.

Two models that read the same out of a document seldom err alike. What it answered is compared with the ground truth by
the reward, as a trainee's answer will be: a pair that passes is one on which the reward works. Rules that cannot tell
whether the two are the same are no disagreement; what becomes of such a pair, `undecided` says. By default it goes: who
switches this stage on wants pairs that were confirmed, and where the rules cannot tell here, they mostly could not tell
in training either.

Not covered: a document that is wrong, which both models believe; a model that is asked both times agrees with itself.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec
from pydantic import Field

from webscale_rl.prompt import defuse
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.stages.ground_truth import means
from webscale_rl.types import Drop, Pair


class AgreeReply(msgspec.Struct, frozen=True):
    """How the model came to its answer, and the answer alone; "" if the document does not settle the question."""

    working: str
    answer: str


class AgreeOptions(PromptedOptions):
    """Options of the agree stage. The stage is part of a run that has a section for it, or names it in `pipeline`."""

    model: str | None = Field(
        None, description="the model that answers: another than the one that wrote; default: the backend's model"
    )
    undecided: Literal["drop", "keep"] = Field(
        "drop", description="what becomes of a pair if the rules cannot tell whether the two answers are the same"
    )


class Agree(Stage[Pair, AgreeReply, Pair]):
    """Keeps a pair whose ground truth another model finds in the document as well."""

    name = "agree"
    takes = Pair
    gives = Pair
    reasons = frozenset({"disagrees", "no_answer", "undecided"})
    slots = frozenset({"document", "question"})
    reply_type = AgreeReply
    Options: ClassVar[Any] = AgreeOptions

    def ask(self, record: Pair) -> dict[str, str]:
        """The document and the question. The answer and its evidence are not shown: they are what is in question."""
        return {
            "document": excerpt(record.brief.document.text, self.options.max_document_chars),
            "question": record.question,
        }

    def decide(self, record: Pair, reply: AgreeReply) -> list[Pair] | Drop:
        """The pair as it came, or a Drop with the other answer as its detail."""
        if not reply.answer.strip():
            return self.drop("no_answer")
        same = means(record, reply.answer)
        if same or (same is None and self.options.undecided == "keep"):
            return [record]
        return self.drop("undecided" if same is None else "disagrees", defuse(reply.answer)[:300])
