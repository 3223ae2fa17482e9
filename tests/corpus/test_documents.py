"""How a record becomes a Document: text, id, source and url found, everything else kept as plain JSON."""

from __future__ import annotations

import datetime
import decimal
import json
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from corpora import jsonl, read_all, written
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.corpus.record import plain
from webscale_rl.types import Document, content_id


def one(tmp_path: Path, record: dict[str, Any], **options: Any) -> Document:
    documents, faults = read_all(written(tmp_path / "a.jsonl", jsonl([record])), **options)
    assert not faults
    return documents[0]


def test_nothing_of_a_record_is_lost(tmp_path: Path) -> None:
    record = {"id": "x", "text": "t", "source": "s", "url": "https://x.org", "n": 1, "deep": {"a": [1, None, True]}}
    document = one(tmp_path, record)
    assert document == Document("x", "t", "s", "https://x.org", {"n": 1, "deep": {"a": [1, None, True]}})


@pytest.mark.parametrize("field", ["text", "content", "raw_content", "contents", "document"])
def test_the_text_is_found_by_its_usual_names(tmp_path: Path, field: str) -> None:
    assert one(tmp_path, {"title": "T", field: "the text"}).text == "the text"


def test_the_text_is_looked_for_in_each_record(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", jsonl([{"content": "one"}, {"text": "two", "content": "kept"}]))
    documents, _ = read_all(path)
    assert [(document.text, document.metadata) for document in documents] == [("one", {}), ("two", {"content": "kept"})]


def test_a_named_text_field_is_the_only_one(tmp_path: Path) -> None:
    document = one(tmp_path, {"text": "a", "body": "b"}, text_field="body")
    assert (document.text, document.metadata) == ("b", {"text": "a"})


@pytest.mark.parametrize("value", [None, "", "  ", True, [], {"$oid": "x"}])
def test_a_record_without_a_usable_id_is_named_by_its_text(tmp_path: Path, value: Any) -> None:
    assert one(tmp_path, {"id": value, "text": "t"}).id == content_id("t")


@pytest.mark.parametrize(
    ("record", "identity"),
    [
        ({"id": 7}, "7"),
        ({"doc_id": "d"}, "d"),
        ({"_id": "u"}, "u"),
        ({"id": "", "_id": "u"}, "u"),
        ({"id": 2**127 + 1}, str(2**127 + 1)),  # two such ids must not become one float
    ],
)
def test_ids_are_strings(tmp_path: Path, record: dict[str, Any], identity: str) -> None:
    assert one(tmp_path, {**record, "text": "t"}).id == identity


def test_a_named_id_field_is_the_only_one(tmp_path: Path) -> None:
    document = one(tmp_path, {"id": "a", "key": "b", "text": "t"}, id_field="key")
    assert (document.id, document.metadata) == ("b", {"id": "a"})


def test_the_url_may_stand_in_the_metadata(tmp_path: Path) -> None:
    document = one(tmp_path, {"text": "t", "source": {"name": "x"}, "meta": {"url": "https://x.org/1"}})
    assert document.url == "https://x.org/1"
    assert document.source is None
    assert document.metadata == {"source": {"name": "x"}, "meta": {"url": "https://x.org/1"}}


def test_names_of_fields_cannot_reach_a_terminal_unescaped(tmp_path: Path) -> None:
    record = {"text": "t", "x": 1}, {"evil\x1b[2J\nname": 1}
    _, faults = read_all(written(tmp_path / "a.jsonl", jsonl(record)))
    assert faults[0].detail.endswith("the fields are: evil?[2J name")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary()
    | st.text(st.characters(exclude_categories=())) | st.dates() | st.decimals() | st.times() | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_metadata_can_be_written_by_every_json_library(value: Any) -> None:
    made = plain(value)
    assert orjson.loads(orjson.dumps(made)) == msgspec.json.decode(msgspec.json.encode(made)) == made
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert plain(made) == made


def test_what_json_cannot_say_becomes_text() -> None:
    moment = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)
    assert plain([moment, decimal.Decimal("1.50"), b"a\xff", float("nan"), "\ud800"]) == [
        "2024-05-01T12:30:00+00:00",
        "1.50",
        "a\\xff",
        None,
        "\ufffd",
    ]
