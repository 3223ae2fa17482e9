"""Makes the calls: so many at once, the later stages first, and each failed one again by its kind.

A slot is held only while a call is in flight: retries sleep outside of it. A free slot goes at once to the waiting
request that is furthest down the pipeline, and among these to the document that came first; new documents are taken in
only while fewer than `lookahead` requests wait, so that slots never idle and few documents are open at a time.

Not covered yet: windows that adapt to the server, rate limits, caps.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections import Counter
from collections.abc import Callable

from webscale_rl.backend import Backend, BackendError, Batched, Reply, Request
from webscale_rl.config import TrafficOptions
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE, Stop

Priority = tuple[int, int]
"""(minus the stage's place in the pipeline, the document's ordinal): the smallest goes first."""

GIVE_UP_AFTER = 10
"""So many calls in a row spent without one answer in between mean that it is the server and not the calls."""


class Slots:
    """A semaphore with priorities that also knows how many wait. Fair within a priority: first come, first served."""

    def __init__(self, count: int) -> None:
        self.free = count
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self.changed: Callable[[], None] = lambda: None

    @property
    def waiting(self) -> int:
        """How many requests wait for a slot."""
        return len(self._waiting)

    async def take(self, priority: Priority) -> None:
        """Wait for a slot."""
        if self.free > 0:
            self.free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, self._arrivals, future))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Hand the slot to whoever waits with the smallest priority, or free it."""
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
                self.changed()
                return
        self.free += 1
        self.changed()

    def wake(self) -> None:
        """Hand a slot to everyone who waits: the run stops, and each will see that for himself."""
        while self._waiting:
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                self.free -= 1
                future.set_result(None)


class Traffic:
    """All calls of a run. `retried` and `spent` count calls without an answer by kind, for the live view."""

    def __init__(self, backend: Backend, options: TrafficOptions, stop: Stop) -> None:
        self._backend = backend
        self._options = options
        self._stop = stop
        self._slots = Slots(options.concurrency)
        self._slots.changed = self._make_room
        self._lookahead = max(4, options.concurrency // 8)
        self._most_documents = 4 * options.concurrency + 64
        self._documents = 0
        self._fresh = 0
        self._room: asyncio.Future[None] | None = None
        self._jitter = random.Random()
        self._spent_in_a_row = 0
        self._batched = isinstance(backend, Batched)
        self.in_flight = 0
        self.answered = 0
        self.retried: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()

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
        self._slots.wake()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    async def reply(self, request: Request, priority: Priority) -> tuple[Reply, float]:
        """The answer and its latency in seconds. Raises Stopped, Postponed, or the BackendError that no retry could
        mend."""
        if self._batched:
            return await self._batch(request)
        for attempt in range(self._options.retries + 1):
            try:
                return await self._once(request, priority)
            except BackendError as error:
                self._heed(error)
                if not error.retry or attempt == self._options.retries:
                    self._spend(error)
                    raise
                self.retried[error.kind] += 1
                await self._stop.sleep(self._delay(attempt, error))
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _once(self, request: Request, priority: Priority) -> tuple[Reply, float]:
        await self._slots.take(priority)
        try:
            self._stop.check()
            self.in_flight += 1
            started = time.monotonic()
            try:
                reply = await self._backend.reply(request)
            finally:
                self.in_flight -= 1
            self.answered += 1
            self._spent_in_a_row = 0
            return reply, time.monotonic() - started
        finally:
            self._slots.give()

    async def _batch(self, request: Request) -> tuple[Reply, float]:
        """The same of a backend that makes batches: without a slot, for all must be asked, and without retries."""
        self._stop.check()
        self.in_flight += 1
        started = time.monotonic()
        try:
            reply = await self._backend.reply(request)
        except BackendError as error:
            self._heed(error)
            self.spent[error.kind] += 1
            raise
        finally:
            self.in_flight -= 1
        self.answered += 1
        return reply, time.monotonic() - started

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
        """Exponential backoff with full jitter (the AWS Architecture Blog's name for it), never before Retry-After."""
        ceiling = min(self._options.max_backoff_s, self._options.backoff_s * 2.0**attempt)
        return max(ceiling * self._jitter.uniform(0.5, 1.0), error.retry_after_s or 0.0)

    def _has_room(self) -> bool:
        if self._batched:  # a batch waits for all documents of its shard; the runner bounds the shards
            return True
        open_places = self._slots.free + self._lookahead
        return self._slots.waiting + self._fresh < open_places and self._documents < self._most_documents

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done() and self._has_room():
            self._room.set_result(None)
