"""The rows of DIR/rationales/dataset: a question, the way to its answer, and both as the messages of a chat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from webscale_rl.dataset import arrow
from webscale_rl.dataset.rows import schema
from webscale_rl.dataset.writer import kept_batches

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = {
    "id": "the pair's id in the run's dataset",
    "document_id": "the document's id in the corpus; all its pairs are held out",
    "question": "asked without the document",
    "answer": "the ground truth",
    "answer_type": "the kind of answer",
    "reference": "the ground truth as the reward reads it, as JSON",
    "domain": "the domain of the document",
    "source": "the document's source, if the corpus names one",
    "url": "the document's URL, if the corpus names one",
    "messages": "the question as the user's message, the rationale and a last line `Answer: ...` as the assistant's",
    "rationale": "the way to the answer, without that line",
    "generator": "backend and model that wrote it",
    "created_with": "name and version of the software",
}
"""The columns and what they mean, in their order."""
RATIONALE_COLUMNS = tuple(COLUMNS)
_OUTCOME = (
    *("document_id", "question", "answer", "answer_type", "reference", "domain", "evidence", "source", "url"),
    *("metadata", "created_with"),
)


def rationale_batches(shards: Sequence[Path], generator: str) -> Iterator[pa.RecordBatch]:
    """What was kept, in the order of the dataset. In the shards a question is the document, its id the document's, and
    the rationale the evidence; what the question's own row said stands in the metadata."""
    import pyarrow as pa

    kinds = schema(RATIONALE_COLUMNS)
    for _, batch in kept_batches(shards, _OUTCOME):
        rows = [_row(row, generator) for row in batch.to_pylist()]
        columns = [
            _messages(rows) if field.name == "messages" else arrow.column([row[field.name] for row in rows], field.type)
            for field in kinds
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=kinds)


def _row(outcome: Mapping[str, Any], generator: str) -> dict[str, Any]:
    asked = orjson.loads(outcome["metadata"])
    return {
        **outcome,
        "id": outcome["document_id"],
        "document_id": asked["document_id"],
        "answer": asked["answer"],
        "rationale": outcome["evidence"],
        "said": f"{outcome['evidence']}\n\nAnswer: {outcome['answer']}",
        "generator": generator,
    }


def _messages(rows: Sequence[Mapping[str, Any]]) -> pa.Array:
    """Two messages a row, made of buffers (see `arrow.py`)."""
    import pyarrow as pa

    roles = arrow.column(["user", "assistant"] * len(rows), pa.string())
    contents = arrow.column([text for row in rows for text in (row["question"], row["said"])], pa.string())
    messages = pa.StructArray.from_arrays([roles, contents], ["role", "content"])
    offsets = arrow.column(list(range(0, 2 * len(rows) + 1, 2)), pa.int32())
    return pa.ListArray.from_arrays(offsets, messages)


def card(told: Mapping[str, Any]) -> str:
    """The text of the dataset's README. It starts with the YAML that the hub and `datasets` read."""
    dropped = sum(told["dropped"].values())
    why = ", ".join(f"{word} {count:,}" for word, count in sorted(told["dropped"].items()))
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files: part-*.parquet",
        "task_categories:",
        "- question-answering",
        "tags:",
        "- chain-of-thought",
        "- synthetic",
        "- webscale-rl",
        "---",
        "",
        "# Rationales: questions with the way to their answers",
        "",
        f"{told['kept']:,} rationales by {told['generator']}, which was shown the answers, for {told['asked']:,}"
        f" questions of {told['documents']:,} documents. Data for a supervised warm-up before reinforcement learning.",
        "",
        f"- dropped: {dropped:,}" + (f" ({why})" if why else ""),
        "- kept: what ends in an answer that the reward takes for right. Whether the steps before it are true was not"
        " checked.",
        "- these documents are held out: leave their pairs out of reinforcement learning (`../held_out.parquet`).",
        *_by_rule(told["generator"]),
        "",
        "## Columns",
        "",
        "| column | meaning |",
        "|---|---|",
        *(f"| {name} | {meaning} |" for name, meaning in COLUMNS.items()),
        "",
    ]
    return "\n".join(lines)


def _by_rule(generator: str) -> list[str]:
    if generator != "extractive":
        return []
    return ["- written by rule: the sentence of the document that proves the answer, then the answer; no reasoning."]
