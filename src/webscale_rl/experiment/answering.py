"""A backend of rules that knows the sentences of this experiment's documents: it asks and checks what they say.

    filter     informative if a sentence of `wording.py` stands in it
    classify   as the extractive backend does, with one persona
    generate   a pair for each of these sentences, asked in the wording of `wording.own`
    check      finds the sentence again and compares
    rationale  the sentence of the fact, or the sum with its first step
    compare, worth, program, clean      the extractive backend's rules, which know nothing of the experiment

It stands for a model that makes no mistake. Its answers cost no money; their tokens are counted as if a model had read
the material (documents, questions, answers; not the instructions) and written the answer, a token being a character.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from pydantic import Field

from webscale_rl.backend import BackendOptions, Reply, Request, Text, Usage
from webscale_rl.backends.extractive import Extractive
from webscale_rl.experiment.wording import TYPES, Statement, ask, asked, own, statements, subject, tell
from webscale_rl.experiment.world import RELATIONS, Fact
from webscale_rl.stage import Context
from webscale_rl.stages.check import CheckReply
from webscale_rl.stages.classify import ClassifyReply
from webscale_rl.stages.filter import FilterReply
from webscale_rl.stages.generate import GeneratedPair, GenerateReply

MODEL = "experiment-rules"
USE = f"{__name__}:Answering"
"""How a configuration names the backend."""
_OURS = frozenset({"domains", "examples", "max_personas", "pairs", "domain", "persona"})
"""Slots of the pipeline's own words, which belong to the instructions."""


class Options(BackendOptions):
    """Nothing to set."""

    use: str = Field(USE, description="name of the backend")
    model: str = Field(MODEL, description="what the dataset names as its generator and checker")


class Answering(Extractive):
    """Answers by rule, the same answer for the same slots. `paid` only so that its tokens are counted."""

    name: ClassVar[str] = "experiment"
    paid: ClassVar[bool] = True
    Options: ClassVar[Any] = Options

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        self._stages |= {"rationale": _rationale}

    async def reply(self, request: Request) -> Reply:
        """The answer, with the characters of material and answer as its tokens."""
        answer = await super().reply(request)
        read = sum(len(text) for slot, text in request.slots.items() if slot not in _OURS)
        return msgspec.structs.replace(answer, model=MODEL, usage=Usage(read, len(answer.text)))

    def _filter(self, request: Request) -> FilterReply:
        found = any(True for _ in statements(request.slots["document"]))
        return FilterReply("" if found else "no sentence that can be asked about", found, found)

    def _classify(self, request: Request) -> ClassifyReply:
        return msgspec.structs.replace(super()._classify(request), personas=["a reader"])

    def _generate(self, request: Request) -> GenerateReply:
        pairs = [_pair(said) for said in statements(request.slots["document"])]
        return GenerateReply(pairs[: int(request.slots["pairs"])])

    def _check(self, request: Request) -> CheckReply:
        about = asked(request.slots["question"])
        for said in statements(request.slots["document"]):
            if about == subject(said.about):
                right = said.value == request.slots["answer"].strip()
                return CheckReply(said.text, said.value, right, has_context=True, leaks_answer=False)
        return CheckReply("", "", answer_correct=False, has_context=about is not None, leaks_answer=False)


def _pair(said: Statement) -> GeneratedPair:
    kind = TYPES[said.about.relation] if isinstance(said.about, Fact) else "number"
    return msgspec.convert(
        {
            "evidence": said.text,
            "question": ask(said.about, own(said.about)),
            "answer": said.value,
            "answer_type": kind,
        },
        GeneratedPair,
    )


def _rationale(request: Request) -> Text:
    """The way to an answer that is known."""
    answer = request.slots["answer"]
    about = asked(request.slots["question"])
    if about is None:
        return Text(f"\n\nAnswer: {answer}")
    if about[0] in RELATIONS:
        way = tell(Fact(about[1], about[0], answer), 0)
    else:
        first, second = int(about[1]), int(about[2])
        ones = f"{first % 10} and {second} make {first % 10 + second}"
        way = f"{ones}. So {first} and {second} make {answer}."
    return Text(f"{way}\n\nAnswer: {answer}")
