"""events.jsonl and the percentiles: they add up with the books of the server, and they tell nobody's secrets."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.runs import command, configured, corpus, documents, started
from webscale_rl import RunStopped, run
from webscale_rl.backend import BackendOptions, Reply, Request, Usage
from webscale_rl.config import TrafficOptions
from webscale_rl.engine.calls import CANCELLED, OK, Call
from webscale_rl.engine.events import EVENTS_FILE, EventLog
from webscale_rl.engine.stop import Stop
from webscale_rl.engine.traffic import Traffic
from webscale_rl.histogram import RELATIVE_ERROR
from webscale_rl.prompt import Prompt
from webscale_rl.stages.filter import FilterReply

OUTCOMES = {
    "ok": OK,
    "429": "rate_limited",
    "503": "overloaded",
    "400": "bad_request",
    "reset": "unreachable",
    "truncated_body": "unreachable",
    "bad_json": "malformed",
    "cut": "truncated",
    "refusal": "refused",
    "empty": "empty",
    "garbage": "unparseable",
}
"""What the server did, and what the client calls it."""
CALL = Call(1763840000.5, "filter", "m", "http://a/v1", 2, 0.25, 1.5, Usage(7, 5, 3, 1), OK)


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / EVENTS_FILE).read_text(encoding="utf-8").splitlines()]


def test_every_request_that_the_server_saw_has_its_line_and_its_outcome(tmp_path: Path) -> None:
    faults = {fault: 0.03 for fault in OUTCOMES if fault != "ok"}
    with LLMServer(faults=faults, latency_s=0.01, slots=4) as server:
        result = run(configured(corpus(tmp_path, 40), tmp_path / "run", server.url))
        books = server.books
    found = events(tmp_path / "run")
    told = Counter((event["stage"], event["outcome"]) for event in found)
    assert told == Counter((entry.stage, OUTCOMES[entry.outcome]) for entry in books.entries)
    assert {outcome for _, outcome in told} == set(OUTCOMES.values()), "no kind of fault is left out"
    assert {(event["model"], event["endpoint"]) for event in found} == {("m", server.url)}
    assert max(event["attempt"] for event in found) > 1
    for stage, calls in result.summary["calls"].items():
        of_stage = [event for event in found if event["stage"] == stage]
        for kind in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"):
            assert sum(event[kind] for event in of_stage) == calls[kind], (stage, kind)
    answered = sum(event["latency_s"] for event in found if event["outcome"] == OK)
    served = sum(entry.ended - entry.arrived for entry in books.entries if entry.outcome == "ok")
    assert answered >= served > 0, "a client waits at least as long as its server takes"
    assert max(event["queue_s"] for event in found) > 0.005, "more calls than 8 make others wait"


def test_no_word_of_a_document_and_no_key_stands_in_a_line(tmp_path: Path) -> None:
    key = "sk-very-secret-0123456789"
    with subprocess_server("--api-key", key) as url:
        arguments = ["run", corpus(tmp_path, 3), "--base-url", url, "--model", "m", "--out"]
        assert command(*arguments, tmp_path / "good", OPENAI_API_KEY=key).returncode == 0
        assert command(*arguments, tmp_path / "bad", OPENAI_API_KEY=key + "x").returncode == 2
    words = {word for document in documents(3) for word in (*document["text"].split(), document["id"]) if len(word) > 5}
    for folder in ("good", "bad"):
        text = (tmp_path / folder / EVENTS_FILE).read_text(encoding="utf-8")
        assert text
        assert key not in text
        assert [word for word in words if word in text] == []
    assert {event["outcome"] for event in events(tmp_path / "bad")} == {"unauthorized"}


async def test_a_call_that_is_given_up_in_flight_has_its_line(tmp_path: Path) -> None:
    class Deaf:
        name, paid, Options = "deaf", True, BackendOptions
        called = asyncio.Event()

        async def reply(self, request: Request) -> Reply:
            self.called.set()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        async def __aenter__(self) -> Deaf:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    seen: list[Call] = []
    traffic = Traffic(Deaf(), TrafficOptions(), Stop())
    traffic.observers.append(seen.append)
    request = Request("filter", Prompt.load("filter"), {}, FilterReply, "m")
    call = asyncio.create_task(traffic.reply(request, (0, 0)))
    await Deaf.called.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [(call.stage, call.outcome, call.attempt) for call in seen] == [("filter", CANCELLED, 1)]


def test_a_killed_run_leaves_whole_lines_to_which_the_next_one_adds(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with subprocess_server("--latency", "0.02") as url:
        arguments = ["run", corpus(tmp_path, 60), "--model", "m", "--concurrency", "8", "--base-url", url, "--out", out]
        process = started(*arguments)
        while not (out / EVENTS_FILE).exists() or (out / EVENTS_FILE).stat().st_size < 10_000:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with (out / EVENTS_FILE).open("a") as file:
            file.write('{"time": 17638')
        before = len((out / EVENTS_FILE).read_text().splitlines()) - 1
        done = command(*arguments)
    assert done.returncode == 0, done.stderr
    found = events(out)
    assert len(found) > before > 30
    assert {event["stage"] for event in found} == {"filter", "classify", "generate", "check"}


def test_a_torn_line_is_cut_wherever_it_was_torn(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_FILE
    log = EventLog(path)
    for _ in range(600):  # more than is looked through at once
        log(CALL)
    log.close()
    whole = path.read_bytes()
    size = len(whole) // 600
    for left in (0, 1, size - 1, size, size + 1, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:left])
        EventLog(path).close()
        assert path.read_bytes() == whole[: left // size * size]
    path.write_bytes(whole[:size] + b"\0" * 200_000)
    log = EventLog(path)
    log(CALL)
    log.close()
    assert path.read_bytes() == whole[: 2 * size]


def test_a_line_is_the_call_in_flat_json(tmp_path: Path) -> None:
    log = EventLog(tmp_path / EVENTS_FILE)
    log(CALL)
    log.flush()
    assert events(tmp_path) == [
        {
            "time": 1763840000.5,
            "stage": "filter",
            "model": "m",
            "endpoint": "http://a/v1",
            "attempt": 2,
            "queue_s": 0.25,
            "latency_s": 1.5,
            "outcome": "ok",
            "prompt_tokens": 7,
            "completion_tokens": 5,
            "cached_tokens": 3,
            "reasoning_tokens": 1,
        }
    ]
    log.close()


@pytest.mark.parametrize(("paid", "wanted", "there"), [(True, True, True), (True, False, False), (False, True, False)])
def test_events_are_written_of_what_is_paid_for_unless_switched_off(
    tmp_path: Path, paid: bool, wanted: bool, there: bool
) -> None:
    with LLMServer() as server:
        run(configured(corpus(tmp_path, 2), tmp_path / "run", server.url if paid else "", events=wanted))
    assert (tmp_path / "run" / EVENTS_FILE).exists() == there


def test_events_and_metrics_may_change_between_two_runs_of_a_directory(tmp_path: Path) -> None:
    with LLMServer() as server:
        path = corpus(tmp_path, 4)
        run(configured(path, tmp_path / "run", server.url, limit=2))
        seen = len(events(tmp_path / "run"))
        run(configured(path, tmp_path / "run", server.url, events=False, metrics={"host": "localhost"}))
        assert len(events(tmp_path / "run")) == seen
        assert server.books.paid_twice == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_takes_no_events_stops_the_run_resumably(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with subprocess_server("--latency", "0.02") as url:
        arguments = ["run", corpus(tmp_path, 30), "--out", out, "--base-url", url, "--model", "m", "--concurrency", "4"]
        assert command(*arguments, "--limit", "1").returncode == 0
        (out / EVENTS_FILE).unlink()
        (out / EVENTS_FILE).symlink_to("/dev/full")
        done = command(*arguments)
        assert done.returncode == 3, done.stderr
        assert done.stderr.splitlines() == [
            f"webscale-rl: cannot write to {out} (No space left on device); make room and run again"
        ]
        (out / EVENTS_FILE).unlink()
        done = command(*arguments)
    assert done.returncode == 0, done.stderr


# Percentiles


def stored(folder: Path) -> dict[str, list[float]]:
    """The latencies of all stored answers, by stage."""
    found: dict[str, list[float]] = {}
    for row in pq.read_table(folder / "replies", columns=["stage", "latency_s"]).to_pylist():
        found.setdefault(row["stage"], []).append(row["latency_s"])
    return found


def test_percentiles_come_from_all_stored_answers_also_after_a_stop(tmp_path: Path) -> None:
    asked = Counter[str]()

    def down(stage: str, body: str, attempt: int) -> str | None:
        asked["all"] += 1
        return "401" if asked["all"] == 100 else None

    with LLMServer(faults=down, latency_s=0.06) as server:
        config = configured(corpus(tmp_path, 40), tmp_path / "run", server.url, shard_size=7)
        with pytest.raises(RunStopped):
            run(config)
        server.behave(latency_s=0.0)
        summary = run(config).summary
        again = run(config).summary
        assert server.books.paid_twice == 0
    for stage, latencies in stored(tmp_path / "run").items():
        assert summary["calls"][stage]["answered"] == len(latencies)
        for percent in (50, 95, 99):
            exact = sorted(latencies)[math.ceil(len(latencies) * percent / 100) - 1]
            told = summary["calls"][stage]["latency_s"][f"p{percent}"]
            assert told == pytest.approx(exact, rel=RELATIVE_ERROR + 1e-3), (stage, percent)
    assert summary["calls"]["filter"]["latency_s"]["p99"] > 0.04, "the slow ones were answered before the stop"
    assert again["calls"] == summary["calls"], "a run that asks nothing tells the same"
