"""The job that every peer does: the same four stages over the same documents, with the same prompts, schemas and rules.

    filter -> classify -> for each of up to three personas: generate -> check -> a pair that is kept

Needs the standard library alone, for it is imported in each peer's own environment. `Job.export` writes the prompts,
schemas and worked examples of this package to a file; a peer's script loads that file and never imports the package.

A peer's script is called as `python -m benchmarks.peers.NAME JOB.json --url URL --out DIR --concurrency N --timeout S`
and leaves the pairs that it keeps in DIR/pairs.jsonl. Called again after a kill, it continues as far as it can.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STAGES = ("filter", "classify", "generate", "check")
MODEL = "m"
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Job:
    """Prompts by stage as (role, parts), where a part is text or [slot, quoted]; schemas and sampling by stage."""

    corpus: str
    prompts: dict[str, list[Any]]
    schemas: dict[str, dict[str, Any]]
    sampling: dict[str, dict[str, Any]]
    domains: str
    examples: dict[str, str]

    @classmethod
    def load(cls, path: str | Path) -> Job:
        """The job that `export` wrote."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))

    @classmethod
    def export(cls, corpus: Path, target: Path) -> Job:
        """This package's stages over that corpus, as a file. Needs the package."""
        from webscale_rl.backend import reply_schema
        from webscale_rl.config import Parts, Run
        from webscale_rl.prompt import Prompt
        from webscale_rl.types import Brief, Document

        parts = Parts(Run.make({"backend": {"use": "openai", "model": MODEL}}))
        stages = {stage.name: stage for stage in parts.pipeline.stages if stage.prompt is not None}
        assert tuple(stages) == STAGES
        taxonomy = parts.context.domains
        anyone = {domain.name: Brief(Document("", ""), domain.name, "") for domain in taxonomy.domains}
        job = cls(
            corpus=str(corpus),
            # As the files have them, each stage its own: a layout that shares prefixes is a feature of this package.
            prompts={name: list(Prompt.load(name).messages) for name in STAGES},
            schemas={name: reply_schema(stage.reply_type) for name, stage in stages.items() if stage.reply_type},
            sampling={
                name: {"temperature": stage.sampling.temperature, "max_tokens": stage.sampling.max_tokens}
                for name, stage in stages.items()
            },
            domains=taxonomy.definitions,
            examples={name: stages["generate"].ask(brief)["examples"] for name, brief in anyone.items()},
        )
        target.write_text(json.dumps(vars(job)), encoding="utf-8")
        return job

    def documents(self) -> list[dict[str, str]]:
        """The documents: id and text."""
        return [json.loads(line) for line in Path(self.corpus).read_text(encoding="utf-8").splitlines()]

    def filter(self, text: str) -> Messages:
        """Asks whether the document is worth it."""
        return self._render("filter", document=text)

    def classify(self, text: str) -> Messages:
        """Asks for domain and personas."""
        return self._render("classify", document=text, domains=self.domains, max_personas="3")

    def generate(self, text: str, domain: str, persona: str) -> Messages:
        """Asks for a pair."""
        domain = domain if domain in self.examples else "Other"
        shown = self.examples[domain]
        return self._render("generate", document=text, domain=domain, persona=persona, examples=shown, pairs="1")

    def check(self, text: str, question: str, answer: str) -> Messages:
        """Asks for the verdicts."""
        return self._render("check", document=text, question=question, answer=answer)

    def response_format(self, stage: str) -> dict[str, Any]:
        """The form of a stage's replies, in OpenAI's words."""
        schema = {"name": stage, "strict": True, "schema": self.schemas[stage]}
        return {"type": "json_schema", "json_schema": schema}

    def _render(self, stage: str, **slots: str) -> Messages:
        return [
            {"role": role, "content": "".join(part if isinstance(part, str) else _fill(part, slots) for part in parts)}
            for role, parts in self.prompts[stage]
        ]


def _fill(part: list[Any], slots: dict[str, str]) -> str:
    name, quoted = part
    return fence(name, slots[name]) if quoted else slots[name]


def fence(name: str, text: str) -> str:
    """A text between the tags by which the prompts tell material from instructions."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"<{name} {digest}>\n{text}\n</{name} {digest}>"


def wanted(reply: dict[str, Any]) -> bool:
    """Whether the filter keeps the document."""
    return bool(reply["informative"]) and bool(reply["self_contained"])


def personas(reply: dict[str, Any]) -> list[str]:
    """Up to three, each once."""
    return list(dict.fromkeys(reply["personas"]))[:3]


def passes(reply: dict[str, Any]) -> bool:
    """Whether the check keeps the pair."""
    return bool(reply["answer_correct"]) and bool(reply["has_context"]) and not reply["leaks_answer"]


def kept(document: dict[str, str], persona: str, pair: dict[str, Any]) -> dict[str, str]:
    """A line of the output."""
    return {"id": document["id"], "persona": persona, "question": pair["question"], "answer": pair["answer"]}


def write(out: Path, pairs: Iterable[dict[str, str]]) -> None:
    """Leave the pairs where the measurement looks for them."""
    out.mkdir(parents=True, exist_ok=True)
    lines = sorted(json.dumps(pair, ensure_ascii=False, sort_keys=True) for pair in pairs)
    (out / "pairs.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """What every peer's script is called with."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=Job.load)
    parser.add_argument("--url", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--timeout", type=int, default=60, help="seconds of one call")
    parser.add_argument("--no-checkpoints", dest="checkpoints", action="store_false", help="where that can be chosen")
    return parser.parse_args()
