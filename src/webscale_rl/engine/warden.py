"""Keeps one server of a run, and ends it with all that it started when the run is gone, however that ended.

A program of its own that imports nothing of the package: `python warden.py GRACE_S COMMAND...`. Its stdin is a pipe of
which only the run holds the other end, so the end of file means that the run is done with the server, or was killed.
Then, and when the command ends by itself, the command's process group gets SIGTERM, and SIGKILL after the grace. The
exit code is the command's; 128 + N if signal N ended it; 127 if it could not be started.

Guards against `kill -9` of the run, of its process group and (on Linux, for the command itself) of this very process.
Does not reach processes that leave the command's process group, such as a daemon or a container.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
KILLED_WITHIN_S = 5.0
NOT_STARTED = 127
STDIN = 0


def main() -> int:
    """Run the command of the command line until it ends, or until the run is gone."""
    grace_s, command = float(sys.argv[1]), sys.argv[2:]
    told: list[int] = []
    woken = _signals(told)
    tie = _kernel_ties()
    try:
        # No thread runs here, so what preexec_fn does between fork and exec is safe.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=tie)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: cannot be started: {error.strerror}\n")
        return NOT_STARTED
    while process.poll() is None and not told:
        ready, _, _ = select.select([STDIN, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        if STDIN in ready and not os.read(STDIN, 4096):
            break
    _end(process, grace_s)
    code = process.returncode
    return 128 - code if code is not None and code < 0 else code or 0


def _signals(told: list[int]) -> int:
    """Lets a signal wake `select`: the end of the command, or one that asks this process to end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: told.append(number))
    return reading


def _kernel_ties() -> Callable[[], None] | None:
    """On Linux: orphans of the command come here to be reaped, and the command dies with this process."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return die_with_parent


def _end(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """SIGTERM to the whole process group, SIGKILL to what is left of it after the grace."""
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILLED_WITHIN_S)):
        if not _signalled(process.pid, number):
            return
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            process.poll()
            _reap(process.pid)
            if not _signalled(process.pid, 0):
                return
            time.sleep(0.02)


def _reap(group: int) -> None:
    """Lets those of the group that ended vanish: one that nobody waited for still counts as a member."""
    with suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            continue


def _signalled(group: int, number: int) -> bool:
    """Whether the group had a member to take the signal; 0 only asks."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the second of members that ended
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
