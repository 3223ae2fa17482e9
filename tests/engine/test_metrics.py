"""What Prometheus scrapes parses, and agrees with the books."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.llm_server import LLMServer, subprocess_server
from tests.engine.test_events import OUTCOMES
from tests.runs import command, configured, corpus
from webscale_rl import ConfigError, run
from webscale_rl.backend import Usage
from webscale_rl.config import MetricsOptions
from webscale_rl.engine.calls import OK, Call, EndpointState, TrafficState
from webscale_rl.engine.events import EVENTS_FILE
from webscale_rl.engine.metrics import BOUNDS_S, CallCounters, MetricsServer, RunCollector
from webscale_rl.engine.progress import Progress

HOSTILE = 'a"b\\c\nd} 1\n# HELP x\n'
GAUGES = ("window", "calls_in_flight", "available")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def scraped(port: int, path: str = "/metrics") -> dict[str, Metric]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def values(family: Metric, suffix: str = "", **labels: str) -> float:
    """The sum of a family's samples with these labels."""
    return sum(
        sample.value
        for sample in family.samples
        if sample.name == family.name + suffix and labels.items() <= sample.labels.items()
    )


def ended(families: dict[str, Metric]) -> float:
    """How many documents have ended."""
    return values(families["webscale_rl_documents"], "_total")


def test_what_is_scraped_while_a_run_goes_on_agrees_with_the_books(tmp_path: Path) -> None:
    port = free_port()
    asked = Counter[str]()

    def fault(stage: str, body: str, attempt: int) -> str | None:
        asked[stage] += 1
        if stage == "check" and asked[stage] == 1:
            return "hang"  # all others end; the run waits for this one, and is scraped meanwhile
        return {1: "503", 2: "cut", 3: "429"}.get(asked["filter"]) if stage == "filter" else None

    with LLMServer(faults=fault) as server, ThreadPoolExecutor(1) as thread:
        changes = {"metrics": {"port": port}, "backend": {"timeout_s": 4}}
        done = thread.submit(run, configured(corpus(tmp_path, 10), tmp_path / "run", server.url, **changes))
        families, before = {}, None
        while not done.done() and not (families and families == before and ended(families) == 9):
            before = families
            time.sleep(0.1)
            with suppress(urllib.error.URLError):  # it is about to begin
                families = scraped(port)
        served = Counter((entry.stage, OUTCOMES[entry.outcome]) for entry in server.books.entries)
        summary = done.result().summary
    calls = families["webscale_rl_calls"]
    assert {key: values(calls, "_total", stage=key[0], outcome=key[1], model="m") for key in served} == served
    assert values(calls, "_total") == sum(served.values())
    assert values(families["webscale_rl_calls_in_flight"]) == values(families["webscale_rl_documents_open"]) == 1
    assert values(families["webscale_rl_calls_waiting"]) == 0
    server_now = {name: values(families[f"webscale_rl_endpoint_{name}"], endpoint=server.url) for name in GAUGES}
    assert server_now["calls_in_flight"] == server_now["available"] == 1
    assert 1 <= server_now["window"] <= 8
    for name in ("call_latency", "call_queue"):
        histogram = families[f"webscale_rl_{name}_seconds"]
        assert values(histogram, "_count") == values(histogram, "_bucket", le="+Inf") == sum(served.values())
        assert values(histogram, "_bucket", stage="filter", le=str(BOUNDS_S[-1])) == asked["filter"]
    events = [json.loads(line) for line in (tmp_path / "run" / EVENTS_FILE).read_text().splitlines()]
    later = events[int(sum(served.values())) :]
    assert [event["outcome"] for event in later] == ["timeout", OK]
    for kind in ("prompt", "completion"):
        total = sum(stage[f"{kind}_tokens"] for stage in summary["calls"].values())
        assert values(families["webscale_rl_tokens"], "_total", kind=kind) == total - later[-1][f"{kind}_tokens"] > 0
    with pytest.raises(urllib.error.URLError):
        scraped(port)  # it goes with the run


async def fetched(collector: RunCollector, path: str) -> tuple[int, dict[str, Metric]]:
    """What a server of this collector answers."""
    port = free_port()
    async with MetricsServer(MetricsOptions(port=port), collector):
        try:
            return 200, await asyncio.to_thread(scraped, port, path)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code, {}


async def test_names_that_a_configuration_brings_cannot_write_a_line_of_their_own() -> None:
    counters = CallCounters()
    counters(Call(1.0, HOSTILE, HOSTILE, HOSTILE, 1, 0.0, 0.01, Usage(1, 2, 3, 4), HOSTILE))
    status, families = await fetched(RunCollector(counters, Progress({})), "/metrics")
    assert status == 200
    (sample,) = families["webscale_rl_calls"].samples
    assert sample.labels == dict.fromkeys(("stage", "model", "endpoint", "outcome"), HOSTILE)
    tokens = families["webscale_rl_tokens"]
    assert [values(tokens, "_total", kind=kind) for kind in ("prompt", "completion", "cached", "reasoning")] == [
        1,
        2,
        3,
        4,
    ]


async def test_records_and_servers_are_told_by_their_names() -> None:
    class Traffic:
        def state(self) -> TrafficState:
            return TrafficState(
                3, 2, 5, {"http://a/v1": EndpointState(3, 8.5), "http://b/v1": EndpointState(0, 1, False)}
            )

    progress = Progress({"filter": "document", "check": "pair"})
    progress.traffic = Traffic()  # type: ignore[assignment]
    progress.tally.end("document", "filter", "dropped", "not_informative", 4)
    progress.tally.end("pair", "", "kept", count=6)
    _, families = await fetched(RunCollector(CallCounters(), progress), "/metrics")
    assert values(families["webscale_rl_documents"], "_total", stage="filter", reason="not_informative") == 4
    assert values(families["webscale_rl_pairs"], "_total", end="kept") == 6
    assert values(families["webscale_rl_endpoint_window"], endpoint="http://a/v1") == 8.5
    assert values(families["webscale_rl_endpoint_calls_in_flight"], endpoint="http://a/v1") == 3
    assert values(families["webscale_rl_endpoint_available"], endpoint="http://a/v1") == 1
    assert values(families["webscale_rl_endpoint_available"], endpoint="http://b/v1") == 0
    assert [values(families[f"webscale_rl_{name}"]) for name in ("calls_in_flight", "calls_waiting")] == [3, 2]


async def test_a_duration_falls_into_the_first_bucket_that_is_not_below_it() -> None:
    counters = CallCounters()
    for seconds in (0.0, 0.005, 0.006, 0.25, 1e9):
        counters(Call(1.0, "check", "m", "", 1, 0.0, seconds, Usage(), OK))
    _, families = await fetched(RunCollector(counters, Progress({})), "/metrics")
    latency = families["webscale_rl_call_latency_seconds"]
    told = {le: values(latency, "_bucket", le=le) for le in ("0.005", "0.01", "0.1", "0.25", "250.0", "+Inf")}
    assert told == {"0.005": 2, "0.01": 3, "0.1": 3, "0.25": 4, "250.0": 4, "+Inf": 5}


async def test_nothing_else_is_served() -> None:
    assert await fetched(RunCollector(CallCounters(), Progress({})), "/") == (404, {})


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    path = corpus(tmp_path, 2)
    with socket.create_server(("127.0.0.1", 0)) as taken, subprocess_server() as url:
        port = taken.getsockname()[1]
        arguments = [
            "run",
            path,
            "--out",
            tmp_path / "run",
            "--base-url",
            url,
            "--model",
            "m",
            "--metrics-port",
            str(port),
        ]
        done = command(*arguments)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            f"webscale-rl: metrics: cannot serve at 127.0.0.1:{port} (Address already in use);"
            " choose another --metrics-port or metrics.host"
        ]
        assert command(*arguments[:-2]).returncode == 0
    assert command(*arguments[:-1], "70000").returncode == 2


@pytest.mark.parametrize("host", ["203.0.113.7", "a" * 70 + ".example"])
def test_a_host_that_is_none_of_ours_is_one_clear_line(tmp_path: Path, host: str) -> None:
    metrics = {"port": free_port(), "host": host}  # of no machine, reserved for documentation (RFC 5737); of no name
    with pytest.raises(ConfigError, match=rf"^metrics: cannot serve at {re.escape(host)}:\d+ \(\w[\w ]+\); choose .*$"):
        run(configured("sample:", tmp_path / "run", metrics=metrics))
