"""Makes the calls: so many at once, the later stages first, and each failed one again by its kind.

A slot is held only while a call is in flight: retries sleep outside of it. A free slot goes at once to the waiting
request that is furthest down the pipeline, and among these to the document that came first; new documents are taken in
only while few requests wait, so that slots never idle and few documents are open at a time.

    endpoints.py   which server a document goes to, and which are away
    window.py      how many of all slots a server gets
    rate.py        when its next call may go
    caps.py        what may be spent in all
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from webscale_rl.backend import Backend, BackendError, Batched, Postponed, Reply, Request, Unreachable, Usage
from webscale_rl.config import TrafficOptions
from webscale_rl.engine.calls import CANCELLED, Call, EndpointState, Observer, TrafficState, worth
from webscale_rl.engine.caps import Caps
from webscale_rl.engine.endpoints import Endpoint, Endpoints, Priority, Waiting
from webscale_rl.engine.rate import Rates
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE, Stop

GIVE_UP_AFTER = 10
"""So many calls in a row spent without one answer in between mean that it is the server and not the calls."""
NOTHING = Usage()
UNSENT = ""
"""The outcome of what got a slot and was not sent: the run had stopped."""


class Traffic:
    """All calls of a run. `retried` and `spent` count calls without an answer by kind; `observers` are told of every
    attempt that ended."""

    def __init__(self, backend: Backend, options: TrafficOptions, stop: Stop, caps: Caps | None = None) -> None:
        self._backend = backend
        self._options = options
        self._stop = stop
        self._caps = caps
        urls: tuple[str, ...] = getattr(backend, "endpoints", ("",))
        self._send = getattr(backend, "reply_at", None)
        self.endpoints = Endpoints([self._endpoint(url) for url in urls])
        self._by_url = {endpoint.url: endpoint for endpoint in self.endpoints.all}
        if hasattr(backend, "heard"):
            backend.heard = self._heard
        self._free = options.concurrency
        self._lookahead = max(4, options.concurrency // 8)
        self._most_documents = options.documents or 4 * options.concurrency + 64
        self._documents = 0
        self._fresh = 0
        self._room: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        self._arrivals = 0
        self._jitter = random.Random()
        self._spent_in_a_row = 0
        self._answer_tokens = 0.0
        self._batched = isinstance(backend, Batched)
        self.in_flight = 0
        self.answered = 0
        self.retried: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()
        self.observers: list[Observer] = []

    def _endpoint(self, url: str) -> Endpoint:
        options = self._options
        return Endpoint(url, options.concurrency, Rates(options.rpm, options.tpm))

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return sum(len(endpoint.waiting) for endpoint in self.endpoints.all)

    def state(self) -> TrafficState:
        """How much is under way now."""
        now = time.monotonic()
        endpoints = {
            endpoint.url: EndpointState(endpoint.window.in_flight, endpoint.window.size, endpoint.away_until <= now)
            for endpoint in self.endpoints.all
        }
        return TrafficState(self.in_flight, self.waiting, self._documents, endpoints)

    async def admit(self) -> None:
        """Wait until one more document may begin. Raises Stopped."""
        while not self._has_room():
            self._stop.check()
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        self._stop.check()
        self._documents += 1
        self._fresh += 1

    def begun(self) -> None:
        """A document that was admitted asks its first question, or needs none."""
        self._fresh -= 1
        self._make_room()

    def done(self) -> None:
        """A document that was admitted has ended."""
        self._documents -= 1
        self._make_room()

    def wake(self) -> None:
        """Let everyone who waits see that the run stops."""
        for endpoint in self.endpoints.all:
            endpoint.scatter()
        if self._alarm is not None:
            self._alarm.cancel()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def reply(
        self, request: Request, priority: Priority, retried: Callable[[str], None] | None = None
    ) -> tuple[Reply, float, str]:
        """The answer, its latency in seconds, and the server that gave it. `retried` is told the kind of each failure
        that is tried again. Raises Stopped, Postponed, or the BackendError that no retry could mend."""
        if self._batched:
            return await self._batch(request)
        for attempt in range(self._options.retries + 1):
            endpoint = self.endpoints.of(request.affinity, time.monotonic())
            try:
                return await self._once(request, priority, attempt + 1)
            except BackendError as error:
                self._heed(error)
                if not error.retry or attempt == self._options.retries:
                    self._spend(error)
                    raise
                self.retried[error.kind] += 1
                if retried is not None:
                    retried(error.kind)
                if isinstance(error, Unreachable) and self.endpoints.of(request.affinity, time.monotonic()) != endpoint:
                    continue  # another server takes the document over at once
                await self._stop.sleep(self._delay(attempt, error))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, request: Request, priority: Priority, attempt: int) -> tuple[Reply, float, str]:
        tokens = self._expected(request) if self._options.tpm else 0.0
        asked = time.monotonic()
        endpoint, ticket = await self._slot(request.affinity, priority, tokens)
        sent = time.monotonic()
        outcome = UNSENT
        reply: Reply | None = None
        try:
            self._allow(request)
            outcome = CANCELLED
            self.in_flight += 1
            try:
                if self._send is None:
                    reply = await self._backend.reply(request)
                else:
                    reply = await self._send(request, endpoint.url)
            finally:
                self.in_flight -= 1
            now = time.monotonic()
            endpoint.succeed(ticket, now)
            if endpoint.rates.known:
                self._settle(endpoint, tokens, reply.usage)
            self.answered += 1
            self._spent_in_a_row = 0
            if self._caps is not None:
                self._caps.spend(request.stage, request.model, reply.usage)
            return reply, now - sent, endpoint.url
        except BackendError as error:
            outcome = error.kind
            self._failed(endpoint, error, ticket, attempt)
            raise
        finally:
            self._give(endpoint)  # first: nothing else may keep the slot waiting
            self._tell_soon(request, reply, outcome, endpoint.url, attempt, sent - asked, time.monotonic() - sent)

    def _allow(self, request: Request) -> None:
        """The last look before a call is paid for. Raises Stopped."""
        if self._caps is not None:
            self._caps.require(request.stage)
        self._stop.check()

    async def _slot(self, affinity: str, priority: Priority, tokens: float) -> tuple[Endpoint, int]:
        """Wait for a slot; gives the server and the call's ticket."""
        while True:
            now = time.monotonic()
            endpoint = self.endpoints.of(affinity, now)
            if self._free > 0 and endpoint.head() is None and self._may_go(endpoint, now):
                return endpoint, self._claim(endpoint, tokens)
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._arrivals += 1
            endpoint.push(Waiting(priority, self._arrivals, future, tokens))
            self._set_alarm(now)
            try:
                ticket = await future
            except asyncio.CancelledError:
                if future.done() and not future.cancelled() and future.result():
                    self._give(endpoint)
                raise
            if ticket:
                return endpoint, ticket
            self._stop.check()

    def _may_go(self, endpoint: Endpoint, now: float) -> bool:
        return endpoint.window.has_room and endpoint.free_at(now) <= now

    def _claim(self, endpoint: Endpoint, tokens: float) -> int:
        self._free -= 1
        if endpoint.rates.known:
            endpoint.rates.take(tokens)
        return endpoint.window.sent()

    def _give(self, endpoint: Endpoint) -> None:
        """A call ended: its slot goes to whoever waits with the smallest priority."""
        endpoint.window.ended()
        self._free += 1
        self._dispatch()

    def _dispatch(self) -> None:
        now = time.monotonic()
        while self._free > 0:
            best: Endpoint | None = None
            for endpoint in self.endpoints.all:
                head = endpoint.head()
                if head is not None and self._may_go(endpoint, now) and (best is None or head < best.waiting[0]):
                    best = endpoint
            if best is None:
                break
            waiting = best.pop()
            waiting.future.set_result(self._claim(best, waiting.tokens))
        self._set_alarm(now)
        self._make_room()

    def _set_alarm(self, now: float) -> None:
        """Look again when the clock lets a waiting request go; an answer that ends before looks anyway."""
        if self._free == 0:
            return
        times = [e.free_at(now) for e in self.endpoints.all if e.head() is not None and e.window.has_room]
        soonest = min((at for at in times if at > now), default=None)
        if soonest is None or (self._alarm is not None and self._alarm_at <= soonest):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = soonest
        self._alarm = asyncio.get_running_loop().call_later(soonest - now, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._dispatch()

    def _failed(self, endpoint: Endpoint, error: BackendError, ticket: int, attempt: int) -> None:
        now = time.monotonic()
        endpoint.window.in_flight -= 1  # what is still out there besides this call
        endpoint.fail(error, ticket, now, self._delay(attempt - 1, error))
        endpoint.window.in_flight += 1
        if endpoint.is_lost(error) and self.endpoints.others(endpoint, now):
            endpoint.leave(now)
            endpoint.scatter()

    def _heard(self, url: str, headers: Mapping[str, str]) -> None:
        """The headers of an answer."""
        endpoint = self._by_url[url]
        endpoint.rates.learn(headers, time.monotonic(), endpoint.window.in_flight - 1)

    def _expected(self, request: Request) -> float:
        """About how many tokens a call takes: four characters each, and what answers took so far."""
        return sum(len(message["content"]) for message in request.messages()) / 4 + self._answer_tokens

    def _settle(self, endpoint: Endpoint, expected: float, usage: Usage) -> None:
        self._answer_tokens += (usage.completion_tokens - self._answer_tokens) / 16
        if usage.prompt_tokens:
            endpoint.rates.settle(expected, usage.prompt_tokens + usage.completion_tokens)

    async def _batch(self, request: Request) -> tuple[Reply, float, str]:
        """The same of a backend that makes batches: without a slot, for all must be asked, and without retries."""
        self._allow(request)
        self.in_flight += 1
        sent = time.monotonic()
        reply: Reply | None = None
        outcome = CANCELLED
        try:
            reply = await self._backend.reply(request)
            self.answered += 1
            if self._caps is not None:
                self._caps.spend(request.stage, request.model, reply.usage)
            return reply, time.monotonic() - sent, ""
        except BackendError as error:
            outcome = error.kind
            self._heed(error)
            self.spent[error.kind] += 1
            raise
        except Postponed:
            outcome = UNSENT
            raise
        finally:
            self.in_flight -= 1
            self._tell_soon(request, reply, outcome, "", 1, 0.0, time.monotonic() - sent)

    def _tell_soon(self, request: Request, reply: Reply | None, outcome: str, *rest: Any) -> None:
        """Tell the observers when the answer is journalled: whatever goes wrong in them, it must not cost an answer."""
        if self.observers and outcome is not UNSENT:
            asyncio.get_running_loop().call_soon(self._tell, request, reply, outcome, *rest)

    def _tell(
        self,
        request: Request,
        reply: Reply | None,
        outcome: str,
        endpoint: str,
        attempt: int,
        queue_s: float,
        latency_s: float,
    ) -> None:
        usage = NOTHING
        if reply is not None:
            outcome, usage = worth(request, reply), reply.usage
        call = Call(time.time(), request.stage, request.model, endpoint, attempt, queue_s, latency_s, usage, outcome)
        for observe in self.observers:
            observe(call)

    def _heed(self, error: BackendError) -> None:
        if error.fatal:
            self._stop.request(str(error), RESUMABLE if error.resumable else WRONG_USAGE)
            self._stop.check()

    def _spend(self, error: BackendError) -> None:
        self.spent[error.kind] += 1
        if not error.retry:
            return
        self._spent_in_a_row += 1
        if self._spent_in_a_row >= GIVE_UP_AFTER:
            self._stop.request(f"the server does not answer ({error}); run again when it does", RESUMABLE)
            self._stop.check()

    def _delay(self, attempt: int, error: BackendError) -> float:
        """Exponential backoff with jitter, never before Retry-After."""
        ceiling = min(self._options.max_backoff_s, self._options.backoff_s * 2.0**attempt)
        return max(ceiling * self._jitter.uniform(0.5, 1.0), error.retry_after_s or 0.0)

    def _has_room(self) -> bool:
        """Whether a new document should come: those that wait for a full server do not keep a free one empty."""
        if self._batched:  # a batch waits for all documents of its shard; the runner bounds the shards
            return True
        waiting = 0
        room = 0
        for endpoint in self.endpoints.all:
            free = min(max(int(endpoint.window.size) - endpoint.window.in_flight, 0), self._free)
            waiting += min(len(endpoint.waiting), free + self._lookahead)
            room = max(room, free)
        return waiting + self._fresh < room + self._lookahead and self._documents < self._most_documents

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done() and self._has_room():
            self._room.set_result(None)
