"""The command, kept warm: hundreds of tests run it, and each would import the same modules for a second.

One process imports what the command may need. For every call it forks a copy, which takes over the caller's files,
folder, environment and arguments, and runs to its own end. The caller stands in the place of the command: it ends as
the command did, and if it is killed the command is told to end.

Not for what an interpreter of its own is part of: kills and signals, memory, another hash seed, what is imported when.
Those tests start the command itself (`runs.fresh`, `runs.started`).
"""

from __future__ import annotations

import atexit
import functools
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

COPIES = Path(__file__).with_name("copies.py")


def command() -> list[str]:
    """What stands in the place of `webscale-rl` on a command line."""
    return _caller(folder())


@functools.cache
def folder() -> Path:
    """A folder for a PATH, with a `webscale-rl`. It and the process behind it end with this one."""
    made = tempfile.TemporaryDirectory(prefix="warm-")
    path = Path(made.name)
    waiting = [sys.executable, str(COPIES), str(path / "socket")]
    process = subprocess.Popen(waiting, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(made.cleanup)
    atexit.register(process.communicate)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", "it says above why it cannot start"
    script = path / "webscale-rl"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(_caller(path))} "$@"\n')
    script.chmod(0o755)
    return path


def _caller(folder: Path) -> list[str]:
    return [sys.executable, "-IS", str(COPIES), str(folder / "socket")]
