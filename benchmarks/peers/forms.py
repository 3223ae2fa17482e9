"""The stages' replies as pydantic models, for the peers that ask for them so. Every peer's environment has pydantic."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Filter(BaseModel):
    reason: str
    informative: bool
    self_contained: bool


class Classify(BaseModel):
    domain: str
    personas: list[str]


class Pair(BaseModel):
    evidence: str
    question: str
    answer: str
    answer_type: Literal[
        "number", "quantity", "money", "percentage", "date", "range", "list", "yes_no", "choice", "person", "name",
        "code", "formula", "phrase",
    ]  # fmt: skip


class Generate(BaseModel):
    pairs: list[Pair]


class Check(BaseModel):
    evidence: str
    own_answer: str
    answer_correct: bool
    has_context: bool
    leaks_answer: bool
