"""The perfect client is a bound: nobody is faster, it makes the same calls, its slots are full while work is left."""

from __future__ import annotations

from pathlib import Path

from benchmarks.llm_server import Behaviour, LLMServer
from benchmarks.perfect import ideal
from tests.runs import configured, corpus
from webscale_rl import run


def test_it_makes_the_calls_of_a_real_run_and_takes_less_time(tmp_path: Path) -> None:
    path = corpus(tmp_path, 12)
    best = ideal([str(path)], Behaviour(slots=4, latency_s=0.01, tail=(0.1, 5)), 4)
    with LLMServer(slots=4, latency_s=0.01, tail=(0.1, 5)) as server:
        run(configured(path, tmp_path / "run", server.url, traffic={"concurrency": 4}))
        entries = list(server.books.entries)
    assert sorted(entry.call for entry in entries) == sorted(entry.call for entry in best.entries)
    span = max(entry.ended for entry in entries) - min(entry.started for entry in entries)
    assert best.wall_s < span


def test_it_wastes_no_slot_until_the_last_document_has_started(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    best = ideal([str(path)], Behaviour(slots=8, latency_s=0.2), 8)
    until_last_start, whole = best.slot_use(8)
    assert until_last_start > 0.999
    assert whole < until_last_start
    served_s = sum(entry.ended - entry.started for entry in best.entries)
    assert served_s / 8 <= best.wall_s < served_s / 8 + 6 * 0.2


def test_the_same_calls_take_as_long_whoever_asks(tmp_path: Path) -> None:
    path = corpus(tmp_path, 20)
    wide, narrow = (ideal([str(path)], Behaviour(slots=n, latency_s=1.0, tail=(0.2, 10)), n) for n in (16, 2))
    took = [{entry.call: round(entry.ended - entry.started, 6) for entry in best.entries} for best in (wide, narrow)]
    assert took[0] == took[1]
    assert {*took[0].values()} == {1.0, 10.0}
