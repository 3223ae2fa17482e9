"""WARC and WET: records with text are Documents, records without are passed over, damage is reported."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest
from corpora import jsonl, read_all, written, zst

from webscale_rl.corpus import CorpusError, CorpusOptions, files

WORDS = "The tide rises twice a day, for the moon pulls at the sea, and the sea follows it slowly round the world. "
PAGE = f"<html><head><title>T</title></head><body><nav>Menu</nav><main><p>{WORDS * 5}</p></main></body></html>"


def record(kind: str, number: int, content: bytes, content_type: str = "text/plain") -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
        f"WARC-Target-URI: https://x.org/{number}\r\nWARC-Date: 2024-05-01T00:00:00Z\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n\r\n"


def response(number: int, body: bytes, headers: str = "Content-Type: text/html", status: str = "200 OK") -> bytes:
    content = f"HTTP/1.1 {status}\r\n{headers}\r\n\r\n".encode() + body
    return record("response", number, content, "application/http; msgtype=response")


WET = [record("warcinfo", 0, b"software: x")] + [
    record("conversion", number, f"Page {number} é. {WORDS * number}".encode()) for number in range(1, 30)
]


@pytest.mark.parametrize("ending", [".wet", ".wet.gz", ".wet.zst", ".warc.wet.gz", ".warc"])
def test_conversion_records_are_documents(tmp_path: Path, ending: str) -> None:
    members = [gzip.compress(one) if ending.endswith(".gz") else one for one in WET]
    data = b"".join(members)
    documents, faults = read_all(written(tmp_path / f"a{ending}", zst(data) if ending.endswith(".zst") else data))
    assert [document.id for document in documents] == [f"<urn:uuid:{number}>" for number in range(1, 30)]
    assert documents[0].text == f"Page 1 é. {WORDS}"
    assert documents[0].url == "https://x.org/1"
    assert documents[0].metadata["WARC-Date"] == "2024-05-01T00:00:00Z"
    assert not faults


@pytest.mark.parametrize("share", [0.2, 0.5, 0.77, 0.93, 0.999])
@pytest.mark.parametrize("packed", [True, False])
def test_a_truncated_archive_is_reported_once_and_what_came_before_is_read(
    tmp_path: Path, packed: bool, share: float
) -> None:
    data = b"".join(gzip.compress(one) if packed else one for one in WET)
    path = written(tmp_path / ("a.wet.gz" if packed else "a.wet"), data[: int(len(data) * share)])
    after = written(tmp_path / "b.jsonl", jsonl([{"id": "after", "text": "t"}]))
    documents, faults = read_all([path, after])
    whole = len(documents) - 1
    assert [document.id for document in documents] == [*(f"<urn:uuid:{n}>" for n in range(1, whole + 1)), "after"]
    assert [document.text for document in documents[:-1]] == [f"Page {n} é. {WORDS * n}" for n in range(1, whole + 1)]
    if packed or share < 0.99:  # without compression, a missing last line end is no loss
        assert [fault.reason for fault in faults] == ["truncated"]
        assert faults[0].location.startswith(f"{path}:record ")


def test_a_corrupt_archive_is_reported_and_what_came_before_is_read(tmp_path: Path) -> None:
    members = [gzip.compress(one) for one in WET]
    members[10] = members[10][:20] + b"\xff" * 30 + members[10][50:]
    path = written(tmp_path / "a.wet.gz", b"".join(members))
    documents, faults = read_all(path)
    assert [document.id for document in documents] == [f"<urn:uuid:{number}>" for number in range(1, 10)]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:record 11", "corrupt_archive")]


def test_what_is_no_warc_is_reported(tmp_path: Path) -> None:
    _, faults = read_all(written(tmp_path / "a.warc", b"hello\n" * 1000))
    assert [fault.reason for fault in faults] == ["corrupt_record"]


def test_a_bad_record_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    records = [
        record("conversion", 1, b"one"),
        record("conversion", 2, b"two \xff"),
        record("conversion", 3, b"three" * 1000),
        record("conversion", 4, b"four"),
    ]
    path = written(tmp_path / "a.wet", b"".join(records))
    documents, faults = read_all(path, max_document_bytes=4096)
    assert [document.text for document in documents] == ["one", "four"]
    assert [(fault.location, fault.reason) for fault in faults] == [
        (f"{path}:record 2", "invalid_utf8"),
        (f"{path}:record 3", "too_long"),
    ]


def test_pages_are_read_without_their_menus(tmp_path: Path) -> None:
    pytest.importorskip("resiliparse")
    latin = "Content-Type: text/html; charset=iso-8859-1"
    records = [
        record("request", 1, b"GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request"),
        response(2, PAGE.encode()),
        response(3, gzip.compress(PAGE.encode()), "Content-Type: text/html\r\nContent-Encoding: gzip"),
        response(4, PAGE.replace("tide", "été").encode("latin-1"), latin),
        response(5, b"plain " * 20, "Content-Type: text/plain"),
        response(6, b"\x89PNG", "Content-Type: image/png"),
        response(7, PAGE.encode(), status="404 Not Found"),
        response(8, gzip.compress(b"a" * 10_000_000), "Content-Type: text/html\r\nContent-Encoding: gzip"),
        response(9, b"not gzip", "Content-Type: text/html\r\nContent-Encoding: gzip"),
        response(10, PAGE.encode()),
    ]
    path = written(tmp_path / "a.warc.gz", b"".join(map(gzip.compress, records)))
    documents, faults = read_all(path, max_document_bytes=1_000_000)
    assert [document.id for document in documents] == [f"<urn:uuid:{number}>" for number in (2, 3, 4, 5, 10)]
    assert documents[0].text == documents[1].text == documents[4].text == (WORDS * 5).strip()
    assert "été" in documents[2].text
    assert [(fault.location, fault.reason) for fault in faults] == [
        (f"{path}:record 8", "too_long"),
        (f"{path}:record 9", "corrupt_record"),
    ]


def test_without_the_extra_one_line_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from webscale_rl.corpus import readers

    path = written(tmp_path / "a.warc", response(1, PAGE.encode()))
    monkeypatch.setitem(sys.modules, "resiliparse.extract.html2text", None)
    with pytest.raises(CorpusError, match=r"pip install 'webscale-rl\[warc\]'"):
        files([str(path)], CorpusOptions())
    monkeypatch.setitem(sys.modules, "fastwarc", None)
    readers.load.cache_clear()
    with pytest.raises(CorpusError, match=r"format warc needs fastwarc: pip install 'webscale-rl\[warc\]'"):
        files([str(path)], CorpusOptions())
