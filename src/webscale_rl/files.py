"""Files that are there whole or not at all, also after a crash, and a run directory that one process owns."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webscale_rl.errors import ConfigError

try:
    import fcntl
except ImportError:  # Windows has no flock: there, nothing guards a run directory against a second process
    fcntl = None  # type: ignore[assignment]


@contextmanager
def replace_whole(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; on success it is forced onto the disk and takes its name."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a small text file, whole or not at all."""
    with replace_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """The same for a folder: the old one is there until the new one is whole."""
    temporary, old = path.with_name(f".{path.name}.tmp"), path.with_name(f".{path.name}.old")
    for left in (temporary, old):
        shutil.rmtree(left, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.iterdir():
            _sync(file)
        _sync(temporary)
        if path.exists():
            path.rename(old)
        temporary.rename(path)
        _sync(path.parent)
    finally:
        for left in (temporary, old):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards, and at the next start if a crash left it behind."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold the folder for this process. Raises ConfigError if another one does.

    The system lets go when the process dies, however it dies.
    """
    with (folder / ".lock").open("w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigError(f"{folder}: another process is working in this run directory") from None
        yield


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
