"""How a training ends before its last step: after the step that is under way, with a checkpoint, resumably."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from webscale_rl.engine.stop import RESUMABLE
from webscale_rl.errors import RunStopped


class Interrupt:
    """Set by the first Ctrl-C or SIGTERM."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def check(self) -> None:
        """Raises RunStopped if the training is to stop."""
        if self.reason is not None:
            raise RunStopped(self.reason, RESUMABLE)


@contextmanager
def interrupts() -> Iterator[Interrupt]:
    """The first signal asks the training to stop, the second ends the process at once. Outside of the main thread no
    signal is caught."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def on_signal(number: int, _: FrameType | None) -> None:
        if interrupt.reason is not None:
            os._exit(RESUMABLE)  # at once: the last checkpoint is whole
        interrupt.reason = f"stopped by {signal.Signals(number).name}; run again to go on"

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
