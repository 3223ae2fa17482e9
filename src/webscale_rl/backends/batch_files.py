"""Batch files without a network: requests are written, someone answers them, the next run reads the results.

DIR/00007-filter-000.requests.jsonl    written here; SHARD-STAGE-NNN
DIR/00007-filter-000.results.jsonl     written by `vllm run-batch`, or whatever else takes OpenAI's format
"""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import msgspec

from webscale_rl.backend import Interrupted, Postponed
from webscale_rl.backends.batch_lines import Results
from webscale_rl.backends.batch_state import ASKED, Ledger, Record
from webscale_rl.errors import ConfigError
from webscale_rl.files import replace_whole, write_text

REQUESTS, RESULTS = ".requests.jsonl", ".results.jsonl"
INTENT = ".intent"
LINES_TOLD = 8


class BatchFiles:
    """The file side of the batch backend: `folder` holds its files, the run directory what is known of them."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._waiting: dict[str, str] = {}

    def open(self) -> None:
        """Make the folder. Raises ConfigError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self._folder}: cannot hold batch files ({error.strerror}); choose another") from error
        for intent in self._ledger.folder.glob(f"*{INTENT}"):  # a crash, while the file was written
            if not intent.with_suffix(".json").exists():
                (self._folder / f"{intent.stem}{REQUESTS}").unlink(missing_ok=True)
            intent.unlink()

    def is_taken(self, name: str) -> bool:
        """Whether files of that name stand in the folder: an earlier batch's, or another run's."""
        return any((self._folder / f"{name}{ending}").exists() for ending in (REQUESTS, RESULTS))

    async def send(self, record: Record, content: bytes) -> None:
        """Write the requests down: the intent, the file, the record. Raises OSError if the disk does."""
        intent = self._ledger.folder / f"{record.name}{INTENT}"
        write_text(intent, "")
        await asyncio.to_thread(_write, self._path(record, REQUESTS), content)
        self._ledger.write(msgspec.structs.replace(record, status=ASKED))
        intent.unlink()

    async def results(self, record: Record) -> Results:
        """The results of a file, also of a part of it. Raises Postponed if there are none yet."""
        if record.batch_id:
            raise Interrupted(f"batch {record.batch_id} was submitted to a server; run without --batch-dir to have it")
        path = self._path(record, RESULTS)
        if not path.exists():
            self._waiting[record.name] = record.model
            raise Postponed(str(path))
        return await asyncio.to_thread(Results, [path], set(record.ids))

    def forget(self, record: Record) -> None:
        """All results of a file stand in the run directory: its requests can go. Results are not ours to remove."""
        self._path(record, REQUESTS).unlink(missing_ok=True)

    def outstanding(self) -> str:
        """The commands that answer the files which wait: a line each, or, of many, a loop for each model."""
        count = len(self._waiting)
        files = "1 file of requests waits" if count == 1 else f"{count:,} files of requests wait"
        told = f"{files} in {self._folder}; answer them, then run again. With vLLM:"
        if count <= LINES_TOLD:
            lines = [
                f"vllm run-batch -i {_quoted(self._folder / (name + REQUESTS))}"
                f" -o {_quoted(self._folder / (name + RESULTS))} --model {shlex.quote(model)}"
                for name, model in sorted(self._waiting.items())
            ]
        else:
            stages = sorted({(_stage(name), model) for name, model in self._waiting.items()})
            lines = [
                f'for f in {_quoted(self._folder)}/*-{stage}-*{REQUESTS}; do o="${{f%{REQUESTS}}}{RESULTS}";'
                f' [ -e "$o" ] || vllm run-batch -i "$f" -o "$o" --model {shlex.quote(model)}; done'
                for stage, model in stages
            ]
        return "\n".join([told, *(f"  {line}" for line in lines)])

    def _path(self, record: Record, ending: str) -> Path:
        return self._folder / f"{record.name}{ending}"


def _write(path: Path, content: bytes) -> None:
    with replace_whole(path) as temporary:
        temporary.write_bytes(content)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _stage(name: str) -> str:
    """The stage in the name of a file, SHARD-STAGE-NNN."""
    return re.sub(r"^[^-]*-|-\d+$", "", name)
