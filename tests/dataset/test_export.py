"""An export is there whole or not at all, with exactly the columns of its form."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from tests.records import document, pair, shard
from webscale_rl import registry
from webscale_rl.dataset.export import export
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS
from webscale_rl.dataset.writer import Facts, PartWriter, sift, write_dataset
from webscale_rl.errors import ConfigError, ExportError
from webscale_rl.pipeline import Outcome
from webscale_rl.types import Brief


def run(folder: Path, count: int = 5, *, pretrain_text: bool = True) -> Path:
    """A run directory with a dataset of two examples per part."""
    folder.mkdir(exist_ok=True)
    described = document(metadata={"lang": "en"})
    outcomes = [
        (n, Outcome("pair", pair(question=f"Q{n}?", brief=Brief(described, "Math", "p")), None)) for n in range(count)
    ]
    path = shard(folder / "0.parquet", outcomes, pretrain_text=pretrain_text)
    (folder / "scratch").mkdir()
    (folder / "dataset").mkdir()
    with PartWriter(folder / "dataset", EXAMPLE_COLUMNS, 2) as parts:
        write_dataset(sift([path], [], folder / "scratch"), [path], parts, Facts())
    return folder


def test_webscale_has_exactly_the_papers_five_columns_in_order(tmp_path: Path) -> None:
    done = export(run(tmp_path), "webscale")
    assert done.path == tmp_path / "export" / "webscale" / "train.parquet"
    table = pq.read_table(done.path)
    assert table.column_names == ["pretrain_text", "domain", "persona", "question", "answer"]
    assert done.rows == len(table) == 5
    assert table.column("question").to_pylist() == [f"Q{n}?" for n in range(5)]
    assert table.slice(0, 1).to_pylist()[0] == {
        "pretrain_text": document().text, "domain": "Math", "persona": "p", "question": "Q0?", "answer": "330 metres"
    }  # fmt: skip


def test_webscale_refuses_a_dataset_whose_texts_were_left_out(tmp_path: Path) -> None:
    run(tmp_path, pretrain_text=False)
    with pytest.raises(ExportError, match=r"no pretrain_text; run again with dataset\.pretrain_text: true"):
        export(tmp_path, "webscale")
    assert [path for path in (tmp_path / "export").rglob("*") if path.is_file()] == [], "whole or not at all"


def test_a_refused_export_leaves_an_earlier_one_alone(tmp_path: Path) -> None:
    run(tmp_path, pretrain_text=False)
    earlier = tmp_path / "mine.parquet"
    earlier.write_bytes(b"earlier")
    with pytest.raises(ExportError):
        export(tmp_path, "webscale", earlier)
    assert earlier.read_bytes() == b"earlier"


def test_jsonl_has_every_column_and_metadata_as_an_object(tmp_path: Path) -> None:
    done = export(run(tmp_path), "jsonl", tmp_path / "deep" / "er" / "all.jsonl")
    rows = [orjson.loads(line) for line in done.path.read_bytes().splitlines()]
    assert done.rows == len(rows) == 5
    assert all(tuple(row) == EXAMPLE_COLUMNS for row in rows)
    assert rows[4]["question"] == "Q4?"
    assert rows[0]["metadata"] == {"lang": "en"}


@pytest.mark.parametrize("form", registry.names("dataset.exporters", "form"))
def test_every_form_takes_an_empty_dataset_and_writes_the_same_bytes_again(tmp_path: Path, form: str) -> None:
    assert export(run(tmp_path / "empty", 0), form).rows == 0
    first = export(run(tmp_path / "full"), form)
    content = first.path.read_bytes()
    assert export(tmp_path / "full", form) == first
    assert first.path.read_bytes() == content
    assert list(first.path.parent.iterdir()) == [first.path], "no temporary file is left"


def test_what_cannot_be_exported_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no dataset here; finish the run first"):
        export(tmp_path, "webscale")
    with pytest.raises(ConfigError, match="there is no 'webscal'; did you mean 'webscale'"):
        export(run(tmp_path), "webscal")
    with pytest.raises(ExportError, match="is a folder; name the file to write"):
        export(tmp_path, "webscale", tmp_path / "dataset")
