"""Parquet: every row is a Document or an Unreadable with its row; what does not decode costs its group of rows."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import jsonl, read_all, written

from webscale_rl.corpus import CorpusError, CorpusOptions, files

TEXTS = [f"text {number} é " * 20 for number in range(4000)]


def table(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_every_row_is_read_in_order_and_every_column_kept(tmp_path: Path) -> None:
    path = table(
        tmp_path / "a.parquet", {"id": list(range(4000)), "text": TEXTS, "n": [0.5] * 4000}, row_group_size=700
    )
    documents, faults = read_all(path)
    assert [(document.id, document.text) for document in documents] == [(str(i), text) for i, text in enumerate(TEXTS)]
    assert documents[7].metadata == {"n": 0.5}
    assert not faults


def test_columns_of_every_type_become_plain_json(tmp_path: Path) -> None:
    moment = datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC)
    path = table(
        tmp_path / "a.parquet",
        {
            "text": ["t"],
            "ns": pa.array([1_714_564_800_000_000_001], pa.timestamp("ns", "UTC")),
            "day": [datetime.date(2024, 5, 1)],
            "price": [decimal.Decimal("1.50")],
            "raw": [b"a\xff"],
            "score": [float("nan")],
            "list": [[moment]],
            "deep": [{"url": None, "days": [datetime.date(2024, 5, 1)]}],
            "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "large": pa.array(["x"], pa.large_string()),
            "word": pa.array(["y"]).dictionary_encode(),
        },
    )
    documents, _ = read_all(path)
    metadata = dict(documents[0].metadata)
    assert orjson.loads(orjson.dumps(metadata)) == metadata
    assert metadata["ns"].startswith("2024-05-01T12:00:00")
    assert (metadata["day"], metadata["price"], metadata["raw"], metadata["score"]) == (
        "2024-05-01",
        "1.50",
        "a\\xff",
        None,
    )
    assert (metadata["large"], metadata["word"]) == ("x", "y")


def test_a_broken_row_group_costs_its_rows_only(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"text": TEXTS}, row_group_size=1000, compression="snappy")
    about = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    start = about.dictionary_page_offset or about.data_page_offset
    data[start + 30 : start + 400] = b"\xff" * 370
    path.write_bytes(bytes(data))
    documents, faults = read_all(path)
    assert [document.text for document in documents] == TEXTS[:1000] + TEXTS[2000:]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:row 1001", "corrupt_record")]
    assert "rows 1001 to 2000" in faults[0].detail


@pytest.mark.parametrize("lost", [1, 8, 100, 5000])
def test_a_file_without_its_end_is_reported_and_the_next_is_read(tmp_path: Path, lost: int) -> None:
    path = table(tmp_path / "a.parquet", {"text": TEXTS})
    data = path.read_bytes()[:-lost]
    path.write_bytes(data)
    intact = written(tmp_path / "b.jsonl", jsonl([{"text": "next"}]))
    documents, faults = read_all([path, intact])
    assert [document.text for document in documents] == ["next"]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:byte {len(data)}", "truncated")]


def test_a_file_that_is_no_parquet_is_reported(tmp_path: Path) -> None:
    _, faults = read_all(written(tmp_path / "a.parquet", b"hello" * 100))
    assert [fault.reason for fault in faults] == ["corrupt_record"]


def test_invalid_utf8_costs_one_row(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")])
    text = pa.chunked_array([pa.array(["one"]), bad, pa.array(["three"])])
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": text.combine_chunks()}), path)
    documents, faults = read_all(path)
    assert [document.text for document in documents] == ["one", "three"]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:row 2", "invalid_utf8")]


def test_rows_without_text_or_with_too_much_are_reported(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"text": ["one", None, "é" * 4000, "four\0"]})
    documents, faults = read_all(path, max_document_bytes=4096)
    assert [document.text for document in documents] == ["one", "four"]
    assert [(fault.location, fault.reason) for fault in faults] == [
        (f"{path}:row 2", "no_text"),
        (f"{path}:row 3", "too_long"),
    ]


def test_text_may_be_stored_as_bytes(tmp_path: Path) -> None:
    documents, faults = read_all(table(tmp_path / "a.parquet", {"text": ["é".encode(), b"\xff"]}))
    assert [document.text for document in documents] == ["é"]
    assert [fault.reason for fault in faults] == ["invalid_utf8"]


def test_a_missing_text_column_is_one_line_that_names_the_columns(tmp_path: Path) -> None:
    path = table(tmp_path / "a.parquet", {"body": ["b"], "title": ["t"]})
    with pytest.raises(CorpusError, match=r"a\.parquet:row 1: no text in text, .*the fields are: body, title") as error:
        files([str(path)], CorpusOptions())
    assert "\n" not in str(error.value)


def test_a_stray_file_without_a_text_column_does_not_stop_the_others(tmp_path: Path) -> None:
    table(tmp_path / "a.parquet", {"body": ["b"] * 3})
    table(tmp_path / "b.parquet", {"text": ["t"]})
    documents, faults = read_all(tmp_path)
    assert len(documents) == 1
    assert [fault.reason for fault in faults] == ["no_text"]
    assert "rows: 3" in faults[0].detail
