"""A scored file is the input with verdicts: every row once, in its order, whole or not at all."""

from __future__ import annotations

import datetime
import gzip
import json
import signal
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from benchmarks.llm_server import LLMServer
from tests.reward.undecided import rows as undecided
from tests.runs import command, started
from webscale_rl.cli import main
from webscale_rl.errors import RunStopped, UserError
from webscale_rl.reward.judge import Judge
from webscale_rl.reward.score import Fields, Scoring

ROWS = [
    {"question": "How many?", "ground_truth": "42", "response": "Answer: 42", "id": 7},
    {"question": "How many?", "ground_truth": "42", "response": "Answer: 41", "id": 8},
    {"question": "How many?", "ground_truth": ["41", "42"], "response": "\\boxed{42}", "id": 9},
    {"question": "How many?", "ground_truth": "42", "response": "<think>hm", "id": 10},
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()  # type: ignore[no-any-return]
    opener: dict[str, Callable[[Path], bytes]] = {
        ".gz": lambda file: gzip.decompress(file.read_bytes()),
        ".zst": lambda file: zstandard.ZstdDecompressor().stream_reader(file.read_bytes()).read(),
    }
    data = opener.get(path.suffix, Path.read_bytes)(path)
    return [json.loads(line) for line in data.splitlines()]


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    """The exit code of the command in this process: quicker than one of its own, where that makes no difference."""
    monkeypatch.setattr("sys.argv", ["webscale-rl", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    return exit_.value.code


def judged(url: str, journal: Path, **options: Any) -> Callable[[Any], Judge]:
    return lambda stop: Judge.openai("m", url, journal=journal, stop=stop, **options)


def test_every_row_comes_out_in_order_with_its_columns_and_a_verdict(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    summary = Scoring(str(lines(tmp_path / "in.jsonl", ROWS)), out).run()
    found = read(out)
    assert [{k: v for k, v in row.items() if k not in ("score", "how", "extracted")} for row in found] == ROWS
    assert [row["score"] for row in found] == [1, 0, 1, 0]
    assert [row["extracted"] for row in found] == ["42", "41", "42", ""]
    assert found[3]["how"] == "answer/unfinished_think"
    assert (summary.total.right, summary.total.wrong, summary.total.undecided, summary.total.mean) == (2, 2, 0, 0.5)
    assert sum(tally.rows for tally in summary.by_type.values()) == 4
    assert sum(tally.rows for tally in summary.by_rule.values()) == 4


def test_a_line_keeps_its_very_characters(tmp_path: Path) -> None:
    odd = '{"ground_truth": "42",  "response":"Answer: 42", "n": 12345678901234567890123, "f": 1.0, "s": "\\u00e9" }'
    out = tmp_path / "out.jsonl"
    Scoring(str(lines(tmp_path / "in.jsonl", [odd])), out).run()
    assert out.read_text().startswith(odd[:-2] + ',"score":1,"how":"')


@pytest.mark.parametrize("into", ["out.jsonl", "out.jsonl.gz", "out.ndjson.zst", "out.parquet"])
@pytest.mark.parametrize("packed", ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"])
def test_the_ending_says_the_format_in_and_out(tmp_path: Path, packed: str, into: str) -> None:
    rows = [{**row, "ground_truth": "42", "extra": {"a": [1, 2], "b": None}, "late": None} for row in ROWS]
    rows[3]["late"] = "only here"
    path = tmp_path / f"in.{packed}"
    plain = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if packed == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif packed == "jsonl.gz":
        path.write_bytes(gzip.compress(plain))
    elif packed == "jsonl.zst":
        path.write_bytes(zstandard.compress(plain))
    else:
        path.write_bytes(plain)
    out = tmp_path / into
    Scoring(str(path), out).run()
    found = read(out)
    assert [row["score"] for row in found] == [1, 0, 1, 0]
    assert [{name: row[name] for name in rows[0]} for row in found] == rows


def test_parquet_keeps_types_that_json_cannot_say_and_json_gets_them_as_text(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    columns = {
        "response": pa.array(["Answer: 42"] * 2),
        "answer": pa.array([["42"], ["43"]]),
        "when": pa.array([day, None], pa.timestamp("ns", "UTC")),
        "price": pa.array([Decimal("1.10"), None]),
        "data": pa.array([b"\xff", None]),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
    }
    table = pa.table(columns).replace_schema_metadata({"mine": "kept"})
    pq.write_table(table, tmp_path / "in.parquet")
    Scoring(str(tmp_path / "in.parquet"), tmp_path / "out.parquet").run()
    found = pq.read_table(tmp_path / "out.parquet")
    assert found.select(list(columns)).equals(pq.read_table(tmp_path / "in.parquet"))
    assert found.schema.metadata[b"mine"] == b"kept"
    assert found["score"].to_pylist() == [1, 0]
    Scoring(str(tmp_path / "in.parquet"), tmp_path / "out.jsonl").run()
    first = read(tmp_path / "out.jsonl")[0]
    assert (first["when"], first["price"], first["kind"]) == ("2024-02-29T12:00:00+00:00", "1.10", "a")


def test_a_row_that_cannot_be_graded_is_named_counted_and_written_without_a_score(tmp_path: Path) -> None:
    bad = [
        ROWS[0],
        {"ground_truth": "42", "x": 1},
        "[1, 2]",
        '{"response": ',
        "",
        {"ground_truth": "42", "response": 42},
        {"ground_truth": " ", "response": "42"},
        {"ground_truth": {"deep": 1}, "response": "42"},
        {"ground_truth": [["42"]], "response": "42"},
        {"ground_truth": "42", "response": "42", "question": ["no"]},
        ROWS[1],
    ]
    told: list[str] = []
    out = tmp_path / "out.jsonl"
    path = lines(tmp_path / "in.jsonl", bad)
    summary = Scoring(str(path), out, tell=told.append).run()
    assert told[0] == f"{path}:line 2: no_response"
    assert told[1] == f"{path}:line 3: not_an_object (a JSON list)"
    assert [line.split(": ")[1].split(" (")[0] for line in told[2:]] == [
        "corrupt_line", "response_type", "no_ground_truth", "ground_truth_type", "ground_truth_type", "question_type",
    ]  # fmt: skip
    found = read(out)
    assert [row["score"] for row in found] == [1, *[None] * 8, 0]
    assert found[1] == {"ground_truth": "42", "x": 1, "score": None, "how": "row/no_response", "extracted": ""}
    assert found[3] == {"score": None, "how": "row/corrupt_line", "extracted": ""}
    assert (sum(summary.bad.values()), summary.total.rows) == (8, 2)


def test_bad_rows_without_end_are_told_a_few_times_only(tmp_path: Path) -> None:
    told: list[str] = []
    rows = [ROWS[0], *[{"ground_truth": "1"}] * 500]
    Scoring(str(lines(tmp_path / "in.jsonl", rows)), tell=told.append).run()
    assert len(told) == 21


def test_a_response_may_be_messages_and_a_ground_truth_a_number(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": "Answer: 42"}]
    rows = [{"answer": 42, "response": messages}, {"answer": [1, 42.5], "response": "Answer: 42.5"}]
    out = tmp_path / "out.jsonl"
    Scoring(str(lines(tmp_path / "in.jsonl", rows)), out).run()
    assert [row["score"] for row in read(out)] == [1, 1]


def test_a_ground_truth_may_be_a_stored_reference_also_as_a_column_of_structs(tmp_path: Path) -> None:
    stored = [{"answer": "42", "type": "number"}, {"answer": "100", "type": "number", "tolerance": 0.1}]
    rows = [{"answer": one, "response": f"Answer: {said}"} for one, said in zip(stored, ("42", "95"), strict=True)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    for path in (lines(tmp_path / "in.jsonl", rows), tmp_path / "in.parquet"):
        Scoring(str(path), tmp_path / "out.jsonl").run()
        assert [row["score"] for row in read(tmp_path / "out.jsonl")] == [1, 1]


def test_columns_can_be_named_and_our_own_can_be_set_apart(tmp_path: Path) -> None:
    rows = [{"q": "How many?", "gold": "42", "completion": "Answer: 42", "score": 3, "answer": "no"}]
    path = lines(tmp_path / "in.jsonl", rows)
    fields = Fields("completion", "gold", "q")
    with pytest.raises(UserError, match=r"has a column 'score' already; say --prefix"):
        Scoring(str(path), tmp_path / "out.jsonl", fields=fields)
    Scoring(str(path), tmp_path / "out.jsonl", fields=fields, prefix="rl_").run()
    (found,) = read(tmp_path / "out.jsonl")
    assert (found["score"], found["rl_score"]) == (3, 1)


def test_a_column_that_clashes_late_stops_it_and_nothing_is_written(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", [*[ROWS[0]] * 600, {**ROWS[0], "how": "mine"}])
    out = tmp_path / "out.jsonl"
    out.write_text("older")
    with pytest.raises(UserError, match=r"in\.jsonl:line 601: has a column 'how' already"):
        Scoring(str(path), out).run()
    assert out.read_text() == "older"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: no such file or folder"),
        (["in.csv"], "in.csv: not a file of rows; its name should end in .jsonl"),
        (["empty.jsonl"], "empty.jsonl: empty"),
        (["array.json"], "array.json: a JSON array; write it as JSON Lines"),
        (["broken.parquet"], "broken.parquet: no Parquet file"),
        (["cut.jsonl.gz"], "the gzip archive ends early"),
        (
            ["in.jsonl", "--response-field", "text"],
            "no column text (--response-field NAME); the columns are: id, prompt",
        ),
        (["in.jsonl"], "no column response (--response-field NAME); the columns are: id, prompt, reply"),
        (["in.jsonl", "--response-field", "reply"], "no column ground_truth or answer or solution or expected_answer"),
        (["good.jsonl", "--question-field", "q"], "no column q (--question-field NAME)"),
        (["good.jsonl", "--style", "xml"], "style"),
        (["good.jsonl", "--out", "o.parquet"], "no Parquet type fits the column 'ground_truth'"),
        (["good.jsonl", "--out", "out.csv"], "out.csv: what is written there?"),
        (["good.jsonl", "--out", "nowhere/out.jsonl"], "its folder is not there"),
        (["good.jsonl", "--out", "good.jsonl"], "is the input"),
        (["good.jsonl", "--max-tokens", "5"], "--max-tokens: needs --judge-model"),
        (["good.jsonl", "--judge-model", "m"], "out: missing"),
        (["good.jsonl", "--judge-model", "m", "--out", "o.jsonl", "--max-usd", "0"], "caps.usd"),
        (["good.jsonl", "--judge-model", "m", "--out", "o.jsonl", "--base-url", "ftp://x"], "base_urls"),
        (
            ["good.jsonl", "--judge-model", "m", "--out", "o.jsonl", "--base-url", "http://127.0.0.1:9/v1"],
            "is the server running?",
        ),
        (
            ["good.jsonl", "--judge-model", "m", "--out", "o.jsonl", "--base-url", "http://h/v1", "--max-usd", "1"],
            "no price is known for m at this server",
        ),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines(Path("in.jsonl"), [{"id": 1, "prompt": "p", "reply": "r"}])
    lines(Path("good.jsonl"), ROWS)
    Path("in.csv").write_text("a,b\n")
    Path("empty.jsonl").write_text("")
    Path("array.json").write_text(json.dumps(ROWS))
    Path("broken.parquet").write_text("PAR1 no")
    Path("cut.jsonl.gz").write_bytes(gzip.compress(Path("good.jsonl").read_bytes() * 99)[:-40])
    code = ended(monkeypatch, "score", *arguments)
    told = capsys.readouterr()
    assert code == 2, told
    assert said in told.err
    assert len(told.err.strip().splitlines()) == 1, told.err
    assert not Path("o.jsonl").exists()


def test_the_command_prints_a_table_by_type_and_rule_and_ends_with_1_if_rows_were_bad(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", [*ROWS, {"ground_truth": "1"}])
    done = command("score", path, "--out", tmp_path / "out.jsonl")
    assert done.returncode == 1, done.stderr
    assert f"webscale-rl: {path}:line 5: no_response" in done.stderr
    table = [line.split() for line in done.stdout.splitlines()]
    assert ["all", "4", "2", "2", "0", "0.500"] in table
    assert done.stdout.splitlines()[-1] == f"rows: {tmp_path / 'out.jsonl'}"


def test_json_output_is_json_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = ended(monkeypatch, "score", lines(tmp_path / "in.jsonl", [*ROWS, {"ground_truth": "1"}]), "--json")
    told = json.loads(capsys.readouterr().out)
    assert (code, told["rows"], told["right"], told["mean"], told["bad"]) == (1, 4, 2, 0.5, {"no_response": 1})
    assert told["by_rule"]["answer/unfinished_think"]["wrong"] == 1


def test_rows_stay_in_order_while_the_judge_answers_out_of_order_and_many_are_asked_at_once(tmp_path: Path) -> None:
    rows = [row for pair in zip(undecided(150), (ROWS * 38)[:150], strict=True) for row in pair]
    path = lines(tmp_path / "in.jsonl", rows)
    out = tmp_path / "out.jsonl"
    with LLMServer(latency_s=0.01, tail=(0.05, 8.0)) as server:
        summary = Scoring(str(path), out).run(judged(server.url, tmp_path / "judge"))
        assert server.books.max_in_flight > 16
        assert len(server.books.entries) == 150
    found = read(out)
    assert [row["question"] for row in found] == [row["question"] for row in rows]
    assert {row["how"] for row in found[::2]} == {"judge/incorrect"}
    assert summary.judge is not None
    assert summary.judge["calls"] == 150
    assert summary.judge["prompt_tokens"] > 0


def test_few_rows_are_open_while_the_judge_is_slow(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", undecided(1000))
    scoring = Scoring(str(path), tmp_path / "out.jsonl")
    read_ahead = 0
    with LLMServer(latency_s=0.02) as server:
        chunks = scoring._rows.chunks

        def watched(columns: Any) -> Any:
            nonlocal read_ahead
            for chunk in chunks(columns):
                read_ahead = max(read_ahead, chunk.numbers[-1] - scoring.summary.total.rows)
                yield chunk

        scoring._rows.chunks = watched  # type: ignore[method-assign]
        scoring.run(judged(server.url, tmp_path / "judge"), calls_ahead=100)
    assert 0 < read_ahead <= 2 * 256 + 100


def test_a_cap_stops_with_exit_code_3_and_the_next_run_pays_for_the_rest_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines(tmp_path / "in.jsonl", undecided(40))
    out = tmp_path / "out.jsonl"
    with LLMServer(latency_s=0.02) as server:
        asked = ["score", path, "--out", out, "--judge-model", "m", "--base-url", server.url, "--concurrency", 4]
        assert ended(monkeypatch, *asked, "--max-tokens", 8000) == 3
        told = capsys.readouterr().err.strip()
        assert "the cap of 8,000 tokens is reached" in told
        assert len(told.splitlines()) == 1
        assert not out.exists()
        paid = len(server.books.entries)
        assert 0 < paid < 40
        for calls in (40 - paid, 0):
            assert ended(monkeypatch, *asked, "--json") == 0
            assert json.loads(capsys.readouterr().out)["judge"]["calls"] == calls
        assert (len(server.books.entries), server.books.paid_twice) == (40, 0)
    assert [row["score"] for row in read(out)] == [0] * 40


def test_ctrl_c_stops_with_exit_code_3_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", undecided(60))
    out = tmp_path / "out.jsonl"
    with LLMServer(latency_s=0.3) as server:
        process = started(
            "score", path, "--out", out, "--judge-model", "m", "--base-url", server.url, "--concurrency", "8"
        )
        while not server.books.paid:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
        assert process.returncode == 3, told
        assert "stopped by SIGINT" in told
        assert "Traceback" not in told
        assert not out.exists()
        Scoring(str(path), out).run(judged(server.url, tmp_path / "out.jsonl.judge"))
        assert (len(server.books.entries), server.books.paid_twice) == (60, 0)


def test_rows_that_the_judge_failed_on_stay_undecided_and_end_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lines(tmp_path / "in.jsonl", undecided(5))
    out = tmp_path / "o.jsonl"
    with LLMServer(faults={"garbage": 1.0}) as server:
        assert ended(monkeypatch, "score", path, "--out", out, "--judge-model", "m", "--base-url", server.url) == 1
    assert "not judged: unparseable 5; run again to ask again" in capsys.readouterr().out
    assert {row["score"] for row in read(out)} == {None}


def test_a_wrong_key_stops_at_once_with_one_clear_line(tmp_path: Path) -> None:
    path = lines(tmp_path / "in.jsonl", undecided(50))
    with LLMServer(api_key="right") as server:
        with pytest.raises(RunStopped, match="OPENAI_API_KEY is not set") as stopped:
            Scoring(str(path), tmp_path / "o.jsonl").run(judged(server.url, tmp_path / "judge"))
        assert len(server.books.entries) <= 50
    assert stopped.value.code == 2
    assert not (tmp_path / "o.jsonl").exists()


def test_the_same_rows_give_the_same_bytes_whoever_judges_how_fast(tmp_path: Path) -> None:
    rows = [row for pair in zip(undecided(50), ROWS[:2] * 25, strict=True) for row in pair]
    path = lines(tmp_path / "in.jsonl", rows)
    outs = [tmp_path / f"{number}.parquet" for number in range(2)]
    for number, out in enumerate(outs):
        with LLMServer(latency_s=0.005 * number, tail=(0.1, 5.0)) as server:
            Scoring(str(path), out).run(judged(server.url, tmp_path / f"judge{number}"))
    assert outs[0].read_bytes() == outs[1].read_bytes()
