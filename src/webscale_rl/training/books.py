"""The books of a training: what was counted, one line of metrics a step, and which checkpoints are whole.

metrics.jsonl             one line for every logged step
checkpoints/checkpoint-N  a checkpoint of transformers' Trainer
checkpoints/checkpoint-N/counts.json   written last: without it the checkpoint is not whole
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import orjson

from webscale_rl.files import write_text

METRICS_FILE = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
COUNTS_FILE = "counts.json"

Watch = Callable[[Mapping[str, Any]], None]
"""Told every line of the metrics, and every note as {"note": text}."""


class Counts(msgspec.Struct):
    """What the training did so far, checkpoint by checkpoint: steps that a kill undid are not in it."""

    step: int = 0
    trained: int = 0
    rollout: int = 0
    judged: int = 0
    usd: float | None = 0.0
    seconds: float = 0.0


class Books:
    """Keeps counts and metrics of one run directory."""

    def __init__(self, folder: Path, watch: Watch | None) -> None:
        self._folder = folder
        self._watch = watch
        self.checkpoint = _last_whole(folder / CHECKPOINTS)
        self.counts = Counts()
        if self.checkpoint is not None:
            self.counts = msgspec.json.decode((self.checkpoint / COUNTS_FILE).read_bytes(), type=Counts)
        self._began = time.monotonic() - self.counts.seconds
        _cut(folder / METRICS_FILE, self.counts.step)

    @property
    def metrics(self) -> Path:
        """The file of metrics."""
        return self._folder / METRICS_FILE

    def note(self, text: str) -> None:
        """Tell people something that is no error."""
        self._write({"step": self.counts.step, "note": text})

    def log(self, step: int, values: Mapping[str, Any]) -> None:
        """Write the metrics of a step."""
        told = {name: _number(value) for name, value in values.items()}
        self._write(
            {"step": step, **told, "trained_tokens": self.counts.trained, "rollout_tokens": self.counts.rollout}
        )

    def mark(self, step: int) -> None:
        """The checkpoint of this step is written: say that it is whole, and let go of those before it."""
        self.reckon(step)
        folder = self._folder / CHECKPOINTS
        whole = folder / f"checkpoint-{step}"
        write_text(whole / COUNTS_FILE, msgspec.json.encode(self.counts).decode())
        for other in folder.glob("checkpoint-*"):
            if other != whole:
                shutil.rmtree(other, ignore_errors=True)

    def reckon(self, step: int) -> None:
        """Bring the counts up to this step."""
        self.counts.step = step
        self.counts.seconds = time.monotonic() - self._began

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._watch is not None:
            self._watch(line)
        with self.metrics.open("ab") as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a file of metrics."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _last_whole(folder: Path) -> Path | None:
    """The last checkpoint that was written to its end; what is left of others is removed."""
    found: Path | None = None
    for path in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2])):
        if (path / COUNTS_FILE).exists():
            found = path
        else:
            shutil.rmtree(path)
    return found


def _cut(path: Path, step: int) -> None:
    """Take out of the metrics what came after the checkpoint: it is done again."""
    if not path.exists():
        return
    lines = [line for line in path.read_bytes().splitlines() if _step(line) <= step]
    write_text(path, b"".join(line + b"\n" for line in lines if step).decode())


def _step(line: bytes) -> float:
    try:
        return float(orjson.loads(line)["step"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return math.inf  # a line that a kill cut short


def _number(value: Any) -> Any:
    """The value as JSON has it: no NaN, no numpy."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return value if isinstance(value, (bool, str)) else None
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if isinstance(value, int) else number
