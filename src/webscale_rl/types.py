"""All that flows through the pipeline: documents on the way in, examples on the way out, and why the rest left.

Every value is frozen: a stage returns new values and changes none.

    Document -> Brief (document + domain + persona) -> Pair (brief + question + answer + evidence) -> Example (flat row)

Nothing here knows of stages, prompts, backends or files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

AnswerType = Literal[
    "number",
    "quantity",
    "money",
    "percentage",
    "date",
    "range",
    "list",
    "yes_no",
    "choice",
    "person",
    "name",
    "code",
    "formula",
    "phrase",
]
"""What kind of value an answer is. A quantity is a number with a unit; a name is anything proper but a person's."""


class Document(msgspec.Struct, frozen=True):
    """One document of the corpus. `text` has no null bytes; `metadata` holds every other column of its record."""

    id: str
    text: str
    source: str | None = None
    url: str | None = None
    metadata: Mapping[str, Any] = {}


class Brief(msgspec.Struct, frozen=True):
    """What a question writer is handed: a document, its domain and the persona who asks."""

    document: Document
    domain: str
    persona: str


class Pair(msgspec.Struct, frozen=True):
    """A question and its ground truth, with the words of the document that prove it. `reference` is the ground truth as
    the reward reads it, as JSON; empty: it is typed whenever it is compared."""

    brief: Brief
    question: str
    answer: str
    answer_type: AnswerType
    evidence: str
    reference: str = ""


class Drop(msgspec.Struct, frozen=True):
    """A record that was judged and rejected. `reason` is a word from the closed list of its stage."""

    stage: str
    reason: str
    detail: str = ""


class Failure(msgspec.Struct, frozen=True):
    """A record that could not be judged: no reply is not a "no". The next run tries it again."""

    stage: str
    error: str
    detail: str = ""


class Example(msgspec.Struct, frozen=True):
    """One row of the dataset. `reference` is the ground truth as the reward reads it, as JSON; `generator` and
    `checker` name backend and model; `difficulty` is a pass rate in 0..1."""

    id: str
    question: str
    answer: str
    answer_type: str
    reference: str
    domain: str
    persona: str
    evidence: str
    document_id: str
    source: str | None
    url: str | None
    pretrain_text: str | None
    metadata: str
    generator: str
    checker: str | None
    difficulty: float | None
    created_with: str


def content_id(*parts: str) -> str:
    """A 128-bit hexadecimal id of the parts, the same on every machine and in every run."""
    return hashlib.blake2b(framed(parts), digest_size=16).hexdigest()


def framed(parts: Iterable[str]) -> bytes:
    """The parts as bytes from which no other parts can be read: each with its length before it."""
    pieces = []
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        pieces += [len(data).to_bytes(8, "little"), data]
    return b"".join(pieces)
