"""The judge: a model is asked whether an answer means what the reference says, where the rules cannot tell.

    async with Judge.openai("MODEL", "http://localhost:8000/v1", journal=Path("judged")) as judge:
        verdict = await grade(response, "Paris", "What is the capital of France?", judge=judge)

It sees the question, the reference and the extracted answer, never the reasoning. An answer of no use, a call without
an answer and a judge that cannot tell all give None: no verdict is not a "no". Verdicts are kept by the content of what
was asked, in memory and, with a journal, on the disk: the same question is paid for once.

Calls go through the engine's traffic: concurrency, retries by kind, Retry-After, caps. When it stops (a key that is
wrong, a cap, a server that stays away) verdicts are None, without a call, until the judge tries again after a while.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec
from pydantic import ValidationError

from webscale_rl.backend import Backend, BackendError, Batched, Request, Sampling, Usage
from webscale_rl.backends.openai import OpenAI, OpenAIOptions
from webscale_rl.config import CapOptions, TrafficOptions, explain
from webscale_rl.engine.caps import Caps
from webscale_rl.engine.replies import ReplyStore, Stored
from webscale_rl.engine.stop import Stop, Stopped
from webscale_rl.engine.traffic import Traffic
from webscale_rl.errors import ConfigError
from webscale_rl.files import owned
from webscale_rl.prices import Prices
from webscale_rl.prompt import Prompt, defuse
from webscale_rl.replies import Unusable, parse
from webscale_rl.reward import Verdict, reward
from webscale_rl.reward.reference import GroundTruth, references
from webscale_rl.reward.refusals import refusal
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.rule import NO_REFERENCE
from webscale_rl.tally import Calls, add_counts

STAGE = "judge"
MOST_SHOWN = 300
"""Characters of an answer that a judge sees. What is longer is no short answer; it ends in an ellipsis."""
MOST_KEPT = 1_000_000
"""Verdicts in memory, about 150 bytes each; the oldest go first."""
SYNC_EVERY_S = 0.05
REST_S = 60.0
"""How long a judge whose traffic has stopped is left alone before it is asked again."""
STOPPED = "judge/stopped"

_SLOTS = frozenset({"question", "reference", "answer"})
_SAMPLING = Sampling(temperature=0.0, max_tokens=2048)
_SCORES: dict[str, int | None] = {"correct": 1, "incorrect": 0, "cannot_tell": None}
_log = logging.getLogger(__name__)


class JudgeReply(msgspec.Struct, frozen=True):
    """The reason first: a verdict that follows from it is better than one that is explained."""

    reason: str
    verdict: Literal["correct", "incorrect", "cannot_tell"]


class Judge:
    """Asks any Backend that answers at once. An async context manager, of the event loop that opened it.

    `journal` is a folder that keeps every paid answer; one process holds it at a time. `caps` bound what is spent, what
    stands in the journal included. `prompt` is a file of your own with the slots question, reference and answer.
    Given a `stop`, the judge shares the end of whoever owns it, and never goes on by itself.

    `calls` counts answers, tokens and US dollars of this process, `reused` verdicts that cost nothing, `refused`
    answers that no judge was asked about.
    """

    def __init__(
        self,
        backend: Backend,
        model: str,
        *,
        journal: Path | None = None,
        traffic: TrafficOptions | None = None,
        caps: CapOptions | None = None,
        prompt: str | None = None,
        stop: Stop | None = None,
    ) -> None:
        if isinstance(backend, Batched):
            raise ConfigError(f"judge: the {backend.name} backend answers in batches; a verdict is needed at once")
        self.model = model
        self.calls = Calls()
        self.reused = 0
        self.refused = 0
        self.rest_s = REST_S
        self._backend = backend
        self._folder = journal
        self._options = traffic or TrafficOptions()
        self._cap_options = caps or CapOptions()
        self._prompt = Prompt.load(prompt or STAGE)
        self._prompt.require(_SLOTS)
        self._variant = str(getattr(getattr(backend, "options", None), "variant", ""))
        urls = getattr(getattr(backend, "options", None), "base_urls", ())
        self._prices = Prices({}, base_urls=urls, free=not backend.paid)
        if self._cap_options.usd is not None and self._prices.missing([model]):
            raise ConfigError(f"max_usd: no price is known for {model} at this server; cap it by max_tokens")
        self._given_stop = stop
        self._spent = Calls()  # with what stands in the journal
        self._known: dict[bytes, tuple[int | None, str]] = {}
        self._useless: dict[bytes, int] = {}  # answers of no use so far, of requests without a usable one
        self._asking: dict[bytes, asyncio.Task[tuple[int | None, str]]] = {}
        self._journal: ReplyStore | None = None
        self._asked = 0
        self._stopped_at = 0.0

    @classmethod
    def openai(
        cls,
        model: str,
        base_url: str | Sequence[str] | None = None,
        *,
        journal: Path | None = None,
        traffic: TrafficOptions | None = None,
        caps: CapOptions | None = None,
        stop: Stop | None = None,
    ) -> Self:
        """A judge at any OpenAI-compatible server(s); the key is $OPENAI_API_KEY. Raises ConfigError."""
        values: dict[str, Any] = {"use": "openai", "model": model}
        if base_url:
            values["base_urls"] = [base_url] if isinstance(base_url, str) else list(base_url)
        try:
            backend: Any = OpenAI(OpenAIOptions.model_validate(values))
        except ValidationError as error:
            raise ConfigError(explain(error, OpenAIOptions, "judge")) from None
        return cls(backend, model, journal=journal, traffic=traffic, caps=caps, stop=stop)

    async def __aenter__(self) -> Self:
        """Open the journal and the backend. Raises ConfigError, and BackendError if no server can be reached."""
        async with AsyncExitStack() as opened:
            if self._folder is not None:
                self._open_journal(self._folder, opened)
            await opened.enter_async_context(self._backend)
            self._watchers: list[asyncio.Task[None]] = []
            if self._journal is not None:
                self._watchers.append(asyncio.create_task(self._keep(self._journal)))
            self._begin(self._given_stop or Stop())
            self._opened = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for calls in flight, for they are paid for, and close all."""
        if self._given_stop is None:
            self._stop.request("the judge was closed")
        while tasks := list(self._asking.values()):
            await asyncio.wait(tasks, timeout=self._stop.grace_s)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self._opened.aclose()

    @property
    def spent(self) -> Calls:
        """What all calls took, those of earlier processes in the journal included."""
        return self._spent

    async def verdict(self, question: str, reference: GroundTruth, extracted: str) -> Verdict:
        """Whether the answer means what the reference, or one of several, says. Never raises for what a model or a
        server did: the score is then None, and `how` names it."""
        texts = wordings(reference, question)
        shown = _cut(extracted)
        if why := refusal(question, texts, shown):
            self.refused += 1
            return Verdict(0, f"guard/{why}", shown)
        listed = texts[0] if len(texts) == 1 else "\n".join(f"- {text}" for text in texts)
        slots = {"question": question, "reference": listed, "answer": shown}
        request = Request(STAGE, self._prompt, slots, JudgeReply, self.model, _SAMPLING, self._variant)
        found = self._known.get(request.key)
        if found is not None:
            self.reused += 1
        else:
            found = await self._shared(request)
        return Verdict(found[0], found[1], shown)

    async def second(self, verdict: Verdict, ground_truth: GroundTruth, question: str | None) -> Verdict:
        """The rules' verdict if it is one, else the judge's on what they extracted. Where there is no reference,
        there is nothing to judge by."""
        if verdict.score is not None or verdict.how == NO_REFERENCE:
            return verdict
        own = await self.verdict(question or "", ground_truth, verdict.extracted)
        return msgspec.structs.replace(verdict, score=own.score, how=own.how)

    async def decide(self, rollout: Rollout) -> Verdict:
        """The reward of a rollout, as trainers' hooks ask for it."""
        return await grade(*rollout, judge=self)

    async def _shared(self, request: Request) -> tuple[int | None, str]:
        """The verdict of a call of its own, or of one under way that asks the same. It goes on when its caller is
        cancelled: it is paid for."""
        key = request.key
        task = self._asking.get(key)
        if task is None:
            if self._stop.reason is not None and not self._goes_on():
                return None, STOPPED
            task = self._asking[key] = asyncio.create_task(self._ask(request))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        else:
            self.reused += 1
        return await asyncio.shield(task)

    async def _ask(self, request: Request) -> tuple[int | None, str]:
        """Pay for answers until one is usable. What an earlier process paid for in vain is a round of its own."""
        attempts = self._options.attempts
        self._asked += 1
        priority = (0, self._asked)
        before = self._useless.get(request.key, 0)
        for attempt in range(before, (before // attempts + 1) * attempts):
            again = msgspec.structs.replace(request, attempt=attempt) if attempt else request
            try:
                reply, latency, endpoint = await self._traffic.reply(again, priority, self._count_retry)
                usd = self._prices.usd(self.model, reply.usage)
                stored = Stored(request.key, STAGE, reply, latency, endpoint=endpoint, usd=usd)
                self._write(stored)
            except BackendError as error:
                return None, f"{STAGE}/{error.kind}"
            except Stopped:
                return None, STOPPED
            self.calls.bought(reply.usage, latency, usd)
            if request.key in self._known:
                return self._known[request.key]
            add_counts(self.calls.unusable, {_unusable(stored): 1})
        verdict = None, f"{STAGE}/{_unusable(stored)}"
        self._keep_verdict(request.key, verdict)  # in this process: the same words would bring the same
        return verdict

    def _write(self, stored: Stored) -> None:
        """Keep an answer before anyone acts on it. Raises Stopped if the disk cannot take it."""
        try:
            if self._journal is not None:
                self._journal.append(stored)
        except OSError as error:
            self._stop.request(f"{self._folder}: cannot write ({error.strerror}); make room and run again")
            raise Stopped(str(error)) from error
        self._take(stored)

    def _take(self, stored: Stored) -> None:
        """Remember what an answer says, and what it cost."""
        self._spent.bought(stored.reply.usage, stored.latency_s, stored.usd)
        try:
            answer = parse(stored.reply, JudgeReply)
        except Unusable:
            self._useless[stored.key] = self._useless.get(stored.key, 0) + 1
        else:
            self._keep_verdict(stored.key, (_SCORES[answer.verdict], f"{STAGE}/{answer.verdict}"))

    def _keep_verdict(self, key: bytes, verdict: tuple[int | None, str]) -> None:
        if len(self._known) >= MOST_KEPT:
            del self._known[next(iter(self._known))]
        self._known[key] = verdict
        self._useless.pop(key, None)

    def _count_retry(self, kind: str) -> None:
        add_counts(self.calls.retried, {kind: 1})

    def _open_journal(self, folder: Path, opened: AsyncExitStack) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            opened.enter_context(owned(folder))
            self._journal = ReplyStore(folder, 0)
            for stored in self._journal.all():
                self._take(stored)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot keep the judge's answers there ({error.strerror})") from error
        opened.callback(self._journal.close)

    def _begin(self, stop: Stop) -> None:
        """Traffic that may make calls, until `stop` says otherwise."""
        self._stop = stop
        caps = None
        if self._cap_options.limits:
            caps = Caps(self._cap_options, self._prices.usd, stop)
            spent = Usage(self._spent.prompt_tokens, self._spent.completion_tokens)
            caps.spend(STAGE, self.model, spent, self._spent.usd)
        self._traffic = Traffic(self._backend, self._options, stop, caps)
        self._watchers.append(asyncio.create_task(self._wake(stop, self._traffic)))

    def _goes_on(self) -> bool:
        """Begin anew when the rest is over; whatever stopped the traffic stops it again, if it is still so."""
        if self._given_stop is not None or time.monotonic() < self._stopped_at + self.rest_s:
            return False
        self._begin(Stop())
        return True

    async def _wake(self, stop: Stop, traffic: Traffic) -> None:
        await stop.wait()
        self._stopped_at = time.monotonic()
        traffic.wake()
        if self._given_stop is None and self._asking:
            _log.warning("the judge has stopped for %g s: %s", self.rest_s, defuse(stop.reason or ""))

    async def _keep(self, journal: ReplyStore) -> None:
        while True:
            await asyncio.sleep(SYNC_EVERY_S)
            with suppress(OSError):  # the next answer that cannot be written says so
                await asyncio.to_thread(journal.sync)


def wordings(ground_truth: GroundTruth, question: str = "") -> list[str]:
    """What a judge is shown of a ground truth: each reference's answer and its aliases, each once."""
    texts = [text for one in references(ground_truth, question) for text in (one.answer, *one.aliases)]
    return list(dict.fromkeys(texts))


def _cut(answer: str) -> str:
    """The answer as a judge sees it. A verdict's `extracted` of full length was cut already."""
    return answer if len(answer) < MOST_SHOWN else answer[: MOST_SHOWN - 1].rstrip() + "…"


def _unusable(stored: Stored) -> str:
    try:
        parse(stored.reply, JudgeReply)
    except Unusable as error:
        return error.kind
    raise AssertionError("only an answer of no use has a kind")


async def grade(
    response: str,
    ground_truth: GroundTruth,
    question: str | None = None,
    answer_type: str | None = None,
    *,
    judge: Judge | None = None,
    style: str | None = None,
) -> Verdict:
    """The reward of a response: by the rules, and by the judge, if there is one, where they cannot tell."""
    verdict = reward(response, ground_truth, question, answer_type, style=style)
    return verdict if judge is None else await judge.second(verdict, ground_truth, question)
