"""What the benchmarks share: a corpus of any size from any documents, a command and its cost, the server's books."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True)
class Cost:
    """What a command took. `cpu_s` is of the process and its children, `peak_mb` the largest resident set seen."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def corpus(target: Path, sources: list[str], count: int, least: int = 2000, most: int = 4000) -> Path:
    """`count` documents of `least` to `most` characters with new ids, cut from the JSONL sources in turn."""
    texts = list(pieces(sources, least, most))
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8") as file:
        for number, text in zip(range(count), itertools.cycle(texts), strict=False):
            marked = f"Record {number}. {text}"  # no two documents are the same
            file.write(json.dumps({"id": f"d{number}", "text": marked}) + "\n")
    return target


def pieces(sources: list[str], least: int, most: int) -> Iterator[str]:
    """The texts of at least so many characters in the JSONL sources, cut to at most so many."""
    from webscale_rl.corpus import CorpusOptions, files, read
    from webscale_rl.types import Document

    options = CorpusOptions()
    for item in read(files(sources, options), options):
        if isinstance(item, Document) and len(item.text) >= least:
            yield item.text[:most]


def measured(command: list[str], **environment: str) -> Cost:
    """Run a command to its end. Raises CalledProcessError if it fails."""
    import os

    before = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
    )
    watched = psutil.Process(process.pid)
    peak = 0.0
    cpu = 0.0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak, cpu
        while not done.is_set():
            try:
                peak = max(peak, watched.memory_info().rss / 1e6)
                cpu = sum(watched.cpu_times()[:2])
            except psutil.Error:
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    output, _ = process.communicate()
    done.set()
    thread.join()
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Cost(time.monotonic() - before, cpu, peak, output)


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """The simulated server in a process of its own; gives its base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.llm_server", "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def stats(url: str, **query: float) -> dict[str, Any]:
    """The server's books."""
    root = url.removesuffix("/v1")
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    with urllib.request.urlopen(f"{root}/stats?{asked}") as answer:
        found: dict[str, Any] = json.load(answer)
    return found
