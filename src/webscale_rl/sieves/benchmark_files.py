"""The user's own benchmarks: files and folders of them, in the forms that benchmarks come in.

Rows (JSON Lines, Parquet), a whole JSON file (a list, or an object that holds one), or text, of which every paragraph
is an item. The question and the answer are found by the usual names of their columns; an answer that is the number or
the letter of an option becomes the option's text; of a worked solution in GSM8K's form, what follows "####" counts.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from webscale_rl.corpus.record import plain
from webscale_rl.errors import UserError
from webscale_rl.rowfiles import ENDINGS, Fault, source
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.contamination import FOLDER, packaged

QUESTION = ("question", "problem", "prompt", "query", "input", "text", "instruction")
ANSWER = ("answer", "answerKey", "target", "output", "expected_answer", "ground_truth", "solution")
TEXTS = (".txt", ".md", ".text")
INDEX = ".index"
MOST_JSON = 256 << 20
"""A JSON file that is no JSON Lines is in memory as a whole; one that is larger is refused."""


def benchmarks(named: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of these names: packaged ones, files, folders. Raises UserError for what is none of them."""
    found = []
    for name in named:
        path = Path(name)
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if _is_benchmark(file) and not _hidden(file, path)]
            if not files:
                raise UserError(f"{name}: no benchmark in this folder; known endings: {_known()}")
            found += [_read(file, str(file.relative_to(path))) for file in files]
        elif path.is_file():
            found.append(_read(path, path.name))
        elif name in packaged():
            found.append(Benchmark.load(FOLDER / f"{name}{INDEX}"))
        else:
            raise UserError(f"{name}: no such benchmark; name a file, a folder, or one of {', '.join(packaged())}")
    return found


def item(row: Mapping[str, Any]) -> tuple[str, str] | None:
    """The question and the answer of a row, or None if it has no question."""
    question = next((row[name] for name in QUESTION if isinstance(row.get(name), str)), None)
    if question is None:
        return None
    name = next((name for name in ANSWER if row.get(name) is not None), None)
    return question, "" if name is None else _answer(plain(row[name]), row)


def _answer(given: Any, row: Mapping[str, Any]) -> str:
    options: Any = row.get("choices", row.get("options"))
    labels: Any = None
    if isinstance(options, dict):
        options, labels = options.get("text"), options.get("label")
    if isinstance(options, list) and all(isinstance(option, str) for option in options):
        labels = labels if isinstance(labels, list) else "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(options)]
        at = given if isinstance(given, int) else next((at for at, one in enumerate(labels) if one == given), -1)
        if 0 <= at < len(options):
            return str(options[at])
    return str(given).rpartition("####")[2].strip() if isinstance(given, str | int | float) else ""


def _read(path: Path, name: str) -> Benchmark:
    if path.suffix == INDEX:
        return Benchmark.load(path)
    items = _paragraphs(path) if path.name.lower().endswith(TEXTS) else _rows(path)
    try:
        read = Benchmark.of(name, items)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error
    if not len(read.items):
        raise UserError(f"{path}: no question in it; it should have a column {', '.join(QUESTION)}")
    return read


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    whole = _whole_json(path)
    if whole is not None:
        rows: Iterator[Any] = iter(whole)
    else:
        file = source(str(path))
        rows = (row for chunk in file.chunks(file.columns()) for row in chunk.values)
    for row in rows:
        if isinstance(row, Fault):
            raise UserError(f"{path}: {row.word} ({row.detail}); mend the file")
        if isinstance(row, Mapping) and (found := item(row)) is not None:
            yield found


def _whole_json(path: Path) -> list[Any] | None:
    """The rows of a JSON file that is one value, or None if it is not such a file."""
    name = path.name.lower()
    if not name.endswith((".json", ".json.gz")):
        return None
    with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
        try:
            value = json.loads(file.read(MOST_JSON))
        except ValueError:
            return None
    if isinstance(value, dict) and item(value) is None:  # {"examples": [...]}
        value = next((part for part in value.values() if isinstance(part, list)), None)
    return value if isinstance(value, list) else None


def _paragraphs(path: Path) -> Iterator[tuple[str, str]]:
    held: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.strip():
                held.append(line)
            elif held:
                yield "".join(held), ""
                held = []
    if held:
        yield "".join(held), ""


def _is_benchmark(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith((*ENDINGS, *TEXTS, INDEX))


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _known() -> str:
    return ", ".join([".jsonl", ".json", ".parquet", *TEXTS, INDEX])
