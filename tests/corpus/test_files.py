"""Which files are read: each once, in a fixed order, and every mistake is one clear line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from corpora import COMPRESSED, jsonl, read_all, written
from fsspec.implementations.memory import MemoryFileSystem

from webscale_rl.corpus import CorpusError, CorpusOptions, files, read

ONE = jsonl([{"text": "one"}])


def urls(*inputs: str | Path, **options: Any) -> list[str]:
    return [file.url for file in files([str(item) for item in inputs], CorpusOptions(**options))]


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_a_folder_gives_its_known_files_sorted_and_no_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a/z.jsonl.gz", "a/b/c.md", "c.xyz", ".hidden.jsonl", ".git/a.jsonl", "_SUCCESS"):
        data = COMPRESSED[".gz"](ONE) if name.endswith(".gz") else ONE
        written(tmp_path / name, data)
    assert urls(tmp_path) == [str(tmp_path / name) for name in ("a/b/c.md", "a/z.jsonl.gz", "b.jsonl")]


def test_inputs_keep_their_order_and_a_file_is_read_once(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.jsonl", ONE), written(tmp_path / "b.jsonl", ONE)
    (tmp_path / "link.jsonl").symlink_to(a)
    assert urls(b, tmp_path, a, f"file://{a}", tmp_path / "*.jsonl") == [str(b), str(a)]


@pytest.mark.parametrize("pattern", ["*/*.jsonl", "**/*.jsonl", "?/b.*", "[a]/*", "*"])
def test_globs(tmp_path: Path, pattern: str) -> None:
    path = written(tmp_path / "a" / "b.jsonl", ONE)
    written(tmp_path / "a" / ".c.jsonl", ONE)
    assert urls(tmp_path / pattern) == [str(path)]


def test_a_path_that_exists_is_that_path_whatever_its_characters(tmp_path: Path) -> None:
    path = written(tmp_path / "a[1]*.jsonl", ONE)
    written(tmp_path / "a1x.jsonl", ONE)
    assert urls(path) == [str(path)]
    assert urls(written(tmp_path / "b[2]" / "c.jsonl", ONE).parent) == [str(tmp_path / "b[2]" / "c.jsonl")]


def test_a_format_overrides_the_ending(tmp_path: Path) -> None:
    path = written(tmp_path / "part-0001", ONE)
    documents, _ = read_all(path, format="jsonl")
    assert documents[0].text == "one"
    assert urls(tmp_path, format="jsonl") == [str(path)]


def test_the_sample_is_its_data_without_its_readme() -> None:
    documents, faults = read_all("sample:")
    names = {file.name for file in files(["sample:"], CorpusOptions())}
    assert "README.md" not in names
    assert {"encyclopedia.jsonl", "notes/binary-search.txt"} <= names
    assert len({document.id for document in documents}) == len(documents) >= 50
    assert not faults


def test_texts_of_two_folders_with_the_same_names_have_different_ids(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a" / "x.txt", b"one"), written(tmp_path / "b" / "x.txt", b"two")
    documents, _ = read_all([a.parent, b.parent])
    assert [document.id for document in documents] == ["x.txt", str(b)]


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ("nowhere.jsonl", {}, "nowhere.jsonl: no such file or folder"),
        ("nowhere/*.jsonl", {}, "nowhere/*.jsonl: nothing found; looked for files that end in"),
        ("folder", {}, "folder: nothing found; looked for files that end in .json, "),
        ("folder/a.xyz", {}, "a.xyz: unknown ending; name its format, or use one of .json, "),
        ("folder/a.xyz", {"format": "jsonnl"}, "unknown format 'jsonnl'; did you mean jsonl? (formats: jsonl, "),
        ("folder/a.xyz", {"format": "no.such.module"}, "format no.such.module: cannot import it"),
        ("empty.jsonl", {}, "empty.jsonl: empty, no file holds a byte"),
        ("blank.jsonl", {}, "blank.jsonl: empty, no document in it"),
        ("body.jsonl", {}, "body.jsonl:line 1: no text in text, content, raw_content, contents, document; the fields"),
        ("text.jsonl", {"text_field": "body"}, "no text in body; the fields are: text; name the field"),
        ("memory://nowhere.jsonl", {}, "memory://nowhere.jsonl: no such file or folder"),
        ("memory://nowhere/*.jsonl", {}, "nothing found"),
        ("nonsense://x.jsonl", {}, "nonsense://x.jsonl: cannot read it (ValueError: Protocol not known: nonsense)"),
    ],
)  # fmt: skip
def test_every_mistake_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, options: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(Path("folder/a.xyz"), ONE)
    written(Path("empty.jsonl"), b"")
    written(Path("blank.jsonl"), b"\n \n")
    written(Path("body.jsonl"), jsonl([{"body": "b"}]))
    written(Path("text.jsonl"), ONE)
    with pytest.raises(CorpusError) as error:
        files([given], CorpusOptions(**options))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_no_input_is_a_mistake() -> None:
    with pytest.raises(CorpusError, match="no input"):
        files([], CorpusOptions())


@pytest.mark.parametrize("protocol", ["s3", "hf"])
def test_a_protocol_without_its_package_names_the_extra(protocol: str) -> None:
    try:
        fsspec.get_filesystem_class(protocol)
    except ImportError:
        with pytest.raises(
            CorpusError, match=rf"{protocol}:// needs an extra: pip install 'webscale-rl\[{protocol}\]'"
        ):
            files([f"{protocol}://bucket/a.jsonl"], CorpusOptions())


@pytest.mark.parametrize("given", ["memory://data", "memory://data/*.jsonl*", "memory://data/a.jsonl"])
def test_urls_are_read_like_paths(memory: MemoryFileSystem, given: str) -> None:
    memory.pipe("/data/a.jsonl", ONE)
    if not given.endswith("a.jsonl"):
        memory.pipe("/data/b.jsonl.gz", COMPRESSED[".gz"](jsonl([{"text": "two"}])))
        memory.pipe("/data/.c.jsonl", ONE)
        memory.pipe("/data/d.xyz", ONE)
    documents, faults = read_all(given)
    assert [document.text for document in documents] == (["one"] if given.endswith("a.jsonl") else ["one", "two"])
    assert not faults


def test_parquet_is_read_from_urls(memory: MemoryFileSystem) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["one"]}), sink)
    memory.pipe("/a.parquet", sink.getvalue())
    assert read_all("memory://a.parquet")[0][0].text == "one"


class _Flaky(MemoryFileSystem):
    """A network that goes down after 100,000 bytes of a file."""

    protocol = "flaky"
    store: dict[str, Any] = {}  # noqa: RUF012 - as its base has it
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.replace("flaky://", "memory://"))

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode != "rb":
            return super()._open(path, mode, **options)

        class File(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                if self.tell() >= 100_000:
                    raise ConnectionResetError("the network is down")
                return super().read(size)

        return File(self.cat_file(path))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.txt", "a.wet", "a.parquet"])
def test_a_network_that_fails_in_the_middle_stops_the_run_and_loses_no_document(tmp_path: Path, name: str) -> None:
    import random

    import pyarrow as pa
    import pyarrow.parquet as pq

    fsspec.register_implementation("flaky", _Flaky, clobber=True)
    noise = random.Random(3).randbytes(1_000_000).hex()
    records = [{"text": noise[start : start + 20_000]} for start in range(0, len(noise), 20_000)]
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(records), tmp_path / name, row_group_size=5)
        data = (tmp_path / name).read_bytes()
    elif name == "a.wet":
        head = b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Record-ID: <x>\r\nContent-Length: 20000\r\n\r\n"
        data = b"".join(head + record["text"].encode() + b"\r\n\r\n" for record in records)
    else:
        data = COMPRESSED.get(Path(name).suffix, bytes)(jsonl(records))
    fsspec.filesystem("flaky").pipe(f"/{name}", data)
    with pytest.raises(CorpusError, match=rf"flaky://\S*{name}: cannot read it \(ConnectionResetError: the network is"):
        read_all(f"flaky://{name}")


def test_a_file_that_vanishes_stops_the_run(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.jsonl", ONE), written(tmp_path / "b.jsonl", ONE)
    found = files([str(a), str(b)], CorpusOptions())
    b.unlink()
    with pytest.raises(CorpusError, match=r"b\.jsonl: cannot read it \(FileNotFoundError"):
        list(read(found, CorpusOptions()))


def test_no_secret_of_a_url_is_shown() -> None:
    for url in ("memory://user:secret@host/a.jsonl", "http://user:secret@127.0.0.1:9/a.jsonl?signature=secret"):
        with pytest.raises(CorpusError) as error:
            files([url], CorpusOptions())
        assert "secret" not in str(error.value)


def test_a_reader_outside_the_package_is_named_by_its_dotted_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "from webscale_rl.types import Document\n"
        "def read(file, stream, options):\n    yield Document(file.name, stream.read().decode().upper())\n"
    )
    written(tmp_path / "mine" / "__init__.py", b"")
    written(tmp_path / "mine" / "loud.py", code.encode())
    monkeypatch.syspath_prepend(tmp_path)
    documents, _ = read_all(written(tmp_path / "a.quiet", b"hush"), format="mine.loud")
    assert documents[0].text == "HUSH"
