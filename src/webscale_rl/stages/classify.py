"""Stage 2: one domain for the document, and up to three personas who would want to know what it says.

The domain selects the worked examples that the generator is shown; the personas make the questions diverse. Personas
come as a list and are never split on commas: "a parent, new to the city" is one person.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from pydantic import Field

from webscale_rl.prompt import defuse
from webscale_rl.stage import PromptedOptions, Stage
from webscale_rl.stages.document_text import excerpt
from webscale_rl.types import Brief, Document, Drop

MAX_PERSONA_CHARS = 200


class ClassifyReply(msgspec.Struct, frozen=True):
    """The name of a domain of the taxonomy, and the personas."""

    domain: str
    personas: list[str]


class ClassifyOptions(PromptedOptions):
    """Options of the classify stage."""

    temperature: float | None = Field(0.7, ge=0, description="sampling temperature; null leaves it to the server")
    max_personas: int = Field(3, ge=1, le=20, description="most personas of one document (the paper: 3)")


class Classify(Stage[Document, ClassifyReply, Brief]):
    """Hands one Brief per persona on."""

    name = "classify"
    takes = Document
    gives = Brief
    reasons = frozenset({"unknown_domain", "no_persona"})
    slots = frozenset({"document", "domains", "max_personas"})
    trusted = frozenset({"domains", "max_personas"})
    reply_type = ClassifyReply
    Options: ClassVar[Any] = ClassifyOptions

    @property
    def fixed(self) -> dict[str, str]:
        """The definitions of all domains, and how many personas to name."""
        return {"domains": self.context.domains.definitions, "max_personas": str(self.options.max_personas)}

    def ask(self, record: Document) -> dict[str, str]:
        """The document, the definitions of all domains, and how many personas to name."""
        return {"document": excerpt(record.text, self.options.max_document_chars), **self.fixed}

    def decide(self, record: Document, reply: ClassifyReply) -> list[Brief] | Drop:
        """One Brief per persona, each persona once; a domain outside the taxonomy is `Other` where there is one."""
        taxonomy = self.context.domains
        domain = taxonomy.find(reply.domain) or taxonomy.find("Other")
        if domain is None:
            return self.drop("unknown_domain", defuse(reply.domain)[:300])
        personas: dict[str, str] = {}
        for raw in reply.personas:
            persona = " ".join(defuse(raw).split())[:MAX_PERSONA_CHARS]
            if persona:
                personas.setdefault(persona.casefold(), persona)
        if not personas:
            return self.drop("no_persona")
        return [Brief(record, domain.name, persona) for persona in list(personas.values())[: self.options.max_personas]]
