"""Worker processes that grade: what an event loop that serves others hands the rules' work to."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from typing import TYPE_CHECKING, Self

from webscale_rl.reward import references, rollout
from webscale_rl.reward.rollout import Rollout
from webscale_rl.reward.verdict import Verdict

if TYPE_CHECKING:
    from webscale_rl.reward.judge import Judge

ROWS_A_JOB = 64
"""Rows that a worker takes at once: 16 seconds if each took the 250 ms that none may take, 30 ms as they are."""
JOBS_A_WORKER = 4
"""Jobs handed to each worker ahead; more wait in the order of the event loop, so that requests share the workers."""

_FIRST = Rollout("The answer is 42.", "42")  # makes a worker load the rules, whatever it says


class BadTruth(ValueError):
    """A ground truth that cannot be read. `place` is its rollout's, from 0."""

    def __init__(self, place: int, message: str) -> None:
        super().__init__(place, message)  # both, for it comes from another process
        self.place, self.message = place, message


class Scorer:
    """Grades rollouts in worker processes, and by the judge what the rules cannot tell. An async context manager."""

    def __init__(self, workers: int, judge: Judge | None = None) -> None:
        self.scored = 0
        self.undecided = 0
        self.judge = judge
        self._workers = workers
        self._slots = asyncio.Semaphore(workers * JOBS_A_WORKER)
        self._pool = self._made()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the workers. Jobs that have not begun are dropped: nobody waits for them any more."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def warm(self) -> None:
        """Start the workers, so that the first row need not wait for them to load the rules."""
        await asyncio.gather(*(self._job(0, [_FIRST]) for _ in range(self._workers)))

    async def verdicts(self, rollouts: Sequence[Rollout]) -> list[Verdict]:
        """Verdicts in the rollouts' order. Raises BadTruth if one has a ground truth that is none, BrokenProcessPool if
        a worker died; the next call has new ones."""
        starts = range(0, len(rollouts), ROWS_A_JOB)
        jobs = [self._job(start, rollouts[start : start + ROWS_A_JOB]) for start in starts]
        decided = [verdict for job in await asyncio.gather(*jobs) for verdict in job]
        if self.judge is not None:
            truths, questions = [one.ground_truth for one in rollouts], [one.question for one in rollouts]
            decided = await asyncio.gather(*map(self.judge.second, decided, truths, questions))
        self.scored += len(decided)
        self.undecided += sum(verdict.score is None for verdict in decided)
        return decided

    async def _job(self, start: int, rollouts: Sequence[Rollout]) -> list[Verdict]:
        async with self._slots:
            pool = self._pool
            try:
                return await asyncio.get_running_loop().run_in_executor(pool, _decided, start, rollouts)
            except BrokenProcessPool:
                if self._pool is pool:
                    self._pool = self._made()
                raise

    def _made(self) -> ProcessPoolExecutor:
        # Spawned: a fork of a process with threads and a running loop may hang on a lock that nobody will release.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, mp_context=spawn, initializer=_begin_worker)


def _decided(start: int, rollouts: Sequence[Rollout]) -> list[Verdict]:
    """In a worker: the verdicts of a job, whose first rollout stands at `start`. Raises BadTruth."""
    for place, row in enumerate(rollouts, start):
        try:
            references(row.ground_truth, row.question or "", row.answer_type)
        except (ValueError, TypeError) as error:
            raise BadTruth(place, str(error)) from None
    return [rollout.decide(row) for row in rollouts]


def _begin_worker() -> None:
    """In a worker, at its start. A Ctrl-C reaches every process of a terminal: the server ends its workers itself, in
    order. A server that was killed cannot: they watch for its end, for nothing else would tell them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
