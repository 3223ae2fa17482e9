"""The servers that answer a run's calls: which one a document goes to, what each may get, and which are away.

All calls of one document go to one server (rendezvous hashing, Thaler and Ravishankar 1998), so that its prefix cache
is used: when a server leaves, only its own documents move. One that cannot be reached is left out for a while that
doubles, then gets a single call, and all of its documents again when that is answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from webscale_rl.backend import BackendError, NotConnected, Overloaded, RateLimited, TimedOut, Unreachable
from webscale_rl.engine.rate import Rates
from webscale_rl.engine.window import Window

AWAY_S, LONGEST_AWAY_S = 10.0, 120.0
LOST_IN_A_ROW = 3
"""So many connections lost without an answer in between mean that a server is away."""

Priority = tuple[int, int]
"""(minus the stage's place in the pipeline, the document's ordinal): the smallest goes first."""


class Waiting(NamedTuple):
    """A request that waits for a slot. Its future becomes the ticket of its call, or 0 if it must choose again."""

    priority: Priority
    arrival: int
    future: asyncio.Future[int]
    tokens: float


class Endpoint:
    """One server. `answered` and `refused` count calls."""

    def __init__(self, url: str, most: int, rates: Rates) -> None:
        self.url = url
        self.window = Window(most)
        self.rates = rates
        self.waiting: list[Waiting] = []
        self.rests_until = 0.0
        self.away_until = 0.0
        self.answered = 0
        self.refused = 0
        self._away_s = AWAY_S
        self._lost = 0

    def free_at(self, now: float) -> float:
        """When the clock alone lets the next call go; `now` or before if at once."""
        at = max(self.rests_until, self.rates.free_at(now)) if self.rates.known else self.rests_until
        return max(at, self.away_until)

    def push(self, waiting: Waiting) -> None:
        """Put a request in the line."""
        heapq.heappush(self.waiting, waiting)

    def head(self) -> Waiting | None:
        """The request that goes next."""
        while self.waiting and self.waiting[0].future.done():
            heapq.heappop(self.waiting)
        return self.waiting[0] if self.waiting else None

    def pop(self) -> Waiting:
        """Take the head off the line."""
        return heapq.heappop(self.waiting)

    def scatter(self) -> None:
        """Let all that wait choose again."""
        while self.waiting:
            waiting = heapq.heappop(self.waiting)
            if not waiting.future.done():
                waiting.future.set_result(0)

    def succeed(self, ticket: int, now: float) -> None:
        """A call was answered."""
        self.answered += 1
        self._lost = 0
        self._away_s = AWAY_S
        self.window.answered(ticket, now)

    def fail(self, error: BackendError, ticket: int, now: float, pause_s: float) -> None:
        """A call was not. `pause_s` is how long to rest if the server takes nothing at all and does not say."""
        if isinstance(error, RateLimited | Overloaded | TimedOut):
            self.refused += 1
            self.window.refused(ticket, now)
            if self.window.in_flight == 0:
                self.rests_until = now + (error.retry_after_s or pause_s)
        elif isinstance(error, Unreachable):
            self._lost += 1
        elif not error.retry:
            self._lost = 0  # it is there, and answers

    def is_lost(self, error: BackendError) -> bool:
        """Whether this error means that the server is away."""
        return isinstance(error, NotConnected) or (isinstance(error, Unreachable) and self._lost >= LOST_IN_A_ROW)

    def leave(self, now: float) -> None:
        """Leave it out for a while."""
        self.away_until = now + self._away_s
        self._away_s = min(2 * self._away_s, LONGEST_AWAY_S)
        self._lost = 0
        self.window.restart()


class Endpoints:
    """All servers of a run, one at least."""

    def __init__(self, all_of_them: Sequence[Endpoint]) -> None:
        self.all = tuple(all_of_them)
        self._order = lru_cache(maxsize=4096)(self._hashed)

    def of(self, affinity: str, now: float) -> Endpoint:
        """The server of this document: the first in the document's own order that is not away."""
        if len(self.all) == 1:
            return self.all[0]
        order = self._order(affinity)
        return next((endpoint for endpoint in order if endpoint.away_until <= now), order[0])

    def others(self, endpoint: Endpoint, now: float) -> bool:
        """Whether another server than this one is there."""
        return any(other is not endpoint and other.away_until <= now for other in self.all)

    def _hashed(self, affinity: str) -> list[Endpoint]:
        def weight(endpoint: Endpoint) -> bytes:
            text = f"{endpoint.url}\n{affinity}".encode("utf-8", "replace")
            return hashlib.blake2b(text, digest_size=8).digest()

        return sorted(self.all, key=weight)
