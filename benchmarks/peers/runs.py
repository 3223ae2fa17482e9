"""A run of a tool against the simulated server: what it took, whom it paid twice, what it lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.llm_server.books import ANSWERED, Entry

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Run:
    """What a command took, all its processes together. `peak_mb` counts shared pages once (PSS). `returncode` is None
    if it was killed for taking too long."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    returncode: int | None


class Tree:
    """A command in a process group of its own, with its costs sampled."""

    def __init__(self, command: list[str], log: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OPENAI_API_KEY": "none"}
        self._log = log.open("ab")
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, env=environment, cwd=ROOT, start_new_session=True
        )
        self._cpu: dict[int, float] = {}
        self._peak_mb = 0.0
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=target) for target in (self._wait, self._sample)]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return not self._ended.is_set()

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def end(self, limit_s: float) -> Run:
        """Wait for its end; after `limit_s` seconds since its start, kill it."""
        timed_out = not self._ended.wait(max(0.0, self._began + limit_s - time.monotonic()))
        if timed_out:
            self.kill()
        for thread in self._threads:
            thread.join()
        self._log.close()
        code = None if timed_out else self._process.returncode
        return Run(self._wall_s, max(self._reaped_s, sum(self._cpu.values())), self._peak_mb, code)

    def _wait(self) -> None:
        # Not Popen.wait: the system's books of a process and its children are exact, but only when it is reaped
        _, status, usage = os.wait4(self._process.pid, 0)
        self._wall_s = time.monotonic() - self._began
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._reaped_s = usage.ru_utime + usage.ru_stime
        self._ended.set()

    def _sample(self) -> None:
        root = psutil.Process(self._process.pid)
        while not self._ended.wait(0.02):
            peak = 0.0
            try:
                processes = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            for process in processes:
                try:
                    self._cpu[process.pid] = sum(process.cpu_times()[:2])
                    peak += process.memory_full_info().pss / 1e6
                except psutil.Error:
                    continue
            self._peak_mb = max(self._peak_mb, peak)
            self._ended.wait(0.08)


def books(log: Path) -> list[Entry]:
    """The server's log."""
    if not log.exists():
        return []
    return [Entry(**json.loads(line)) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def paid(entries: list[Entry]) -> Counter[str]:
    """How often each question was paid: answered, or in service when its client was killed, which providers bill."""
    return Counter(e.call for e in entries if e.outcome in ANSWERED or (e.outcome == "hung up" and e.started))


def paid_twice(entries: list[Entry], whole: list[Entry]) -> int:
    """Questions that were paid more often than in a run that nobody killed."""
    once = paid(whole)
    return sum(max(0, count - max(1, once[call])) for call, count in paid(entries).items())


def killed_at_half(start: Callable[[], Tree], log: Path, half: int, limit_s: float) -> tuple[Run, int]:
    """Start, kill when `half` calls were answered, start again: the second run, and the calls in service then."""
    tree = start()
    limit = time.monotonic() + limit_s
    while tree.running and time.monotonic() < limit and _lines(log) < half:
        time.sleep(0.1)
    if not tree.running:
        raise RuntimeError("it ended before it could be killed")
    tree.kill()
    tree.end(limit_s)
    time.sleep(1.0)  # until the server has seen all connections close
    in_service = sum(1 for entry in books(log) if entry.outcome == "hung up" and entry.started)
    return start().end(limit_s), in_service


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def documents_lost(pairs: list[dict[str, str]], expected: list[dict[str, str]]) -> int:
    """Documents of which a pair is missing that a run without faults kept."""
    found = Counter((pair["id"], pair["persona"]) for pair in pairs)
    wanted = Counter((pair["id"], pair["persona"]) for pair in expected)
    return len({document for document, _ in wanted - found})
