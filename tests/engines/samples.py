"""Replies of every prompted stage, as they should be and as a grammar must not let a model write them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tests.records import stage
from webscale_rl.backend import reply_schema
from webscale_rl.registry import names

PROMPTED = [name for name in names("stages", "takes") if stage(name).prompt is not None]
PAIR = {
    "evidence": 'It is called "la dame de fer" \\ 330 mètres — 高さ\n',
    "question": "How tall is the Eiffel Tower in Paris?",
    "answer": "330 metres",
    "answer_type": "quantity",
}
VALID: dict[str, list[dict[str, Any]]] = {
    "filter": [{"reason": "a page of an encyclopedia", "informative": True, "self_contained": False}],
    "classify": [
        {"domain": "Technology & Engineering", "personas": ["a parent, new to the city", "un élève"]},
        {"domain": "", "personas": []},
    ],
    "generate": [{"pairs": []}, {"pairs": [PAIR]}, {"pairs": [PAIR, PAIR, PAIR]}],
    "agree": [{"working": "It is 330 metres tall.", "answer": "330 m"}, {"working": "", "answer": ""}],
    "check": [
        {
            "evidence": PAIR["evidence"],
            "own_answer": "330 m",
            "answer_correct": True,
            "has_context": True,
            "leaks_answer": False,
        }
    ],
}


def reply_type(name: str) -> type[msgspec.Struct]:
    kind = stage(name).reply_type
    assert kind is not None
    return kind


def valid(name: str) -> list[str]:
    """The same as text, in the two ways in which models write JSON: with a space after a separator and without."""
    return [
        json.dumps(value, ensure_ascii=False, separators=separators)
        for value in VALID[name]
        for separators in ((", ", ": "), (",", ":"))
    ]


def invalid(name: str) -> list[str]:
    """A whole reply with one thing wrong, for each thing that can be."""
    whole = VALID[name][-1]
    first, last = next(iter(whole)), list(whole)[-1]
    wrong: list[dict[str, Any]] = [
        {},
        {key: value for key, value in whole.items() if key != last},
        {**whole, "more": 1},
        {key.upper(): value for key, value in whole.items()},
        {**whole, first: None},
        {**whole, first: 1},
        {**whole, last: 1 if isinstance(whole[last], str) else "yes"},
    ]
    if len(whole) > 1:
        wrong.append(dict(reversed(whole.items())))
    if "pairs" in whole:
        wrong += [{"pairs": [pair]} for pair in ({}, {**PAIR, "answer_type": "prose"}, {**PAIR, "answer": 330}, [])]
    text = json.dumps(whole)
    return [*map(json.dumps, wrong), text[:-1], f"{text}{text}", f"Sure! {text}", f"```json\n{text}\n```", f"[{text}]"]


def schema(name: str) -> dict[str, Any]:
    return reply_schema(reply_type(name))
