"""What tests of whole runs share: a small corpus, a configuration, the real command, and the digest of a dataset."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import warm
from webscale_rl import Run

COMMAND = [sys.executable, "-m", "webscale_rl.cli"]
FACTS = (
    "The river Orle rises at {n} metres above the sea on the northern slope of Mount Teval. "
    "It flows for {m} kilometres through three valleys before it reaches the lake of Sund. "
    "The bridge at Karsk was built in 19{y:02d} by the engineer Anna Holm from local granite. "
    "Its longest span measures {s} metres, and the deck carries two lanes and a footpath. "
    "Floods in spring raise the water by {f} metres on average, which closes the lower road. "
)


def documents(count: int) -> list[dict[str, str]]:
    """Documents of about 70 words that pass all rules, no two of them the same."""
    return [
        {
            "id": f"doc-{i}",
            "text": FACTS.format(n=1000 + i, m=40 + i, y=i % 100, s=20 + i, f=1 + i % 7)
            + f"Gauge number {i} has stood beside the bridge since the survey and is read every hour.",
        }
        for i in range(count)
    ]


def corpus(folder: Path, count: int, name: str = "corpus.jsonl") -> Path:
    """The same as a file."""
    path = folder / name
    path.write_text("".join(json.dumps(document) + "\n" for document in documents(count)), encoding="utf-8")
    return path


def configured(inputs: Path | str, out: Path, url: str = "", **changes: Any) -> Run:
    """A Run against the server at `url`, or with the embedded backend; quick to retry."""
    values: dict[str, Any] = {
        "inputs": [str(inputs)],
        "out": str(out),
        "traffic": {"concurrency": 8, "backoff_s": 0.01, "max_backoff_s": 0.05} | changes.pop("traffic", {}),
    }
    if url:
        values["backend"] = {"use": "openai", "base_urls": [url], "model": "m"} | changes.pop("backend", {})
    return Run.make(values | changes)


def command(*arguments: str | Path, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end, in a warm process."""
    return _to_its_end([*warm.command(), *map(str, arguments)], timeout, environment)


def fresh(*arguments: str | Path, timeout: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same in an interpreter of its own."""
    return _to_its_end([*COMMAND, *map(str, arguments)], timeout, environment)


def _to_its_end(command: list[str], timeout: float, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **environment},
        check=False,
    )


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    """The command, running, in an interpreter of its own."""
    return subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def digest(run: Path) -> str:
    """A digest of all bytes of a run's dataset and of what it dropped."""
    found = hashlib.sha256()
    for folder in ("dataset", "dropped"):
        for path in sorted((run / folder).iterdir()):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()
