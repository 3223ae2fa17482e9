"""The columns of our Parquet files, and how an outcome becomes a row.

shards/     every record's outcome: OUTCOME columns
dataset/    the examples that were kept: EXAMPLE columns
dropped/    what was dropped, and why: DROPPED columns
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from webscale_rl import __version__
from webscale_rl.pipeline import Outcome
from webscale_rl.tally import END_DROPPED, END_FAILED, END_KEPT
from webscale_rl.types import Brief, Document, Drop, Example, Failure, Pair, content_id

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLE_COLUMNS = Example.__struct_fields__
DROPPED_COLUMNS = (
    "stage",
    "reason",
    "detail",
    "document_id",
    "source",
    "url",
    "domain",
    "persona",
    "question",
    "answer",
)
OUTCOME_COLUMNS = ("ordinal", "unit", "end", "stage", "reason", "detail", *EXAMPLE_COLUMNS)
CREATED_WITH = f"webscale-rl {__version__}"


def schema(columns: tuple[str, ...]) -> pa.Schema:
    """The Arrow schema of these columns; all but the ordinal, the difficulty and messages of a chat are strings."""
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    kinds = {"ordinal": pa.int64(), "difficulty": pa.float64(), "messages": pa.list_(message)}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in columns])


def outcome_row(ordinal: int, outcome: Outcome, labels: tuple[str, str | None], pretrain_text: bool) -> dict[str, Any]:
    """One row of shards/. `labels` name the generator and the checker of the run."""
    record, end = outcome.record, outcome.end
    row: dict[str, Any] = {"ordinal": ordinal, "unit": outcome.unit, "end": END_KEPT}
    if isinstance(end, Drop):
        row |= {"end": END_DROPPED, "stage": end.stage, "reason": end.reason, "detail": end.detail}
    elif isinstance(end, Failure):
        row |= {"end": END_FAILED, "stage": end.stage, "reason": end.error, "detail": end.detail}
    document = record if isinstance(record, Document) else record.document if isinstance(record, Brief) else None
    if isinstance(record, Pair):
        row |= pair_row(record)
        document = record.brief.document
    elif isinstance(record, Brief):
        row |= {"domain": record.domain, "persona": record.persona}
    assert document is not None  # every record holds its document
    row |= {"document_id": document.id, "source": document.source, "url": document.url}
    if isinstance(record, Pair) and end is None:
        row |= {
            "pretrain_text": document.text if pretrain_text else None,
            "metadata": orjson.dumps(dict(document.metadata), option=orjson.OPT_SORT_KEYS, default=str).decode(),
            "generator": labels[0],
            "checker": labels[1],
            "created_with": CREATED_WITH,
        }
    return row


def pair_row(pair: Pair) -> dict[str, Any]:
    """The columns that a pair fills. Its id is of its content: the same in every run."""
    return {
        "id": content_id(pair.brief.document.id, pair.brief.persona, pair.question, pair.answer),
        "question": pair.question,
        "answer": pair.answer,
        "answer_type": pair.answer_type,
        "reference": pair.reference,
        "domain": pair.brief.domain,
        "persona": pair.brief.persona,
        "evidence": pair.evidence,
    }
