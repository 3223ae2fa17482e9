"""The embedded default backend: answers the prompted stages by rule. No network, no weights, no key.

    filter     prose with facts, by the shape of sentences        informative.py
    classify   a domain by keywords, personas by a hash           subject.py
    generate   definitions, dates, numbers, names asked      questions.py and its imports
    check      finds the answer again and compares                verify.py
    agree      reads the answer off the document, without it      readout.py
    rationale  the sentence that proves the answer, then the answer
    compare, worth, program, clean: the refining stages           refining.py

It looks at a request's slots, never at the rendered messages. Asks English questions only: a page of another language
can pass the filter and gets no pair. Declines rather than guesses. Knows no facts: what a document says is taken for
true.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, ClassVar, Self

import msgspec
from pydantic import Field, field_validator

from webscale_rl.backend import BackendOptions, BadRequest, Reply, Request, Text
from webscale_rl.backends.extractive import informative, questions, readout, refining, verify
from webscale_rl.backends.extractive.page import clean, read
from webscale_rl.backends.extractive.subject import Classifier
from webscale_rl.normalise import restates, wording
from webscale_rl.stage import Context
from webscale_rl.stages.agree import AgreeReply
from webscale_rl.stages.check import CheckReply
from webscale_rl.stages.classify import ClassifyReply
from webscale_rl.stages.filter import FilterReply
from webscale_rl.stages.generate import GenerateReply

MODEL = "extractive-1"


class Options(BackendOptions):
    """The extractive backend has nothing to set."""

    use: str = Field("extractive", description="name of the backend")

    @field_validator("model")
    @classmethod
    def _no_model(cls, model: str) -> str:
        if model:
            raise ValueError("the extractive backend has no model; leave it out, or say use: openai")
        return model


class Extractive:
    """Answers by rule, the same answer for the same slots on every machine."""

    name: ClassVar[str] = "extractive"
    paid: ClassVar[bool] = False
    Options: ClassVar[Any] = Options

    def __init__(self, options: Options, context: Context) -> None:
        self.options = options
        self._classifier = Classifier(context.domains)
        self._stages = {
            "filter": self._filter,
            "classify": self._classify,
            "generate": self._generate,
            "check": self._check,
            "agree": self._agree,
            "rationale": self._rationale,
            **refining.ANSWERS,
        }

    async def reply(self, request: Request) -> Reply:
        """The answer to a request of one of the prompted stages. Raises BadRequest for any other."""
        answer = self._stages.get(request.stage)
        if answer is None:
            raise BadRequest(f"the extractive backend cannot answer stage {request.stage!r}; it needs a model")
        try:
            struct = answer(request)
        except KeyError as missing:
            raise BadRequest(f"stage {request.stage!r} filled no slot {missing}") from None
        text = struct.text if isinstance(struct, Text) else msgspec.json.encode(struct).decode()
        return Reply(text, model=MODEL)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _filter(self, request: Request) -> FilterReply:
        return informative.judge(read(request.slots["document"]))

    def _classify(self, request: Request) -> ClassifyReply:
        page = read(request.slots["document"])
        domain = self._classifier.domain(page)
        return ClassifyReply(domain, self._classifier.personas(page, domain)[: int(request.slots["max_personas"])])

    def _generate(self, request: Request) -> GenerateReply:
        slots = request.slots
        page = read(slots["document"])
        rank = self._classifier.rank(page, slots["domain"], slots["persona"])
        return GenerateReply(questions.pairs(page.text, rank, int(slots["pairs"])))

    def _check(self, request: Request) -> CheckReply:
        slots = request.slots
        return verify.check(slots["document"], slots["question"], slots["answer"])

    def _agree(self, request: Request) -> AgreeReply:
        working, answer = readout.read_off(request.slots["document"], request.slots["question"])
        return AgreeReply(working, answer)

    def _rationale(self, request: Request) -> Text:
        """The proof is all the reasoning that there is. One that does not say the answer proves nothing by itself."""
        evidence, answer = request.slots["evidence"], request.slots["answer"]
        term, _, meaning = evidence.strip().partition("\n")
        proof = f"{clean(term)}: {clean(meaning)}" if wording(term) == wording(answer) else clean(evidence)
        return Text(f"{proof if restates(proof, answer) else ''}\n\nAnswer: {answer}")
