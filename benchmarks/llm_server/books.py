"""The books of the test server: every request, when it came, when it was served, what became of it, who paid twice."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import orjson

REPLY_FAULTS = ("cut", "fenced", "python", "refusal", "empty", "garbage", "null_content", "bad_json", "content_filter")
ANSWERED = {"ok", "stall", *REPLY_FAULTS}
"""Outcomes that were answered 200 and whole: what a caller pays for."""


class Entry(NamedTuple):
    """One request in the books. Times are of time.monotonic(), which all processes of a machine share."""

    arrived: float
    started: float
    ended: float
    stage: str
    document: str
    body: str
    attempt: int
    outcome: str
    status: int
    call: str = ""
    """The same for the same question, whoever asks it and however it is encoded; `body` is of the request's bytes."""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Books:
    """All requests since the last reset."""

    def __init__(self, log: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.keep_bodies = False
        self.attempts: Counter[str] = Counter()
        self.in_flight = self.max_in_flight = 0
        self.busy = self.max_busy = 0
        self._log = log.open("ab", buffering=0) if log else None

    def reset(self) -> None:
        """Forget everything but what is in flight."""
        self.entries.clear()
        self.bodies.clear()
        self.headers.clear()
        self.attempts.clear()
        self.max_in_flight, self.max_busy = self.in_flight, self.busy

    def add(self, entry: Entry) -> None:
        """Write a request down when it has ended."""
        self.entries.append(entry)
        if self._log:
            self._log.write(orjson.dumps(entry._asdict(), option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Close the log."""
        if self._log:
            self._log.close()

    @property
    def outcomes(self) -> Counter[str]:
        """How many requests ended how."""
        return Counter(entry.outcome for entry in self.entries)

    @property
    def paid(self) -> Counter[str]:
        """How many times each request body was answered 200."""
        return Counter(entry.body for entry in self.entries if entry.outcome in ANSWERED)

    @property
    def paid_twice(self) -> int:
        """Answers that had been given before."""
        return sum(count - 1 for count in self.paid.values())

    def busy_s(self, since: float, until: float) -> float:
        """Slot-seconds of service between two instants."""
        return sum(max(0.0, min(e.ended, until) - max(e.started, since)) for e in self.entries if e.started)

    def stats(self, slots: int, since: float | None = None, until: float | None = None) -> dict[str, Any]:
        """The books as JSON. Slot use is of the span from the first start to the last end unless told otherwise."""
        served = [entry for entry in self.entries if entry.started]
        begin = since if since is not None else min((e.started for e in served), default=0.0)
        end = until if until is not None else max((e.ended for e in served), default=0.0)
        busy = self.busy_s(begin, end)
        return {
            "now": time.monotonic(),
            "requests": len(self.entries),
            "answered": sum(self.paid.values()),
            "paid_twice": self.paid_twice,
            "outcomes": dict(self.outcomes),
            "stages": dict(Counter(entry.stage for entry in self.entries)),
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "max_busy": self.max_busy,
            "since": begin,
            "until": end,
            "busy_s": busy,
            "slot_use": busy / (slots * (end - begin)) if end > begin else 0.0,
            "prompt_tokens": sum(e.prompt_tokens for e in served),
            "cached_tokens": sum(e.cached_tokens for e in served),
            "prefilled_tokens": sum(e.prompt_tokens - e.cached_tokens for e in served),
            "completion_tokens": sum(e.completion_tokens for e in served),
            "paid": dict(self.paid),
        }
