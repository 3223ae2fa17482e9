"""Stage 3: for one persona, a question that stands alone and an answer that can be checked, with its evidence.

The prompt shows worked examples of the document's domain (the paper's public code: 2), chosen by the run's seed and the
same for all documents of a domain, so that a server's prefix cache serves them. An example's evidence stands for its
document, which is most of its length, unless the options want it whole. A generator may decline: a document
that offers this persona nothing worth asking gives no pair rather than a poor one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import msgspec
from pydantic import Field

from webscale_rl.domains import WorkedExample
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.stages.ground_truth import typed
from webscale_rl.types import AnswerType, Brief, Drop, Pair


class GeneratedPair(msgspec.Struct, frozen=True):
    """One pair as the model writes it. Evidence first: an answer is read off it, not the other way round."""

    evidence: str
    question: str
    answer: str
    answer_type: AnswerType


class GenerateReply(msgspec.Struct, frozen=True):
    """The pairs, best first; none if the document offers nothing that can be asked and verified."""

    pairs: list[GeneratedPair]


class GenerateOptions(PromptedOptions):
    """Options of the generate stage."""

    temperature: float | None = Field(1.0, ge=0, description="sampling temperature (the paper: 1.0)")
    pairs_per_persona: int = Field(1, ge=1, le=20, description="pairs to ask for per persona")
    few_shot: int = Field(
        2, ge=0, le=20, description="worked examples of the domain in the prompt (the paper's code: 2)"
    )
    few_shot_documents: bool = Field(
        False, description="show the whole documents of worked examples, not just their evidence; twice the tokens"
    )


class Generate(Stage[Brief, GenerateReply, Pair]):
    """Hands up to `pairs_per_persona` pairs on."""

    name = "generate"
    takes = Brief
    gives = Pair
    reasons = frozenset({"no_question"})
    slots = frozenset({"document", "domain", "persona", "examples", "pairs"})
    trusted = frozenset({"domain", "examples", "pairs"})
    reply_type = GenerateReply
    Options: ClassVar[Any] = GenerateOptions

    @property
    def fixed(self) -> dict[str, str]:
        """How many pairs to write."""
        return {"pairs": str(self.options.pairs_per_persona)}

    def ask(self, record: Brief) -> dict[str, str]:
        """Document, persona, domain, the domain's worked examples, and how many pairs to write."""
        shots = self.context.domains.few_shot(record.domain, self.options.few_shot, self.context.seed)
        return {
            "document": excerpt(record.document.text, self.options.max_document_chars),
            "domain": record.domain,
            "persona": record.persona,
            "examples": show(shots, documents=self.options.few_shot_documents),
            **self.fixed,
        }

    def decide(self, record: Brief, reply: GenerateReply) -> list[Pair] | Drop:
        """The pairs, their fields stripped and their answers typed, no more than were asked for."""
        pairs = [_pair(record, pair) for pair in reply.pairs[: self.options.pairs_per_persona]]
        return pairs or self.drop("no_question")


def _pair(brief: Brief, written: GeneratedPair) -> Pair:
    """The pair with its ground truth typed, once and for all."""
    question, answer = written.question.strip(), written.answer.strip()
    kind, reference = typed(answer, question, written.answer_type)
    return Pair(brief, question, answer, kind, written.evidence.strip(), reference)


@lru_cache(maxsize=256)
def show(examples: tuple[WorkedExample, ...], *, documents: bool) -> str:
    """The worked examples as the prompt shows them: the document if wanted, who asks, and the reply that was right."""
    shown = []
    for number, example in enumerate(examples, 1):
        pair = GeneratedPair(example.evidence, example.question, example.answer, example.answer_type)
        reply = msgspec.json.encode(GenerateReply([pair])).decode()
        document = f"Document:\n{example.document}\n" if documents else ""
        shown.append(f"Example {number}\n{document}Persona: {example.persona}\nReply: {reply}")
    return "\n\n".join(shown)
