"""The reply schemas of all stages lie within the strict subset that OpenAI documents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.samples import PROMPTED, schema
from tests.engines.strict_subset import violations


@pytest.mark.parametrize("name", PROMPTED)
def test_openai_takes_the_schema_of_every_stage(name: str) -> None:
    assert violations(schema(name)) == []


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


DEEP: dict[str, Any] = {"type": "string"}
for _ in range(11):
    DEEP = closed(inner=DEEP)
TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "items": TEXT}, "the root is no object"),
        ({"anyOf": [closed(a=TEXT)]}, "the root is no object"),
        (closed(a=TEXT) | {"additionalProperties": True}, "root is open"),
        (closed(a=TEXT) | {"required": []}, "root does not require all its properties"),
        (closed(a={"enum": ["x"]}), "root.a has no type"),
        (closed(a={"type": "string", "maxLength": 9}), "root.a has ['maxLength']"),
        (closed(a={"type": "string", "maxItems": 9}), "root.a has ['maxItems']"),
        (closed(a={"type": "string", "title": "A"}), "root.a has ['title']"),
        (closed(a={"type": "string", "format": "uri"}), "root.a has the format uri"),
        (closed(a={"type": "array"}), "root.a has no items"),
        (closed(a={"type": "array", "items": {"type": "object"}}), "root.a.items is open"),
        (closed(a={"anyOf": [TEXT, {"allOf": [TEXT]}]}), "root.a.anyOf has no type"),
        (DEEP, "11 levels are more than 10"),
        (closed(**{f"n{i}": TEXT for i in range(5_001)}), "5001 properties are more than 5000"),
        (closed(a={"type": "integer", "enum": list(range(1_001))}), "1001 values of enums are more than 1000"),
        (closed(a={"type": "string", "enum": [f"{i:061}" for i in range(251)]}), "a long enum of 15311 characters"),
        (closed(**{"n" * 120_001: TEXT}), "120001 characters in names and values are more than 120000"),
    ],
)
def test_the_written_down_subset_finds_what_openai_refuses(schema: dict[str, Any], said: str) -> None:
    assert said in violations(schema)


def test_the_written_down_subset_takes_what_openai_documents() -> None:
    either = {"anyOf": [{"type": "null"}, {"type": "number", "minimum": 0, "maximum": 1}]}
    several = {"type": "array", "items": closed(a=either), "minItems": 1, "maxItems": 3}
    assert (
        violations(
            closed(
                several=several,
                day={"type": "string", "format": "date"},
                unit={"type": ["string", "null"], "enum": ["F", "C", None]},
            )
        )
        == []
    )
