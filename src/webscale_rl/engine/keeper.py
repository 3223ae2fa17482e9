"""Group commit: a thread of its own forces all journals onto the disk, and looks whether the disk is filling up.

Not a task of the event loop: waking the loop to start a thread and again to hear of its end took more of a call's CPU
time than the journal does.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from webscale_rl.engine.stop import Stop

SYNC_EVERY_S = 0.05
LOOK_EVERY = 10
"""Room on the disk is looked at every so many syncs."""


class Keeper:
    """Calls `sync` every 50 ms, from inside an `async with` until it ends. Stops the run, resumably, when the disk
    cannot take more or has less than `least_free` bytes left."""

    def __init__(self, folder: Path, least_free: int, sync: Callable[[], None], stop: Stop) -> None:
        self._folder = folder
        self._least_free = least_free
        self._sync = sync
        self._stop = stop
        self._ended = Event()
        self._thread = Thread(target=self._keep, name="keeper", daemon=True)

    async def __aenter__(self) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        """End, after the sync that is under way. What was appended since is not forced onto the disk."""
        self._ended.set()
        await asyncio.to_thread(self._thread.join)

    def _keep(self) -> None:
        looks = 0
        try:
            while True:
                self._sync()
                if looks % LOOK_EVERY == 0 and (why := self._filling_up()):
                    self._request(why)
                    return
                looks += 1
                if self._ended.wait(SYNC_EVERY_S):
                    return
        except OSError as error:
            self._request(f"cannot write to {self._folder} ({error.strerror}); make room and run again")

    def _filling_up(self) -> str:
        free = shutil.disk_usage(self._folder).free
        if free >= self._least_free:
            return ""
        return (
            f"{self._folder}: the disk has {free >> 20} MB left, min_free_disk_mb is {self._least_free >> 20};"
            " make room and run again"
        )

    def _request(self, why: str) -> None:
        self._loop.call_soon_threadsafe(self._stop.request, why)
