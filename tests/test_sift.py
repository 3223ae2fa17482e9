"""A sieve on a file: every row is in one output or counted as bad, and the outputs are whole or not there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.runs import command

ASKED = [
    {"question": "Who built the tower?", "answer": "Eiffel", "more": [1, {"a": None}]},
    {"question": "who built  the tower?", "answer": "eiffel"},
    {"question": "Why?", "answer": "because"},
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def dedup(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command("dedup", *arguments)


def test_every_row_is_kept_dropped_or_bad(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", [ASKED[0], "{broken", ASKED[1], "", ASKED[2], "[1]"])
    out, gone = tmp_path / "out.jsonl", tmp_path / "gone.jsonl"
    done = dedup(source, "--out", out, "--dropped", gone, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["seen"], told["kept"], told["dropped"]) == (5, 2, {"duplicate_question": 1})
    assert told["bad"] == {"corrupt_line": 1, "not_an_object": 1}
    assert f"{source}:line 2: corrupt_line" in done.stderr
    kept = out.read_text(encoding="utf-8").splitlines()
    dropped = [json.loads(line) for line in gone.read_text(encoding="utf-8").splitlines()]
    assert set(kept) < {json.dumps(row) for row in ASKED}, "a row that stays is the same to the letter"
    (row,) = dropped
    assert row.pop("reason") == "duplicate_question"
    assert row.pop("detail").startswith("same question as line ")
    assert row in ASKED
    assert len(kept) + len(dropped) == 3


def test_formats_go_by_the_endings(tmp_path: Path) -> None:
    source = lines(tmp_path / "in.jsonl", ASKED[1:])
    assert dedup(source, "--out", tmp_path / "out.parquet").returncode == 0
    assert dedup(tmp_path / "out.parquet", "--out", tmp_path / "again.jsonl.zst").returncode == 0
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == ASKED[1:]
    again = zstandard.ZstdDecompressor().stream_reader((tmp_path / "again.jsonl.zst").read_bytes()).read()
    assert [json.loads(line) for line in again.splitlines()] == ASKED[1:]


def test_rows_of_parquet_stay_what_they_were(tmp_path: Path) -> None:
    count = 300
    table = pa.table(
        {
            "question": pa.array([f"What is number {at % 200} of the list?" for at in range(count)], pa.large_string()),
            "answer": pa.array([str(at % 200) for at in range(count)]).dictionary_encode(),
            "nested": [{"at": at, "more": [str(at), None]} if at % 7 else None for at in range(count)],
            "time": pa.array(range(count), pa.timestamp("ns")),
            "map": pa.array([[("key", at)] for at in range(count)], pa.map_(pa.string(), pa.int64())),
            "nothing": pa.nulls(count),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=97)
    gone = tmp_path / "gone.parquet"
    done = dedup(tmp_path / "in.parquet", "--out", tmp_path / "out.parquet", "--dropped", gone, "--json")
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["kept"], json.loads(done.stdout)["dropped"]) == (200, {"duplicate_question": 100})
    kept, dropped = pq.read_table(tmp_path / "out.parquet"), pq.read_table(gone).drop_columns(["reason", "detail"])
    assert kept.schema.equals(table.schema)
    together = pa.concat_tables([kept, dropped]).to_pylist()
    assert sorted(together, key=lambda row: row["time"]) == table.to_pylist()


@pytest.mark.parametrize("source", ["in.parquet", "in.jsonl"])
@pytest.mark.parametrize("gone", ["gone.parquet", "gone.jsonl"])
def test_a_column_of_the_verdict_that_is_there_already_is_told(tmp_path: Path, source: str, gone: str) -> None:
    rows = [{"question": "Why?", "answer": "iron", "reason": "x"}] * 2
    lines(tmp_path / "in.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    done = dedup(tmp_path / source, "--out", tmp_path / "out.jsonl", "--dropped", tmp_path / gone)
    assert done.returncode == 2
    assert "has a column 'reason' already" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_without_answers_keeps_what_is_only_alike(tmp_path: Path) -> None:
    words = "what did the engineers who inspected the old iron tower in the harbour of the town find at its foot"
    source = lines(tmp_path / "in.jsonl", [{"question": words}, {"question": f"{words} then"}, {"question": words}])
    told = dedup(source, "--out", tmp_path / "out.jsonl")
    assert "no answers, so only equal questions go" in told.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2
    dedup(source, "--out", tmp_path / "out.jsonl", "--lexical")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["in.jsonl", "--out", "out.jsonl", "--field", "asked"],
            "in.jsonl: has no column 'asked' (--field); it has: question",
        ),
        (["none.jsonl", "--out", "out.jsonl"], "none.jsonl"),
        (["in.jsonl", "--out", "out.jsonl", "--dropped", "./out.jsonl"], "out.jsonl: named for both outputs"),
        (["in.jsonl", "--out", "out.xml"], "out.xml: what is written there?"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "in.jsonl", ASKED)
    done = command("dedup", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


def test_documents_go_by_their_text(tmp_path: Path) -> None:
    page = " ".join(f"word{number}" for number in range(200))
    rows = [{"text": page}, {"text": "Another page."}, {"text": page.replace("word100", "else")}, {"text": page}]
    done = dedup(lines(tmp_path / "in.jsonl", rows), "--documents", "--out", tmp_path / "out.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kept"], told["dropped"]) == (2, {"duplicate_document": 1, "near_duplicate": 1})


def balance(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command("balance", *arguments)


def test_a_file_is_balanced_by_any_column_whichever_way_its_rows_come(tmp_path: Path) -> None:
    rows = [{"question": f"q{at}", "topic": "sea" if at % 3 else "sky", "rate": at / 8} for at in range(9)]
    options = ["--by", "topic", "--quota", "sea=2", "--quota", "sky=5", "--dropped", tmp_path / "gone.jsonl"]
    left = []
    for name, given in (("in", rows), ("back", rows[::-1])):
        done = balance(lines(tmp_path / f"{name}.jsonl", given), *options, "--out", tmp_path / "out.jsonl")
        assert done.returncode == 0, done.stderr
        assert "topic sky: 3 of 3 kept, 2 short" in done.stdout
        left.append(sorted((tmp_path / "out.jsonl").read_text().splitlines()))
    assert left[0] == left[1]
    assert len(left[0]) == 5
    assert "topic sea: 2 of 6 stay at most" in (tmp_path / "gone.jsonl").read_text()
    bins = ["--by", "rate", "--bins", "--quota", "0.25-0.5=9", "--drop-others", "--json"]
    done = balance(tmp_path / "in.jsonl", *bins, "--out", tmp_path / "out.jsonl")
    assert json.loads(done.stdout)["kept"] == 3
    done = balance(tmp_path / "in.jsonl", "--by", "topic", "--quota", "sea", "--out", tmp_path / "no.jsonl")
    assert (done.returncode, done.stderr) == (2, "webscale-rl: 'sea': write VALUE=NUMBER\n")
