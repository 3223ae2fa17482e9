"""A judge for code that is not async: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Self, TypeVar

from webscale_rl.reward.judge import Judge, grade
from webscale_rl.reward.reference import GroundTruth
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.verdict import Verdict

T = TypeVar("T")


class BlockingJudge:
    """Grades from any thread, many at a time. `make` builds the judge when it is first needed, in the process that
    needs it: a process that was forked off has one of its own.

        with BlockingJudge(lambda: Judge.openai("MODEL")) as judge:
            verdicts = judge.grade_all([Rollout("It is Paris.", "Paris", "Capital of France?")])

    Raises what opening a judge raises: ConfigError, or BackendError if no server can be reached.
    """

    def __init__(self, make: Callable[[], Judge]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def grade(
        self,
        response: str,
        ground_truth: GroundTruth,
        question: str | None = None,
        answer_type: str | None = None,
        *,
        style: str | None = None,
    ) -> Verdict:
        """The same as `judge.grade`, waited for."""
        return self.grade_all([Rollout(response, ground_truth, question, answer_type)], style=style)[0]

    def grade_all(self, items: Iterable[Rollout], *, style: str | None = None) -> list[Verdict]:
        """The verdicts of all, in their order. Those that need the judge are under way together."""

        async def each() -> list[Verdict]:
            return await asyncio.gather(*(grade(*item, judge=self._judge, style=style) for item in items))

        self._open()
        return self._wait(each())

    def close(self) -> None:
        """Let calls in flight come home, and end the thread. The next use opens it again."""
        with self._lock:
            if self._loop is None:
                return
            self._wait(self._judge.__aexit__(None, None, None))
            self._end()

    def _open(self) -> None:
        with self._lock:
            if self._loop is not None and self._process == os.getpid():
                return
            self._process = os.getpid()  # threads are not forked along
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="judge", daemon=True)
            self._thread.start()
            try:
                self._judge = self._wait(self._opened())
            except BaseException:
                self._end()
                raise

    async def _opened(self) -> Judge:
        return await self._make().__aenter__()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = None
