"""Backends that answer the refining stages as a function says, for tests of whole runs; and what such a run wrote."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import pyarrow.parquet as pq

from webscale_rl.backend import Reply, Request, Usage
from webscale_rl.backends.openai import OpenAI

QUICK = {"traffic": {"concurrency": 8, "backoff_s": 0.01, "max_backoff_s": 0.05}}
CRITERIA = ("writing_style", "required_expertise", "facts_and_trivia", "educational_value")


class Judge:
    """Answers by a function of the request's stage and slots, whose result is sent as JSON."""

    name: ClassVar[str] = "judge"
    paid: ClassVar[bool] = True
    Options: ClassVar[Any] = OpenAI.Options

    def __init__(self, says: Callable[[str, Mapping[str, str]], Any]) -> None:
        self._says = says
        self.asked: list[Request] = []

    async def reply(self, request: Request) -> Reply:
        self.asked.append(request)
        told = self._says(request.stage, request.slots)
        text = told if isinstance(told, str) else json.dumps(told)
        return Reply(text, usage=Usage(100, 10))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def program(*calls: Mapping[str, Any]) -> dict[str, Any]:
    """A program as a model writes it; what a call leaves out is 0 or empty."""
    return {"program": [{"start": 0, "end": 0, "source": "", "target": "", **call} for call in calls]}


def remove(start: int, end: int) -> dict[str, Any]:
    return {"call": "remove_lines", "start": start, "end": end}


KEEP_ALL = {"call": "keep_all"}


def better(is_first: Callable[[str, str], bool]) -> Callable[[str, Mapping[str, str]], Any]:
    """A judge of two texts for whom all criteria are one."""
    return lambda stage, slots: dict.fromkeys(CRITERIA, "A" if is_first(slots["text_a"], slots["text_b"]) else "B")


def rows(folder: Path) -> list[dict[str, Any]]:
    """All rows of a folder of Parquet files, in order."""
    return [row for path in sorted(folder.glob("part-*.parquet")) for row in pq.read_table(path).to_pylist()]


def written(run: Path) -> str:
    """A digest of all bytes of what a refining run wrote for others to read."""
    found = hashlib.sha256()
    for folder in ("refined", "dropped", "failed"):
        for path in sorted((run / folder).iterdir()):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def corpus(folder: Path, texts: Mapping[str, str], name: str = "corpus.jsonl") -> Path:
    """A file of documents by their ids."""
    path = folder / name
    documents = [
        {"id": id, "text": text, "url": f"https://example.org/{id}", "kind": "note"} for id, text in texts.items()
    ]
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path
