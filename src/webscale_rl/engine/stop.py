"""How a run ends before its corpus does: cleanly, with one line that says why, and resumably."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

WRONG_USAGE = 2
RESUMABLE = 3
GRACE_S = 30.0
"""How long calls in flight may take to come home when the run stops. They are paid for; a cap waits for all of them."""


class Stopped(Exception):
    """Raised wherever new work would begin after the run was told to stop."""


class Stop:
    """Set once; every part of the run asks it before it begins something new. `code` is the command's exit code."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.code = 0
        self.grace_s: float | None = GRACE_S
        self._event = asyncio.Event()

    def request(self, reason: str, code: int = RESUMABLE, grace_s: float | None = GRACE_S) -> None:
        """Stop the run. The first reason is the one that is told. Calls in flight get `grace_s` seconds, None for all
        the time that they need."""
        if self.reason is None:
            self.reason, self.code, self.grace_s = reason, code, grace_s
            self._event.set()

    def check(self) -> None:
        """Raises Stopped if the run is to stop."""
        if self.reason is not None:
            raise Stopped(self.reason)

    async def wait(self) -> None:
        """Returns when the run is told to stop."""
        await self._event.wait()

    async def sleep(self, seconds: float) -> None:
        """Sleeps, or raises Stopped as soon as the run is to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        self.check()


@contextmanager
def signals(stop: Stop, then: str = "run again to go on") -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) stops the run resumably; the second ends the process at once. `then` tells what to
    do after it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        if stop.reason is not None:
            os._exit(RESUMABLE)  # at once: every answer so far stands in the journal
        stop.request(f"stopped by {number.name}; {then}", RESUMABLE)

    caught: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in caught:
            loop.add_signal_handler(number, on_signal, number)
    except NotImplementedError:  # Windows: Ctrl-C raises KeyboardInterrupt there, and the journal has it all
        yield
        return
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)
