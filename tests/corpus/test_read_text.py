"""Plain text and markup: one file is one document, named by its path within the input."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from corpora import read_all, written


def test_a_file_is_one_document_named_by_its_path_in_the_folder(tmp_path: Path) -> None:
    written(tmp_path / "b.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    written(tmp_path / "a" / "c.rst", b"three\0")
    written(tmp_path / "d.text.gz", gzip.compress(b"four"))
    documents, faults = read_all(tmp_path)
    assert [(document.id, document.text) for document in documents] == [
        ("a/c.rst", "three"),
        ("b.txt", "one\ntwo\n"),
        ("d.text.gz", "four"),
    ]
    assert not faults


def test_invalid_utf8_is_reported_with_its_byte(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", b"good \xff bad")
    _, faults = read_all(path)
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:byte 5", "invalid_utf8")]


def test_a_file_that_is_too_long_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    _, faults = read_all(path)
    assert [fault.reason for fault in faults] == ["too_long"]


def test_a_truncated_text_is_not_read_in_part(tmp_path: Path) -> None:
    documents, faults = read_all(written(tmp_path / "a.txt.gz", gzip.compress(b"whole text" * 1000)[:-5]))
    assert not documents
    assert [fault.reason for fault in faults] == ["truncated"]


def test_front_matter_is_metadata(tmp_path: Path) -> None:
    text = (
        b"---\ntitle: Tide\ntags: [sea, moon]\ndate: 2024-05-01\nurl: http://x.org/a\nsource: notes\n---\n\n# Tides\n"
    )
    documents, _ = read_all(written(tmp_path / "a.md", text))
    assert documents[0].text == "# Tides\n"
    assert documents[0].id == "a.md"
    assert documents[0].url == "http://x.org/a"
    assert documents[0].source == "notes"
    assert documents[0].metadata == {"title": "Tide", "tags": ["sea", "moon"], "date": "2024-05-01"}


@pytest.mark.parametrize(
    "text", ["---\nA rule, then text.\n---\n", "--- no\n", "---\nnever: closed\n", "---\n[[[\n---\nx\n"]
)
def test_a_rule_at_the_top_is_text(tmp_path: Path, text: str) -> None:
    documents, _ = read_all(written(tmp_path / "a.md", text.encode()))
    assert documents[0].text == text
    assert documents[0].metadata == {}


def test_front_matter_cannot_grow(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(20)
    )
    documents, _ = read_all(written(tmp_path / "a.md", f"---\n{bomb}---\ntext\n".encode()))
    assert (documents[0].text, documents[0].metadata) == ("text\n", {})


def test_an_id_field_of_the_front_matter_is_used_if_it_is_asked_for(tmp_path: Path) -> None:
    documents, _ = read_all(written(tmp_path / "a.md", b"---\nslug: tides\n---\ntext"), id_field="slug")
    assert documents[0].id == "tides"
