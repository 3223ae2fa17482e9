"""What a command that runs the engine sets for its process."""

from __future__ import annotations

import ctypes
import gc
import os
import sys


def tune_process() -> None:
    """What a command may set for its process, and a library must not for its caller's: first of all that it does."""
    # Calls make many short-lived objects and hardly a cycle: rarer collections save a fifth of the client's CPU time.
    gc.set_threshold(10_000, 50, 100)
    _give_memory_back()
    _import_numpy_alone()
    import pyarrow as pa

    # Arrow's own allocators keep what they were given once: 80 MB more at the peak.
    pa.set_memory_pool(pa.system_memory_pool())


def _import_numpy_alone() -> None:
    """Without the threads of its BLAS, which nothing here multiplies with: they spin for 70 ms, each in a core."""
    name = "OPENBLAS_NUM_THREADS"
    if name in os.environ:
        return
    os.environ[name] = "1"
    import numpy  # noqa: F401

    del os.environ[name]  # not for the servers that this process starts


def _give_memory_back() -> None:
    """Large buffers go back to the system when they are freed, and threads share one heap: 15 MB less at the peak.

    By default glibc learns to keep ever larger ones, and gives each thread a heap of its own. The numbers are those of
    its malloc.h. Elsewhere than on glibc nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        trim_threshold, mmap_threshold, arena_max = -1, -3, -8
        for parameter, value in ((mmap_threshold, 128 << 10), (trim_threshold, 128 << 10), (arena_max, 1)):
            mallopt(parameter, value)


def show_messages() -> None:
    """What the package logs (a server that loads its model, a replica that died) goes to stderr, a line each."""
    import logging

    class ToStderr(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(
                f"webscale-rl: {record.getMessage()}", file=sys.stderr, flush=True
            )  # above the live view, if there is one

    logger = logging.getLogger("webscale_rl")
    logger.addHandler(ToStderr())
    logger.setLevel(logging.INFO)
