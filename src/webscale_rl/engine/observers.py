"""Who watches the calls of a run: events.jsonl and the metrics' port, each if the configuration wants it."""

from __future__ import annotations

from contextlib import AsyncExitStack, nullcontext, suppress
from pathlib import Path
from typing import Self

from webscale_rl.config import Run
from webscale_rl.engine.calls import Observer
from webscale_rl.engine.events import EVENTS_FILE, EventLog
from webscale_rl.engine.metrics import CallCounters, MetricsServer, RunCollector
from webscale_rl.engine.progress import Progress


class Observers:
    """Open from before the first call until after the last; `all` holds them meanwhile.

    `folder` is None for a run whose calls cost nothing: as of its answers, nothing is written down of them.
    """

    def __init__(self, run: Run, folder: Path | None, progress: Progress) -> None:
        self._metrics = run.metrics
        self._path = folder / EVENTS_FILE if folder is not None and run.events else None
        self._progress = progress
        self._events: EventLog | None = None
        self.all: list[Observer] = []
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open them. Raises ConfigError if the metrics' port is taken, OSError if events.jsonl cannot be written."""
        async with AsyncExitStack() as opened:
            if self._metrics.port is not None:
                counters = CallCounters()
                self.all.append(counters)
                collector = RunCollector(counters, self._progress)
                await opened.enter_async_context(MetricsServer(self._metrics, collector))
            if self._path is not None:
                self._events = EventLog(self._path)
                self.all.append(self._events)
                opened.callback(self._events.close)
            self._open = opened.pop_all()
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Close them. Raises OSError if the last events cannot be written, unless something else was raised already:
        that is what is told, and a full disk may have been the reason."""
        with suppress(OSError) if error is not None else nullcontext():
            await self._open.aclose()

    def flush(self) -> None:
        """Write down what waits to be written. May run in a thread. Raises OSError, as the disk does."""
        if self._events is not None:
            self._events.flush()
