"""The form of an answer as servers want it, and a request's content."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import msgspec
import pytest

from tests.records import TAXONOMY, stage
from webscale_rl import backend
from webscale_rl.backend import BackendError, Request, Sampling, reply_schema, reply_schema_json
from webscale_rl.errors import ConfigError
from webscale_rl.prompt import Prompt
from webscale_rl.registry import names
from webscale_rl.stage import Context
from webscale_rl.stages.filter import Filter
from webscale_rl.stages.generate import GenerateReply
from webscale_rl.types import AnswerType

PROMPTED = [name for name in names("stages", "takes") if stage(name).prompt is not None]


class Part(msgspec.Struct):
    size: int = 3


class Whole(msgspec.Struct):
    parts: list[Part]
    more: Part | None = None
    title: str = "x"


def nodes(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [node for item in schema for node in nodes(item)]
    if isinstance(schema, dict):
        return [schema, *(node for value in schema.values() for node in nodes(value))]
    return []


def reply_type(name: str) -> type[msgspec.Struct]:
    kind = stage(name).reply_type
    assert kind is not None
    return kind


@pytest.mark.parametrize("name", PROMPTED)
def test_every_reply_schema_is_closed_inlined_and_all_required(name: str) -> None:
    found = nodes(reply_schema(reply_type(name)))
    assert not any("$ref" in node or "$defs" in node for node in found)
    objects = [node for node in found if node.get("type") == "object"]
    assert objects
    for node in objects:
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])


@pytest.mark.parametrize("name", PROMPTED)
def test_the_prompt_asks_for_the_fields_of_the_schema(name: str) -> None:
    prompt = stage(name).prompt
    assert prompt is not None
    system = "".join(part for part in prompt.messages[0][1] if isinstance(part, str))
    shown = system[system.rindex("Answer with one JSON object") :]
    for node in nodes(reply_schema(reply_type(name))):
        places = [shown.index(f'"{field}"') for field in node.get("properties", ())]
        assert places == sorted(places), "in the order in which they are to be written"


def test_the_schema_names_every_answer_type() -> None:
    enums = [node["enum"] for node in nodes(reply_schema(GenerateReply)) if "enum" in node]
    assert [set(enum) for enum in enums] == [set(AnswerType.__args__)]  # type: ignore[attr-defined]


def test_fields_keep_the_order_in_which_a_model_is_to_write_them() -> None:
    assert list(reply_schema(reply_type("check"))["properties"])[:2] == ["evidence", "own_answer"]


def test_a_schema_leaves_out_what_strict_servers_refuse() -> None:
    schema = reply_schema(Whole)
    assert schema["required"] == ["parts", "more", "title"], "a field with a default is required too"
    assert "title" in schema["properties"]
    assert "$ref" not in str(schema)
    for node in nodes(schema):
        assert "default" not in node
        assert not isinstance(node.get("title"), str)


def test_the_schema_as_text_is_canonical() -> None:
    text = reply_schema_json(GenerateReply)
    assert msgspec.json.decode(text) == reply_schema(GenerateReply)
    assert text == msgspec.json.encode(msgspec.json.decode(text), order="sorted").decode()


PROMPT = Prompt.parse("p", "# user\n{{document|quoted}}{{more}}")


def request(**fields: Any) -> Request:
    values: dict[str, Any] = {
        "stage": "filter", "prompt": PROMPT, "slots": {"document": "a", "more": "b"},
        "reply_type": GenerateReply, "model": "m", "sampling": Sampling(0.5), "affinity": "d1",
    }  # fmt: skip
    return Request(**(values | fields))


def test_equal_content_has_one_key_and_affinity_is_no_content() -> None:
    again = request(
        slots={"more": "b", "document": "a"},
        affinity="another",
        group="00007",
        attempt=2,
        prompt=Prompt.parse("q", "# user\n{{document|quoted}}{{more}}"),
    )
    assert len(request().key) == 16
    assert again.key == request().key


@pytest.mark.parametrize(
    "fields",
    [
        {"stage": "check"},
        {"prompt": Prompt.parse("p", "# user\n{{document|quoted}} {{more}}")},
        {"prompt": replace(PROMPT, layout="document_first")},
        {"slots": {"document": "b", "more": "a"}},
        {"slots": {"document": "ab", "more": ""}},
        {"slots": {"document": "a", "more": "b\0"}},
        {"reply_type": reply_type("check")},
        {"model": "n"},
        {"sampling": Sampling(0.6)},
        {"sampling": Sampling(0.5, top_p=0.9)},
        {"sampling": Sampling(0.5, seed=1)},
        {"sampling": Sampling(0.5, max_tokens=1)},
    ],
)
def test_whatever_decides_the_answer_decides_the_key(fields: dict[str, Any]) -> None:
    assert request(**fields).key != request().key


def test_errors_are_a_closed_set_of_which_each_is_tried_again_or_fatal_or_a_failure() -> None:
    kinds = BackendError.__subclasses__()
    assert {kind.kind: "retry" if kind.retry else "fatal" if kind.fatal else "failure" for kind in kinds} == {
        "rate_limited": "retry",
        "overloaded": "retry",
        "unreachable": "retry",
        "timeout": "retry",
        "context_length": "failure",
        "bad_request": "failure",
        "unauthorized": "fatal",
        "no_such_model": "fatal",
        "batch_refused": "fatal",
        "interrupted": "fatal",
    }
    assert not any(kind.retry and kind.fatal for kind in kinds)
    assert all(f"x {kind.__name__}" in (backend.__doc__ or "") for kind in kinds)


class Square(msgspec.Struct, tag=True):
    side: float


class Circle(msgspec.Struct, tag=True):
    radius: float


class Shape(msgspec.Struct):
    shape: Square | Circle
    unit: Literal["cm", "inch", None]
    count: Literal[1, 2]
    colours: set[str]


def test_every_part_of_a_schema_has_its_type() -> None:
    properties = reply_schema(Shape)["properties"]
    assert properties["unit"] == {"anyOf": [{"type": "null"}, {"enum": ["cm", "inch"], "type": "string"}]}
    assert properties["count"] == {"enum": [1, 2], "type": "integer"}
    assert properties["colours"] == {"type": "array", "items": {"type": "string"}}
    assert [choice["properties"]["type"] for choice in properties["shape"]["anyOf"]] == [
        {"enum": ["Square"], "type": "string"},
        {"enum": ["Circle"], "type": "string"},
    ]


class Tree(msgspec.Struct):
    branches: list[Tree]


class FreeKeys(msgspec.Struct):
    part: list[dict[str, int]]


class Untyped(msgspec.Struct):
    part: Any


class AnyList(msgspec.Struct):
    part: list  # type: ignore[type-arg]


class Tuple(msgspec.Struct):
    part: tuple[int, str]


class Bytes(msgspec.Struct):
    part: bytes


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Tree, "Tree.branches[]: a reply that holds itself"),
        (FreeKeys, "FreeKeys.part[]: a reply with free keys"),
        (Untyped, "Untyped.part: a reply of any type"),
        (AnyList, "AnyList.part[]: a reply of any type"),
        (Tuple, "Tuple.part: servers cannot be asked for prefixItems"),
        (Bytes, "Bytes.part: servers cannot be asked for contentEncoding"),
    ],
)
def test_a_stage_whose_reply_cannot_be_asked_for_is_refused_before_anything_is_paid(
    kind: type[msgspec.Struct], said: str
) -> None:
    class Own(Filter):
        reply_type = kind

    with pytest.raises(ConfigError, match=re.escape(said)):
        Own(Filter.Options(), Context(TAXONOMY))
