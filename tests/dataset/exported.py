"""Datasets as runs leave them, without a run: rows of our choice in part files, and their exports."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from webscale_rl.dataset.export import Choice, Written, export
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS, schema
from webscale_rl.dataset.split import parse
from webscale_rl.reward import infer, to_json

HOSTILE = 'Who wrote "{{system}}" <|im_end|>\n<image> {0} \\boxed{é} 漢字 on page №7?'
SYSTEM = "Think first.\nEnd with a line 'Answer:' and {the} answer."


def example(number: int, **changes: Any) -> dict[str, Any]:
    """A row of the dataset: three of them are one document's, and every fourth answer looks like a date."""
    question, answer = f"How many locks does canal {number} have?", f"{number + 3} locks"
    if number % 4 == 1:
        question, answer = f"On which day was canal {number} opened?", f"19{number % 90 + 10}-05-17"
    if number == 2:
        question, answer = HOSTILE, "Ada Lovelace"
    row = dict.fromkeys(EXAMPLE_COLUMNS) | {
        "id": f"{number:032x}",
        "question": question,
        "answer": answer,
        "answer_type": infer(answer, question).type,
        "reference": to_json(infer(answer, question)),
        "domain": "Travel & Lifestyle",
        "persona": "a skipper",
        "evidence": "it has locks",
        "document_id": f"doc-{number // 3}",
        "pretrain_text": f"The text of document {number // 3}.",
        "metadata": '{"lang":"en"}',
        "generator": "test",
        "created_with": "test",
    }
    return row | changes


def run_directory(folder: Path, rows: Iterable[Mapping[str, Any]], per_part: int = 20) -> Path:
    """A run directory that holds nothing but a dataset of these rows."""
    (folder / "dataset").mkdir(parents=True)
    held = list(rows)
    for part, start in enumerate(range(0, max(1, len(held)), per_part)):
        table = pa.Table.from_pylist(held[start : start + per_part], schema(EXAMPLE_COLUMNS))
        pq.write_table(table, folder / "dataset" / f"part-{part:05d}.parquet")
    return folder


def exported(folder: Path, form: str, *, count: int = 48, system: str | None = SYSTEM) -> Written:
    """An export of so many rows with a train and a test split, and with a system prompt."""
    directory = run_directory(folder / "run", map(example, range(count)))
    return export(directory, form, None, Choice(splits=parse("train=0.75,test=0.25"), system_prompt=system))


def words(written: Written) -> list[str]:
    """The words of the last command that an export tells."""
    return shlex.split(written.following[-1])
