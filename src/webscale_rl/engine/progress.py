"""What a run is doing, for whoever watches it: the books so far, calls in flight, tokens, failures by kind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from webscale_rl.backend import Reply
from webscale_rl.engine.shard import Commit
from webscale_rl.engine.traffic import Traffic
from webscale_rl.tally import Calls, Tally


class Progress:
    """Counters that the runner writes and a view reads. `tally` holds this run's documents and the finished shards'."""

    def __init__(self, units: Mapping[str, str]) -> None:
        self.units = dict(units)
        self.stages = tuple(units)
        self.tally = Tally()
        self.calls = Calls()
        self.documents = 0
        self.read: Callable[[], float | None] = lambda: None
        self.started = time.monotonic()
        self.traffic: Traffic | None = None
        self.crash: BaseException | None = None
        self._recent: deque[tuple[float, int, int, float]] = deque(maxlen=120)

    def answered(self, reply: Reply, usd: float | None) -> None:
        """A reply was paid for, at so many US dollars if that is known."""
        self.calls.usd += usd or 0.0
        self.calls.answered += 1
        self.calls.prompt_tokens += reply.usage.prompt_tokens
        self.calls.completion_tokens += reply.usage.completion_tokens
        self.calls.cached_tokens += reply.usage.cached_tokens

    def ended(self, rows: Sequence[dict[str, Any]]) -> None:
        """A document ended."""
        self.documents += 1
        for row in rows:
            self.tally.end(row["unit"], row.get("stage", ""), row["end"], row.get("reason", ""))

    def committed(self, commit: Commit) -> None:
        """A shard was found finished."""
        self.tally.add(commit.tally)

    def rates(self) -> tuple[float, float]:
        """Calls and documents per second over the last samples; each reading is a sample."""
        now = time.monotonic()
        self._recent.append((now, self.calls.answered, self.documents, self.read() or 0.0))
        since, calls, documents, _ = self._recent[0]
        seconds = now - since
        if seconds < 0.1:  # the first sample: all that there is, since the beginning
            seconds, calls, documents = max(now - self.started, 1e-9), 0, 0
        return (self.calls.answered - calls) / seconds, (self.documents - documents) / seconds

    def seconds_left(self) -> float | None:
        """How long the rest of the corpus takes at the speed of the last samples; None while that cannot be told."""
        if len(self._recent) < 2:
            return None
        (since, _, _, before), (now, _, _, after) = self._recent[0], self._recent[-1]
        return (1.0 - after) * (now - since) / (after - before) if after > before else None


Watch = Callable[[Progress], AbstractContextManager[object]]
"""Shows a run while it runs: given the run's progress, a context manager that lasts as long as the run."""
