"""The traffic of whole runs, against servers that limit, fail and leave."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from benchmarks.llm_server import LLMServer
from tests.runs import configured, corpus, digest
from webscale_rl import RunStopped, run
from webscale_rl.backend import Reply, Request, Sampling
from webscale_rl.config import TrafficOptions
from webscale_rl.engine.calls import Call
from webscale_rl.engine.stop import Stop
from webscale_rl.engine.traffic import Traffic
from webscale_rl.prompt import Prompt
from webscale_rl.stages.filter import FilterReply

PROMPT = Prompt.parse("p", "# system\nJudge.\n# user\n{{document|quoted}}")


def request(affinity: str) -> Request:
    return Request("filter", PROMPT, {"document": affinity}, FilterReply, "m", Sampling(), affinity=affinity)


def test_a_server_that_allows_eight_at_once_refuses_few_and_is_kept_busy(tmp_path: Path) -> None:
    path = corpus(tmp_path, 300)
    with LLMServer(slots=8, queue=0, latency_s=0.01) as server:
        traffic = {"concurrency": 32, "backoff_s": 1.0, "max_backoff_s": 60.0}
        result = run(configured(path, tmp_path / "run", server.url, traffic=traffic))
        books = server.books
        assert result.failed == 0
        assert result.summary["documents"]["kept"] == 300
        assert books.outcomes["503"] <= 60
        retried = [calls["retried"].get("overloaded", 0) for calls in result.summary["calls"].values()]
        assert sum(retried) == books.outcomes["503"]


def test_every_document_goes_to_one_server_and_the_share_of_each_is_told(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    with LLMServer() as one, LLMServer() as two, LLMServer() as three:
        servers = [one, two, three]
        urls = [server.url for server in servers]
        result = run(configured(path, tmp_path / "run", one.url, backend={"base_urls": urls}))
        homes = [{entry.document for entry in server.books.entries if entry.document} for server in servers]
        assert all(homes)
        assert not (homes[0] & homes[1] | homes[0] & homes[2] | homes[1] & homes[2])
        answered = {server.url: server.books.outcomes["ok"] for server in servers}
    assert result.summary["endpoints"] == answered


def test_a_server_that_dies_loses_nothing_and_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webscale_rl.engine.endpoints.AWAY_S", 0.2)
    path = corpus(tmp_path, 200)
    with LLMServer(latency_s=0.02) as steady, LLMServer(latency_s=0.02) as reference:
        run(configured(path, tmp_path / "whole", reference.url))
        dying = LLMServer(latency_s=0.02)
        dying.__enter__()
        port = int(dying.url.rpartition(":")[2].partition("/")[0])
        revived: list[LLMServer] = []

        def die_and_return() -> None:
            while len(dying.books.entries) < 30:
                time.sleep(0.01)
            dying.__exit__(None, None, None)
            time.sleep(0.3)
            revived.append(LLMServer(port=port, latency_s=0.02))
            revived[0].__enter__()

        thread = threading.Thread(target=die_and_return)
        thread.start()
        result = run(
            configured(
                path,
                tmp_path / "run",
                "",
                backend={"use": "openai", "model": "m", "base_urls": [dying.url, steady.url]},
            )
        )
        thread.join()
        assert result.failed == 0
        assert revived[0].books.outcomes["ok"] > 0
        revived[0].__exit__(None, None, None)
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_token_cap_stops_the_run_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    with LLMServer(latency_s=0.01) as server:
        whole = run(configured(path, tmp_path / "whole", server.url))
        spent = sum(calls["prompt_tokens"] + calls["completion_tokens"] for calls in whole.summary["calls"].values())
        cap = spent // 3
        with pytest.raises(RunStopped, match=f"cap of {cap:,} tokens is reached") as stopped:
            run(configured(path, tmp_path / "run", server.url, caps={"tokens": cap}))
        assert stopped.value.code == 3
        again = configured(path, tmp_path / "run", server.url, caps={"tokens": cap})
        before = len(server.books.entries)
        with pytest.raises(RunStopped, match="tokens is reached"):
            run(again)
        assert len(server.books.entries) == before
        done = run(configured(path, tmp_path / "run", server.url, caps={"tokens": 2 * spent}))
        answered = sum(calls["answered"] for calls in whole.summary["calls"].values())
        assert server.books.paid_twice == answered  # each once for the one run and once for the other
    assert done.failed == 0
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_stage_has_a_cap_of_its_own(tmp_path: Path) -> None:
    path = corpus(tmp_path, 40)
    with LLMServer() as server, pytest.raises(RunStopped, match="stage generate: the cap of 500 tokens is reached"):
        run(configured(path, tmp_path / "run", server.url, caps={"stages": {"generate": {"tokens": 500}}}))


def test_a_cap_lets_the_calls_in_flight_come_home(tmp_path: Path) -> None:
    path = corpus(tmp_path, 60)
    with LLMServer(latency_s=0.05) as server:
        with pytest.raises(RunStopped):
            run(configured(path, tmp_path / "run", server.url, caps={"tokens": 1000}))
        in_books = server.books.outcomes
        assert set(in_books) == {"ok"}  # nobody hung up
        run(configured(path, tmp_path / "run", server.url))
        assert server.books.paid_twice == 0


def test_so_many_hours_and_no_more(tmp_path: Path) -> None:
    path = corpus(tmp_path, 200)
    with LLMServer(latency_s=0.05) as server, pytest.raises(RunStopped, match="hours is reached"):
        run(configured(path, tmp_path / "run", server.url, caps={"hours": 0.5 / 3600}))


class Slow:
    """Answers each request when it is told to."""

    name, paid = "slow", True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()

    async def reply(self, request: Request) -> Reply:
        self.asked.append(request.affinity)
        await self.gate.wait()
        return Reply("{}")


async def test_a_free_slot_goes_to_the_latest_stage_and_then_to_the_first_document() -> None:
    backend = Slow()
    traffic = Traffic(backend, TrafficOptions(concurrency=1), Stop())  # type: ignore[arg-type]
    order = [("busy", (0, 0)), ("new", (0, 9)), ("check of 5", (-5, 5)), ("generate", (-3, 1)), ("check of 2", (-5, 2))]
    tasks = []
    for name, priority in order:
        tasks.append(asyncio.create_task(traffic.reply(request(name), priority)))
        await asyncio.sleep(0)
    assert traffic.waiting == 4
    backend.gate.set()
    await asyncio.gather(*tasks)
    assert backend.asked == ["busy", "check of 2", "check of 5", "generate", "new"]


async def test_a_call_waits_until_the_rate_allows_it() -> None:
    backend = Slow()
    backend.gate.set()
    traffic = Traffic(backend, TrafficOptions(concurrency=64, rpm=6), Stop())  # type: ignore[arg-type]
    calls: list[Call] = []
    traffic.observers.append(calls.append)
    tasks = [asyncio.create_task(traffic.reply(request(str(i)), (0, i))) for i in range(3)]
    await asyncio.wait(tasks, timeout=0.2)  # the next may go after ten seconds
    assert backend.asked == ["0"]
    assert [(call.stage, call.outcome) for call in calls] == [("filter", "unparseable")]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_request_gives_its_slot_back() -> None:
    backend = Slow()
    traffic = Traffic(backend, TrafficOptions(concurrency=1), Stop())  # type: ignore[arg-type]
    first = asyncio.create_task(traffic.reply(request("first"), (0, 0)))
    second = asyncio.create_task(traffic.reply(request("second"), (0, 1)))
    third = asyncio.create_task(traffic.reply(request("third"), (0, 2)))
    await asyncio.sleep(0.01)
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    backend.gate.set()
    await third
    assert backend.asked == ["first", "third"]


def test_a_cap_does_not_keep_a_run_from_ending_that_needs_no_more_calls(tmp_path: Path) -> None:
    path = corpus(tmp_path, 20)
    with LLMServer() as server:
        whole = run(configured(path, tmp_path / "run", server.url))
        spent = sum(calls["prompt_tokens"] + calls["completion_tokens"] for calls in whole.summary["calls"].values())
        again = run(
            configured(path, tmp_path / "run", server.url, caps={"tokens": spent // 2}, dataset={"rows_per_file": 7}),
            accept_changes=True,
        )
    assert again.summary["pairs"] == whole.summary["pairs"]


async def test_an_observer_that_fails_costs_no_answer() -> None:
    backend = Slow()
    backend.gate.set()
    traffic = Traffic(backend, TrafficOptions(concurrency=1), Stop())  # type: ignore[arg-type]

    def fails(call: Call) -> None:
        raise ValueError("a bug")

    traffic.observers.append(fails)
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
    reply, _, _ = await traffic.reply(request("one"), (0, 0))
    await asyncio.sleep(0)
    assert reply.text == "{}"
    assert [str(error) for error in told] == ["a bug"]
