"""Processes that share tasks: each has one core, does one task after the other, and ends with the process that it works
for, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for
from typing import NamedTuple

from webscale_rl.engine.stop import RESUMABLE
from webscale_rl.errors import RunStopped, TrainingError, UserError
from webscale_rl.experiment.jobs import Laboratory, Task, perform
from webscale_rl.training.stop import interrupts

_LOOK_S = 0.5
"""How long a signal waits, at most, until it is seen."""


class End(NamedTuple):
    """How a task ended: `code` is None if it was done, else the exit code of what `said` says."""

    said: str = ""
    code: int | None = None


def shared(laboratory: Laboratory, tasks: Sequence[Task], processes: int, tell: Callable[[str], None]) -> None:
    """Do all tasks that are not done. Raises TrainingError at the first that cannot be done, which it names, and
    RunStopped after a signal; the others are left as they are, to go on with."""
    left = [task for task in tasks if not laboratory.done(task)]
    if len(left) < len(tasks):
        tell(f"{len(tasks) - len(left)} of {len(tasks)} are done already")
    if not left:
        return
    with interrupts() as interrupt, _pool(min(processes, len(left)), laboratory.device) as pool:
        waiting: dict[Future[End], Task] = {pool.submit(_do, laboratory, task): task for task in left}
        while waiting:
            done, _ = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
            interrupt.check()
            for future in done:
                task = waiting.pop(future)
                _look(task, future)
                tell(f"{len(left) - len(waiting)} of {len(left)}: {task.label}")


def _look(task: Task, future: Future[End]) -> None:
    try:
        end = future.result()
    except BrokenProcessPool:
        raise RunStopped(
            f"{task.label}: its process was killed (out of memory?); run again to go on", RESUMABLE
        ) from None
    if end.code == RESUMABLE:
        raise RunStopped(end.said, RESUMABLE)
    if end.code is not None:
        raise TrainingError(f"{task.label}: {end.said}")


def _do(laboratory: Laboratory, task: Task) -> End:
    """In the worker. An error for people comes back as words: not all of them can be pickled."""
    try:
        perform(laboratory, task)
    except RunStopped as stopped:
        return End(str(stopped), stopped.code)
    except UserError as error:
        return End(str(error), 2)
    return End()


@contextmanager
def _pool(processes: int, device: str) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(device,)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in list((pool._processes or {}).values()):
                worker.terminate()


def _begin(device: str) -> None:
    """In the worker, before torch is imported: small matrices are slower on several threads."""
    if device != "cuda":
        os.environ["OMP_NUM_THREADS"] = "1"
    os.environ |= {"TQDM_DISABLE": "1", "TRANSFORMERS_VERBOSITY": "error"}  # a bar for each of a hundred models
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the parent says when to end
    parent = multiprocessing.parent_process()
    assert parent is not None  # a worker has one
    threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    """End this process with its parent. A task leaves nothing half: what is done is in files that are written whole."""
    wait_for([sentinel])
    os._exit(RESUMABLE)
