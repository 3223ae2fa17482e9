"""JSON lines: every line is a Document or an Unreadable that says where it stands."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from corpora import COMPRESSED, jsonl, read_all, written, zst
from hypothesis import given
from hypothesis import strategies as st

from webscale_rl.corpus import CorpusError, CorpusOptions, files
from webscale_rl.corpus.readers.jsonl import lines

RANDOM = random.Random(7)
WORDS = [f"word{RANDOM.randrange(10**6)}é😀" for _ in range(20_000)]
RECORDS = [{"id": f"d{number}", "text": " ".join(RANDOM.choices(WORDS, k=80))} for number in range(1000)]
DATA = jsonl(RECORDS)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".json"])
def test_every_record_is_read_in_order(tmp_path: Path, ending: str, suffix: str) -> None:
    data = COMPRESSED[suffix](DATA) if suffix else DATA
    documents, faults = read_all(written(tmp_path / f"a{ending}{suffix}", data))
    assert [(document.id, document.text) for document in documents] == [(r["id"], r["text"]) for r in RECORDS]
    assert not faults


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_archives_of_several_members_are_read_to_their_end(tmp_path: Path, suffix: str) -> None:
    halves = [COMPRESSED[suffix](jsonl(half)) for half in (RECORDS[:500], RECORDS[500:])]
    documents, faults = read_all(written(tmp_path / f"a.jsonl{suffix}", b"".join(halves)))
    assert [document.id for document in documents] == [record["id"] for record in RECORDS]
    assert not faults


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_compression_is_told_by_the_first_bytes_too(tmp_path: Path, suffix: str) -> None:
    documents, faults = read_all(written(tmp_path / "a.jsonl", COMPRESSED[suffix](DATA)))
    assert len(documents) == 1000
    assert not faults


def test_zstd_with_skippable_frames_is_read(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"
    documents, faults = read_all(written(tmp_path / "a.jsonl.zst", skippable + zst(DATA) + skippable))
    assert len(documents) == 1000
    assert not faults


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("lost", [1, 5, 9, 1000, 0.5, 0.99, 0.9999])
def test_a_truncated_archive_is_reported_once_and_what_came_before_is_read(
    tmp_path: Path, suffix: str, lost: float
) -> None:
    data = COMPRESSED[suffix](DATA)
    cut = data[: len(data) - int(lost if lost >= 1 else lost * len(data))]
    path = written(tmp_path / f"a.jsonl{suffix}", cut)
    intact = written(tmp_path / "b.jsonl", jsonl([{"id": "after", "text": "the next file"}]))
    documents, faults = read_all([path, intact])
    assert [fault.reason for fault in faults] == ["truncated"]
    assert faults[0].location == f"{path}:line {len(documents)}"  # all but the document of the other file
    assert [document.id for document in documents[:-1]] == [r["id"] for r in RECORDS[: len(documents) - 1]]
    assert documents[-1].id == "after"
    if lost == 1:
        assert len(documents) == 1001


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_corrupt_archive_is_reported_and_what_came_before_is_read(tmp_path: Path, suffix: str) -> None:
    data = bytearray(COMPRESSED[suffix](DATA))
    data[len(data) // 2 : len(data) // 2 + 20] = b"\xff" * 20
    path = written(tmp_path / f"a.jsonl{suffix}", bytes(data))
    documents, faults = read_all(path)
    # gzip decodes some garbage before it notices; those lines are reported as what they are
    assert [fault.reason for fault in faults].count("corrupt_archive") == 1
    assert faults[-1].reason == "corrupt_archive"
    first_bad = int(faults[0].location.removeprefix(f"{path}:line "))
    assert [document.id for document in documents[: first_bad - 1]] == [r["id"] for r in RECORDS[: first_bad - 1]]
    assert first_bad > 300


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_an_ending_that_promises_an_archive_must_keep_its_word(tmp_path: Path, suffix: str) -> None:
    _, faults = read_all(written(tmp_path / f"a.jsonl{suffix}", DATA))
    assert [fault.reason for fault in faults] == ["corrupt_archive"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "cut', "corrupt_line"),
        (b"not json", "corrupt_line"),
        (b'{"text": "a"} {"text": "b"}', "corrupt_line"),
        (b"\0\0\0", "corrupt_line"),
        (b'{"text": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "corrupt_line"),
        (b'{"text": "a", "x": ' + b"[" * 150 + b"]" * 150 + b"}", "corrupt_line"),
        (b'[{"text": "a"}]', "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"17", "not_an_object"),
        (b'{"body": "a"}', "no_text"),
        (b'{"text": null}', "no_text"),
        (b'{"text": 17}', "no_text"),
        (b"{}", "no_text"),
        (b'{"text": "a\xff"}', "invalid_utf8"),
        (b'{"text": "a", "x": "\xc3"}', "invalid_utf8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_utf8"),
        (b'{"text": "' + b"a" * 5000 + b'"}', "too_long"),
    ],
)
def test_a_bad_line_is_reported_with_its_position_and_the_rest_is_read(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    path = written(tmp_path / "a.jsonl", b'{"text": "first"}\n\n' + line + b'\n{"text": "last"}')
    documents, faults = read_all(path, max_document_bytes=4096 if reason == "too_long" else 1_000_000)
    assert [document.text for document in documents] == ["first", "last"]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:line 3", reason)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b'\xef\xbb\xbf{"text": "byte order mark"}', "byte order mark"),
        (b'{"text": "windows"}\r', "windows"),
        (b'  {"text": "blanks"}\t', "blanks"),
        (b'{"te\0xt": "raw \0null"}\0', "raw null"),
        (b'{"text": "escaped \\u0000null"}', "escaped null"),
        (b'{"text": "lone \\ud800 surrogate"}', "lone \ufffd surrogate"),
        (b'{"text": "paired \\ud83d\\ude00"}', "paired 😀"),
        (b'{"text": "raw\ttab"}', "raw\ttab"),
        (b'{"text": "nan", "score": NaN}', "nan"),
    ],
)
def test_what_can_be_mended_is_read_without_a_report(tmp_path: Path, line: bytes, text: str) -> None:
    documents, faults = read_all(written(tmp_path / "a.jsonl", line + b"\n \n\r\n\n"))
    assert [document.text for document in documents] == [text]
    assert not faults


def test_a_line_of_50_mb_is_reported_with_its_length(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text": "first"}\n')
        file.seek(50_000_000, 1)
        file.write(b'\n{"text": "last"}\n')
    documents, faults = read_all(path)
    assert [document.text for document in documents] == ["first", "last"]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{path}:line 2", "too_long")]
    assert "50000000 bytes" in faults[0].detail


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"x", b"\n"))), st.integers(1, 9))
def test_lines_do_not_depend_on_where_blocks_end(blocks: list[bytes], limit: int) -> None:
    whole = b"".join(blocks).split(b"\n")
    if not whole[-1]:
        whole.pop()
    expected = [line if len(line) <= limit else len(line) for line in whole]
    assert [line if isinstance(line, int) else bytes(line) for line in lines(blocks, limit)] == expected


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_json_file_may_be_one_array_or_one_object(tmp_path: Path, suffix: str) -> None:
    compress = COMPRESSED.get(suffix, bytes)
    array = written(
        tmp_path / f"a.json{suffix}", compress(b'\xef\xbb\xbf[\n {"text": "one"},\n 5,\n {"text": "two"}\n]\n')
    )
    one = written(tmp_path / f"b.json{suffix}", compress(b'{\n "id": "x",\n "text": "three"\n}'))
    documents, faults = read_all([array, one])
    assert [document.text for document in documents] == ["one", "two", "three"]
    assert [(fault.location, fault.reason) for fault in faults] == [(f"{array}:record 2", "not_an_object")]


def test_a_json_array_that_does_not_fit_in_memory_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", b"[" + b'{"text": "a"},' * 1000 + b'{"text": "b"}]')
    with pytest.raises(CorpusError, match="write it as JSON lines"):
        files([str(path)], CorpusOptions(max_document_bytes=2000))


def test_json_lines_in_a_json_file_may_be_longer_than_one_document(tmp_path: Path) -> None:
    documents, faults = read_all(written(tmp_path / "a.json", DATA), max_document_bytes=4096)
    assert len(documents) == 1000
    assert not faults


def test_an_archive_that_wants_gigabytes_to_unpack_is_refused_not_reported_as_corrupt(tmp_path: Path) -> None:
    frame = b"\x28\xb5\x2f\xfd" + bytes([0b0000_0000, 21 << 3])  # a window of 2 GB
    with pytest.raises(CorpusError, match="zstd --long"):
        read_all(written(tmp_path / "a.jsonl.zst", frame + bytes(100)))


def test_memory_does_not_grow_with_the_length_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as writer:
        writer.write(b'{"text": "first"}\n{"text": "')
        for _ in range(400):
            writer.write(bytes(1_000_000))
        writer.write(b'"}\n{"text": "last"}\n')
    code = f"""
import resource
from webscale_rl.corpus import CorpusOptions, files, read
found = files([{str(path)!r}], CorpusOptions())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(list(read(found, CorpusOptions()))), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    items, grown_kb = map(int, result.stdout.split())
    assert items == 3
    assert grown_kb < 40_000  # the line has 400 MB, max_document_bytes is 16 MiB
