"""What the writer writes depends on the rows alone, and every record ends in one place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import brief, document, ended, kept, pair, shard
from webscale_rl.dataset import writer
from webscale_rl.dataset.rows import CREATED_WITH, DROPPED_COLUMNS, EXAMPLE_COLUMNS, outcome_row, pair_row, schema
from webscale_rl.dataset.writer import (
    Facts,
    PartWriter,
    scattered_rows,
    sift,
    write_dataset,
    write_dropped,
    write_failed,
)
from webscale_rl.pipeline import Outcome
from webscale_rl.sieves.dedup import Dedup
from webscale_rl.types import Brief, Document, Drop, Example, Failure

NAMES = ("question", "answer", "pretrain_text")


def table(sizes: Sequence[int]) -> pa.Table:
    """A row per size, whose text has so many bytes; none at all where the size is 9."""
    rows = [
        {"question": f"question {number}", "answer": str(number), "pretrain_text": None if size == 9 else "x" * size}
        for number, size in enumerate(sizes)
    ]
    return pa.Table.from_pylist(rows, schema(NAMES))


def written(folder: Path, batches: Sequence[pa.RecordBatch], rows_per_file: int) -> dict[str, bytes]:
    folder.mkdir(parents=True)
    with PartWriter(folder, NAMES, rows_per_file) as parts:
        for batch in batches:
            parts.write(batch)
    assert parts.rows == sum(map(len, batches))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 60), max_size=40),
    st.sampled_from([1, 7, 16, 100]),
    st.lists(st.integers(0, 40), max_size=6),
)
def test_the_bytes_depend_on_the_rows_only(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], rows_per_file: int, cuts: list[int]
) -> None:
    rows = table(sizes)
    bounds = [0, *sorted(min(cut, len(sizes)) for cut in cuts), len(sizes)]
    (whole,) = rows.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], schema(NAMES))]
    pieces = [whole.slice(start, stop - start) for start, stop in pairwise(bounds)]
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "ROWS_PER_GROUP", 8)
        patch.setattr(writer, "BYTES_PER_GROUP", 100, raising=False)
        files = written(folder / "whole", [whole], rows_per_file)
        assert written(folder / "cut", pieces, rows_per_file) == files
    assert list(files) == [f"part-{number:05d}.parquet" for number in range(max(1, -(-len(sizes) // rows_per_file)))]
    assert [row for name in files for row in pq.read_table(folder / "cut" / name).to_pylist()] == rows.to_pylist()
    for name in files:
        with pq.ParquetFile(folder / "cut" / name) as file:
            groups = [file.read_row_group(at).column("pretrain_text") for at in range(file.num_row_groups)]
        for texts in groups:
            before_last = [len(text or "") for text in texts.to_pylist()[:-1]]
            assert len(texts) <= 8
            assert sum(before_last) < 100, "a group ends with the row that fills it"


def test_a_dataset_without_rows_is_one_part_with_all_columns(tmp_path: Path) -> None:
    with PartWriter(tmp_path, EXAMPLE_COLUMNS, 10):
        pass
    assert pq.read_table(tmp_path / "part-00000.parquet").schema.names == list(EXAMPLE_COLUMNS)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_writer_that_fails_raises_what_failed(tmp_path: Path) -> None:
    def fail() -> None:
        with PartWriter(tmp_path, NAMES, 1) as parts:
            parts.write(table([1, 2]).to_batches()[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def finished(folder: Path, *, pretrain_text: bool = True) -> tuple[list[Path], Path]:
    """Two shards with every kind of end, and the folder of the dataset that they make."""
    meta = document(source="web", url="https://a.example/1", metadata={"lang": "en", "n": [1, None]})
    shards = [
        shard(
            folder / "00000.parquet",
            [
                (0, Outcome("document", meta, None)),
                (0, kept("How tall is it?", brief=Brief(meta, "Math", "a, b"))),
                (0, ended(Drop("check", "leaks_answer", "d1"), pair(question="Leaky?"))),
                (1, ended(Drop("heuristics", "min_tokens", "3, limit 50"))),
                (2, ended(Failure("filter", "timeout"))),
                (3, ended(Drop("generate", "no_question"), brief("a cook"))),
            ],
            pretrain_text=pretrain_text,
        ),
        shard(
            folder / "00001.parquet",
            [
                (4, kept("how tall is IT?")),
                (4, kept("Why?", "iron")),
                (5, ended(Failure("check", "refused"), pair())),
                (6, kept("Who?", "Eiffel")),
                (7, kept("Who?", "Koechlin")),
            ],
            pretrain_text=pretrain_text,
        ),
    ]
    counted: list[tuple[str, str]] = []
    (folder / "scratch").mkdir()
    examples = sift(shards, [Dedup(Dedup.Options())], folder / "scratch")
    for name in ("dropped", "dataset"):
        (folder / name).mkdir()
    with PartWriter(folder / "dropped", DROPPED_COLUMNS, 100) as parts:
        write_dropped(examples, shards, parts, lambda sieve, reason: counted.append((sieve, reason)))
    with PartWriter(folder / "dataset", EXAMPLE_COLUMNS, 100) as parts:
        write_dataset(examples, shards, parts, Facts())
    assert counted == [("dedup", "duplicate_question"), *[("dedup", "conflicting_answers")] * 2]
    return shards, folder / "dataset"


@given(st.integers(0, 60), st.sampled_from([3, 7, 100]), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_a_few_rows_are_from_all_over_the_dataset_and_none_comes_twice(
    tmp_path_factory: pytest.TempPathFactory, rows: int, rows_per_file: int, count: int
) -> None:
    folder = tmp_path_factory.mktemp("parts") / "dataset"
    written(folder, table([1] * rows).to_batches(), rows_per_file)
    found = [int(row["answer"]) for row in scattered_rows(folder, ("answer",), count)]
    assert found == sorted(set(found))
    assert len(found) == min(rows, count) or rows < 2 * count  # two of few rows can fall together
    assert found[:1] == [0][:rows]
    even = [rows * number / count for number in range(count)]
    if rows >= 2 * count:
        assert all(abs(row - place) <= rows_per_file for row, place in zip(found, even, strict=True))


def test_every_kept_pair_is_an_example_or_was_dropped_by_a_sieve(tmp_path: Path) -> None:
    _, dataset = finished(tmp_path)
    rows = pq.read_table(dataset).to_pylist()
    assert [row["question"] for row in rows] == ["How tall is it?", "Why?"]
    first = Example(**rows[0])
    assert first.id == pair_row(pair(question=first.question, brief=Brief(document(), "Math", "a, b")))["id"]
    assert (first.domain, first.persona, first.source, first.url) == ("Math", "a, b", "web", "https://a.example/1")
    assert (first.document_id, first.answer_type, first.evidence) == ("d1", "quantity", "It is 330 metres tall")
    assert (first.pretrain_text, first.created_with) == (document().text, CREATED_WITH)
    assert (first.generator, first.checker, first.difficulty) == ("test", "test", None)
    assert orjson.loads(first.metadata) == {"lang": "en", "n": [1, None]}


def test_every_drop_is_told_with_its_stage_reason_and_question(tmp_path: Path) -> None:
    finished(tmp_path)
    rows = pq.read_table(tmp_path / "dropped").to_pylist()
    assert [(row["stage"], row["reason"], row["persona"], row["question"]) for row in rows] == [
        ("check", "leaks_answer", "an architect", "Leaky?"),
        ("heuristics", "min_tokens", None, None),
        ("generate", "no_question", "a cook", None),
        ("dedup", "duplicate_question", "an architect", "how tall is IT?"),
        ("dedup", "conflicting_answers", "an architect", "Who?"),
        ("dedup", "conflicting_answers", "an architect", "Who?"),
    ]
    assert [row["detail"] for row in rows[:2]] == ["d1", "3, limit 50"]
    assert {row["document_id"] for row in rows} == {"d1"}


def test_every_failure_is_told_with_its_stage_and_error(tmp_path: Path) -> None:
    shards, _ = finished(tmp_path)
    (tmp_path / "failed").mkdir()
    with PartWriter(tmp_path / "failed", DROPPED_COLUMNS, 100) as parts:
        write_failed(shards, parts)
    rows = pq.read_table(tmp_path / "failed").to_pylist()
    assert [(row["stage"], row["reason"], row["question"]) for row in rows] == [
        ("filter", "timeout", None),
        ("check", "refused", pair().question),
    ]


def test_a_run_may_leave_the_texts_out(tmp_path: Path) -> None:
    _, dataset = finished(tmp_path, pretrain_text=False)
    assert pq.read_table(dataset).column("pretrain_text").null_count == 2


def test_a_failure_is_neither_an_example_nor_a_drop() -> None:
    row = outcome_row(7, ended(Failure("check", "timeout", "told"), pair()), ("g", "c"), True)
    assert {key: row[key] for key in ("ordinal", "unit", "end", "stage", "reason", "detail", "question")} == {
        "ordinal": 7,
        "unit": "pair",
        "end": "failed",
        "stage": "check",
        "reason": "timeout",
        "detail": "told",
        "question": "How tall is the Eiffel Tower in Paris?",
    }
    assert "pretrain_text" not in row, "a text is kept once, beside what was kept"


@pytest.mark.parametrize(
    "other",
    [
        pair(question="How high?"),
        pair(answer="331 metres"),
        pair(brief=brief("a cook")),
        pair(brief=Brief(Document("d2", document().text), "Math", "an architect")),
    ],
)
def test_an_examples_id_is_of_its_content(other: object) -> None:
    assert pair_row(pair())["id"] == pair_row(pair(evidence="another"))["id"] != pair_row(other)["id"]  # type: ignore[arg-type]


def test_duckdb_reads_the_dataset(tmp_path: Path) -> None:
    _, dataset = finished(tmp_path)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT question, difficulty FROM '{dataset}/part-*.parquet' ORDER BY question")
        assert found.fetchall() == [("How tall is it?", None), ("Why?", None)]


LOAD = """
import sys, datasets
files, cache = sys.argv[1] + "/part-*.parquet", sys.argv[2]
loaded = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
print(loaded.column_names == sys.argv[3].split(","), loaded["question"][:], loaded.features["difficulty"].dtype)
"""


def test_the_datasets_library_reads_the_dataset_offline(tmp_path: Path) -> None:
    """In a process of its own: the library reads its settings when it is imported."""
    _, dataset = finished(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(dataset), str(tmp_path / "cache"), ",".join(EXAMPLE_COLUMNS)],
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "True ['How tall is it?', 'Why?'] float64", done.stderr


def test_facts_count_values_by_falling_number() -> None:
    facts = Facts()
    columns = {"domain": ["b", "a", "b"], "answer_type": ["date"] * 3, "source": [None, "web", None]}
    facts.note(pa.RecordBatch.from_pydict(columns, pa.schema([(name, pa.string()) for name in columns])))
    assert facts.of("domain") == [("b", 2), ("a", 1)]
    assert facts.of("source") == [("web", 1)]
