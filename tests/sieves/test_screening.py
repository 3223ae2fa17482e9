"""A decontaminated file is the clean rows of the input as they were, whole or not at all."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webscale_rl.cli import main
from webscale_rl.errors import UserError
from webscale_rl.sieves.screening import COLUMNS, Screening

ASKED = "How many metres of rope does the old ferryman need to tie three boats to the stone pier?"
CLEAN = '{ "question": "Why is the sky over the sea blue in the morning?",   "n": 1.50, "answer": "x" }'
ROWS = [
    CLEAN,
    json.dumps({"question": ASKED.upper(), "n": 2, "answer": "12"}),
    json.dumps({"question": None, "n": 3, "answer": "y"}),
    json.dumps({"question": "Name the author of the second letter.", "n": 4, "answer": "é"}, ensure_ascii=False),
]


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.jsonl").write_text(json.dumps({"question": ASKED, "answer": "12"}) + "\n")
    return str(tmp_path / "own.jsonl")


def written(path: Path, rows: list[str]) -> str:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr("sys.argv", ["webscale-rl", "decontaminate", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    return exit_.value.code


def test_clean_rows_stay_character_by_character_and_the_others_say_why(tmp_path: Path, own: str) -> None:
    told: list[str] = []
    out, dropped = tmp_path / "out.jsonl", tmp_path / "dropped.jsonl"
    summary = Screening(written(tmp_path / "in.jsonl", ROWS), out, dropped, against=[own], tell=told.append).run()
    assert out.read_text(encoding="utf-8").splitlines() == [ROWS[0], ROWS[3]]
    (row,) = [json.loads(line) for line in dropped.read_text().splitlines()]
    assert {name: row[name] for name in ("question", "n", "answer")} == json.loads(ROWS[1])
    assert [row[name] for name in COLUMNS[:2]] == ["same_question", "own.jsonl"]
    assert row["contamination_span"].startswith("words 1 to 18: HOW MANY METRES")
    assert (summary.rows, summary.kept, summary.dropped, summary.bad) == (4, 2, 1, 1)
    assert told == [f"{tmp_path}/in.jsonl:line 3: no_text (no text in question)"]


def test_parquet_keeps_its_schema_and_every_format_becomes_every_other(tmp_path: Path, own: str) -> None:
    rows = [json.loads(row) for row in ROWS]
    schema = pa.schema(
        [("question", pa.string()), ("n", pa.float32()), ("answer", pa.dictionary(pa.int32(), pa.string()))]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "in.parquet")
    Screening(str(tmp_path / "in.parquet"), tmp_path / "out.parquet", against=[own]).run()
    back = pq.read_table(tmp_path / "out.parquet")
    assert back.schema.equals(schema)
    assert [row["n"] for row in back.to_pylist()] == [1.5, 4.0]
    Screening(str(tmp_path / "in.parquet"), tmp_path / "out.jsonl.gz", tmp_path / "d.parquet", against=[own]).run()
    lines = gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1.5, 4.0]
    assert pq.read_table(tmp_path / "d.parquet").column_names == [*schema.names, *COLUMNS]
    Screening(str(tmp_path / "out.jsonl.gz"), tmp_path / "again.parquet", against=[own]).run()
    assert pq.read_table(tmp_path / "again.parquet").num_rows == 2


def test_documents_are_screened_before_any_call_is_paid(tmp_path: Path, own: str) -> None:
    filler = "The harbour was quiet and the gulls sat on the wall. " * 40
    texts = [filler, filler + ASKED.replace("?", " -") + filler]
    source = written(tmp_path / "in.jsonl", [json.dumps({"text": text}) for text in texts])
    summary = Screening(source, against=[own], fields=("text", None)).run()
    assert (summary.kept, summary.dropped_by) == (1, {"own.jsonl": {"contains_question": 1}})


def test_the_answer_is_looked_at_if_there_is_one(tmp_path: Path, own: str) -> None:
    asked = (
        ASKED.replace("metres", "feet").replace("rope", "chain").replace("ferryman", "captain").replace("stone", "new")
    )
    rows = [json.dumps({"question": asked, "answer": answer, "other": "12"}) for answer in ("12", "300")]
    source = written(tmp_path / "in.jsonl", rows)
    assert Screening(source, against=[own]).run().dropped == 1
    assert Screening(source, against=[own], fields=("question", "other")).run().dropped == 2


def test_a_file_that_breaks_off_leaves_no_output(tmp_path: Path, own: str) -> None:
    whole = gzip.compress(("\n".join(ROWS * 2000)).encode())
    (tmp_path / "in.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "out.jsonl").write_text("as it was\n")
    with pytest.raises(UserError, match=r"in.jsonl.gz:line \d+: "):
        Screening(str(tmp_path / "in.jsonl.gz"), tmp_path / "out.jsonl", tmp_path / "d.jsonl", against=[own]).run()
    assert (tmp_path / "out.jsonl").read_text() == "as it was\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl.gz", "out.jsonl", "own.jsonl"]


def test_the_command_prints_the_books_and_says_by_its_code_that_rows_were_bad(
    tmp_path: Path, own: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "in.jsonl", ROWS)
    assert ended(monkeypatch, source, "--benchmarks", own, "--out", tmp_path / "out.jsonl", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["kept"], told["dropped"], told["bad"]) == (4, 2, 1, 1)
    assert told["coverage"]["own.jsonl"] == dict.fromkeys(("items", "runs"), 1) | dict.fromkeys(
        ("short_runs", "near", "whole", "uncovered"), 0
    )
    assert ended(monkeypatch, tmp_path / "out.jsonl", "--benchmarks", own, tmp_path / "in.jsonl") == 0
    printed = capsys.readouterr().out
    assert "rows: 2 seen = 0 kept + 2 dropped + 0 bad" in printed, "the second benchmark is the file itself"
    assert "dropped by rule: same_question 2" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["in.jsonl", "other.jsonl"], "other.jsonl: one file at a time; benchmarks are named by --benchmarks"),
        (
            ["in.jsonl", "--benchmarks", "gone"],
            "gone: no such benchmark; name a file, a folder, or one of arc_challenge",
        ),
        (["in.jsonl", "--field", "text"], "no column text (--field NAME); the columns are: question, n, answer"),
        (["in.jsonl", "--answer-field", "key"], "no column key (--answer-field NAME)"),
        (["in.jsonl", "--out", "in.jsonl"], "in.jsonl: is the input; write to another file"),
        (["in.jsonl", "--out", "a.jsonl", "--dropped", "a.jsonl"], "a.jsonl: named for both outputs"),
        (["gone.jsonl"], "gone.jsonl: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: list[str], told: str, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "in.jsonl", ROWS)
    assert ended(monkeypatch, *arguments) == 2
    assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
