"""The live view of a run on stderr: redrawn on a terminal, a plain line now and then when piped."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from webscale_rl.engine.finish import summarise
from webscale_rl.engine.progress import Progress
from webscale_rl.report.text import dollars, funnel_lines

if TYPE_CHECKING:
    from rich.console import RenderableType

REDRAW_S = 0.5
PLAIN_LINE_S = 10.0


@contextmanager
def live(progress: Progress, stream: TextIO | None = None) -> Iterator[None]:
    """Show the progress as long as the context lasts."""
    stream = stream or sys.stderr
    if stream.isatty():
        from rich.console import Console
        from rich.live import Live

        with Live(
            get_renderable=lambda: _screen(progress), console=Console(file=stream), refresh_per_second=1 / REDRAW_S
        ):
            yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_lines, args=(progress, stream, done), name="live", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _lines(progress: Progress, stream: TextIO, done: threading.Event) -> None:
    while not done.wait(PLAIN_LINE_S):
        print(status_line(progress), file=stream, flush=True)


def status_line(progress: Progress) -> str:
    """One line: documents, pairs, calls, tokens, failures, and how long it may still take."""
    calls_s, documents_s = progress.rates()
    total = progress.tally.total("document")
    pairs = progress.tally.total("pair")
    fields = [
        f"{total.seen:,} documents",
        f"{pairs.kept:,} pairs",
        f"{calls_s:,.0f} calls/s" if progress.calls.answered else f"{documents_s:,.0f} documents/s",
    ]
    traffic = progress.traffic
    if progress.calls.answered or (traffic is not None and traffic.in_flight):
        fields.insert(2, f"{progress.calls.answered:,} calls")
        fields.append(f"{traffic.in_flight if traffic else 0} in flight")
        fields.append(f"{progress.calls.prompt_tokens:,} + {progress.calls.completion_tokens:,} tokens")
    if progress.calls.usd:
        fields.append(dollars(progress.calls.usd))
    if traffic is not None and traffic.retried:
        fields.append("retried: " + ", ".join(f"{kind} {count}" for kind, count in sorted(traffic.retried.items())))
    failures = progress.tally.failures()
    if failures:
        fields.append("failed: " + ", ".join(f"{kind} {count}" for kind, count in failures.items()))
    elapsed = time.monotonic() - progress.started
    fields.append(f"{_clock(elapsed)} elapsed")
    left = progress.seconds_left()
    if left is not None:
        fields.append(f"about {_clock(left)} left")
    return ", ".join(fields)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _screen(progress: Progress) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    books = summarise(progress.tally, progress.stages, progress.units, ())
    return Group(Text("\n".join(funnel_lines(books["funnel"])), no_wrap=True), Text(), Text(status_line(progress)))
