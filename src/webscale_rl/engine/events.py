"""events.jsonl: one line for every attempt at a call, in the order of their ends. Never text, never a key.

    {"time": 1763840000.123, "stage": "filter", "model": "m", "endpoint": "", "attempt": 1, "queue_s": 0.0, ...}

Lines are collected and written whenever the journals are forced onto the disk; this file itself is not forced. So a
killed process loses the lines of its last moment, and the books do not rest on them. A run that goes on appends.
A line has about 250 bytes: 100 million calls make 25 GB, and `events: false` none.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from threading import Lock
from typing import BinaryIO, cast

import msgspec

from webscale_rl.engine.calls import Call

EVENTS_FILE = "events.jsonl"
_BLOCK = 1 << 16


class Event(msgspec.Struct):
    """One line: a Call, flat. Times of day are Unix seconds, durations are in seconds, both to the microsecond."""

    time: float
    stage: str
    model: str
    endpoint: str
    attempt: int
    queue_s: float
    latency_s: float
    outcome: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    reasoning_tokens: int


class EventLog:
    """Collects events in the event loop, and writes them where waiting for the disk harms nobody.

    Raises OSError when the disk does (ENOSPC: it is full); the next flush goes on where that one ended.
    """

    def __init__(self, path: Path) -> None:
        self._waiting: deque[Call] = deque()
        self._unwritten = memoryview(b"")
        self._encoder = msgspec.json.Encoder()
        self._lock = Lock()
        self._file = cast(BinaryIO, path.open("ab+", buffering=0))
        _cut_torn_line(self._file)

    def __call__(self, call: Call) -> None:
        """Take one event. An Observer."""
        self._waiting.append(call)

    def flush(self) -> None:
        """Write what was collected. May run in any thread."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write the rest and close the file."""
        with self._lock, self._file:
            self._write()

    def _write(self) -> None:
        if self._file.closed:
            return
        events = [_event(self._waiting.popleft()) for _ in range(len(self._waiting))]
        if events:
            self._unwritten = memoryview(bytes(self._unwritten) + self._encoder.encode_lines(events))
        while self._unwritten:  # a nearly full disk takes a part first, and says so on the next write
            self._unwritten = self._unwritten[self._file.write(self._unwritten) :]


def _event(call: Call) -> Event:
    usage = call.usage
    return Event(
        round(call.time, 6),
        call.stage,
        call.model,
        call.endpoint,
        call.attempt,
        round(call.queue_s, 6),
        round(call.latency_s, 6),
        call.outcome,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
    )


def _cut_torn_line(file: BinaryIO) -> None:
    """Cut what a crash tore: all that follows the last end of a line."""
    size = end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end < size:
        file.truncate(end)
