"""Cuts a document into the pieces that a model is asked about one by one, and says how their ends make the document's.

A piece is a Brief whose persona is its number. It ends as a Pair that holds what became of it, as a Drop, or as a
Failure; of these the document is made again (`joined`), so that none is written with a hole that nobody decided on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import orjson
from pydantic import Field

from webscale_rl.refine.pieces import cut
from webscale_rl.stage import PromptedOptions, Stage, StageOptions
from webscale_rl.tally import END_DROPPED, END_FAILED
from webscale_rl.types import Brief, Document, Drop, Failure, Pair

NOTHING_LEFT = "nothing_left"
REFINED = "refined"
"""The last line of the books: what becomes of documents when their pieces are put together."""


class ChunksOptions(StageOptions):
    """How long a piece is."""

    max_tokens: int = Field(1500, ge=16, description="most tokens of a piece, by estimate (ProX: 1500)")


class Chunks(Stage[Document, None, Brief]):
    """Cuts a document into pieces of lines."""

    name = "chunks"
    takes = Document
    gives = Brief
    reasons = frozenset({"empty"})
    Options: ClassVar[Any] = ChunksOptions

    def decide(self, record: Document, reply: None) -> list[Brief] | Drop:
        """All pieces, numbered from 1."""
        if not record.text.strip():
            return self.drop("empty")
        return [
            Brief(Document(record.id, piece, record.source, record.url), "", str(number))
            for number, piece in enumerate(cut(record.text, self.options.max_tokens), 1)
        ]


class PieceOptions(PromptedOptions):
    """Options of a stage that changes pieces."""

    max_removed: float = Field(
        0.9, gt=0, le=1, description="a piece of which a larger share of characters would go is refused"
    )
    refused: Literal["drop", "keep"] = Field(
        "drop", description="a piece whose edits are refused drops its document, or is kept as it was"
    )


def refined(brief: Brief, text: str, edits: Mapping[str, Any]) -> Pair:
    """What a piece ends as: the text that is left of it, and what was done to it."""
    told = orjson.dumps(dict(edits)).decode() if edits else ""
    return Pair(brief, "", text, "phrase", told)


class Joined(NamedTuple):
    """What became of a document: its text if it is kept, what was done to it by piece, or why it is not."""

    text: str
    edits: str
    end: Drop | Failure | None = None


def joined(rows: Sequence[Mapping[str, Any]], holes: frozenset[str]) -> Joined:
    """The document of its pieces' outcomes, in their order. One failed piece fails it, for it is tried again; a dropped
    one drops it, but for the reasons that are `holes`: such a piece is left out."""
    for row in rows:
        if row["end"] == END_FAILED:
            return Joined("", "", Failure(row["stage"], row["reason"], _at(row, rows)))
    dropped = [row for row in rows if row["end"] == END_DROPPED]
    for row in dropped:
        if row["reason"] not in holes:
            return Joined("", "", Drop(row["stage"], row["reason"], _at(row, rows)))
    if len(dropped) == len(rows):
        return Joined("", "", Drop(dropped[0]["stage"], dropped[0]["reason"], _at(dropped[0], rows)))
    text = "".join(row["answer"] for row in rows if row["end"] not in (END_DROPPED, END_FAILED))
    if not text.strip():
        return Joined("", "", Drop(REFINED, NOTHING_LEFT, f"{len(rows)} pieces"))
    done = [_edits(row) for row in rows if row["evidence"] or row["end"] == END_DROPPED]
    return Joined(text, orjson.dumps(done).decode())


def _edits(row: Mapping[str, Any]) -> dict[str, Any]:
    number = {"piece": int(row["persona"])}
    if row["end"] == END_DROPPED:
        return {**number, "left_out": row["reason"]}
    return {**number, **orjson.loads(row["evidence"])}


def _at(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    where = f"piece {row['persona']} of {len(rows)}"
    return f"{where}: {row['detail']}" if row["detail"] else where
