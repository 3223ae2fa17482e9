"""A served model is asked as a run asks: no answer is paid twice, and none that is missing counts as wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.llm_server import LLMServer
from webscale_rl.errors import ChangedError, RunStopped
from webscale_rl.evaluation import Options, evaluate, read_evaluated
from webscale_rl.ledger import read_ledger

TRAFFIC = {"concurrency": 4, "backoff_s": 0.01, "max_backoff_s": 0.02, "attempts": 2}


@pytest.fixture
def server() -> Iterator[LLMServer]:
    with LLMServer() as running:
        yield running


def suite(folder: Path, count: int = 6) -> Path:
    path = folder / "facts.jsonl"
    rows = [{"question": f"What is {n} plus 1?", "answer": str(n + 1)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def options(server: LLMServer, **more: object) -> Options:
    return Options(base_url=server.url, traffic=TRAFFIC, **more)  # type: ignore[arg-type]


def test_every_sample_is_asked_once_and_its_tokens_are_in_the_books(server: LLMServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluated = evaluate("student", suite(tmp_path), out, samples=3, options=options(server))
    (row,) = evaluated.rows
    assert (row.status, row.count) == ("done", 6)
    assert sum(server.books.paid.values()) == 18
    samples = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert [one["sample"] for one in samples] == [0, 1, 2] * 6
    assert all(one["response"] for one in samples)
    ledger = read_ledger(out)
    assert ledger.rollout > 0
    assert ledger.usd is None, "nobody knows what this server costs"
    again = evaluate("student", suite(tmp_path), out, samples=3, options=options(server))
    assert again == evaluated == read_evaluated(out)
    assert sum(server.books.paid.values()) == 18, "a finished row is not asked again"


def test_a_cap_stops_resumably_and_what_was_paid_is_not_paid_again(server: LLMServer, tmp_path: Path) -> None:
    path, out = suite(tmp_path, 40), tmp_path / "out"
    with pytest.raises(RunStopped) as stopped:
        evaluate("student", path, out, options=options(server, caps={"tokens": 400}))
    assert stopped.value.code == 3
    paid = sum(server.books.paid.values())
    assert 0 < paid < 40
    evaluated = evaluate("student", path, out, options=options(server))
    assert evaluated.rows[0].count == 40
    assert sum(server.books.paid.values()) == 40
    assert server.books.paid_twice == 0
    with pytest.raises(ChangedError, match="model"):
        evaluate("teacher", path, out, options=options(server))


def test_answers_that_did_not_come_are_no_wrong_answers(tmp_path: Path) -> None:
    with LLMServer(faults={"400": 0.5}) as server:
        evaluated = evaluate("student", suite(tmp_path, 20), tmp_path / "out", options=options(server))
    (row,) = evaluated.rows
    assert (row.status, row.score, evaluated.failed) == ("failed", None, 1)
    assert "answers did not come; run again to ask for them" in row.why
