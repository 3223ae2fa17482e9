"""Documents, pairs and stages for the tests of the pure parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from webscale_rl import registry
from webscale_rl.dataset.rows import OUTCOME_COLUMNS, outcome_row, schema
from webscale_rl.domains import Taxonomy
from webscale_rl.pipeline import AnyStage, Outcome
from webscale_rl.stage import Context
from webscale_rl.types import Brief, Document, Drop, Failure, Pair

TAXONOMY = Taxonomy.load()
TEXT = (
    "The Eiffel Tower was designed by the company of Gustave Eiffel and built from 1887 to 1889 as the entrance to"
    " the 1889 World's Fair. It is 330 metres tall, about as high as a building of 81 storeys, and was the tallest"
    " structure in the world until the Chrysler Building in New York was finished in 1930."
)


def document(text: str = TEXT, **fields: Any) -> Document:
    return Document(**({"id": "d1", "text": text} | fields))


def brief(persona: str = "an architect", **fields: Any) -> Brief:
    return Brief(document(**fields), "Technology & Engineering", persona)


def pair(**fields: Any) -> Pair:
    """A good pair about TEXT, but for the given fields."""
    values = {
        "brief": brief(),
        "question": "How tall is the Eiffel Tower in Paris?",
        "answer": "330 metres",
        "answer_type": "quantity",
        "evidence": "It is 330 metres tall",
    }
    return Pair(**(values | fields))


def stage(name: str, **options: Any) -> AnyStage:
    kind = registry.load("stages", name, "takes")
    built: AnyStage = kind(kind.Options(**options), Context(TAXONOMY))
    return built


def reason(decision: Any) -> str:
    """The reason of a Drop, or "kept"."""
    return decision.reason if isinstance(decision, Drop) else "kept"


def shard(path: Path, outcomes: Sequence[tuple[int, Outcome]], *, pretrain_text: bool = True) -> Path:
    """A finished shard that holds these outcomes."""
    rows = [outcome_row(ordinal, outcome, ("test", "test"), pretrain_text) for ordinal, outcome in outcomes]
    pq.write_table(pa.Table.from_pylist(rows, schema(OUTCOME_COLUMNS)), path)
    return path


def kept(question: str, answer: str = "330 metres", **fields: Any) -> Outcome:
    return Outcome("pair", pair(question=question, answer=answer, **fields), None)


def ended(end: Drop | Failure, record: Document | Brief | Pair | None = None) -> Outcome:
    record = document() if record is None else record
    return Outcome("document" if isinstance(record, Document) else "pair", record, end)
