"""The test server keeps its promises: slots, books, faults and replies that depend on the request alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import Any

import aiohttp
import pytest

from benchmarks.llm_server import LLMServer, replies, subprocess_server
from benchmarks.llm_server.limits import Limits, duration
from benchmarks.llm_server.replies import understand
from webscale_rl.prompt import Prompt
from webscale_rl.stages.document_text import quoted_in
from webscale_rl.stages.precheck import Precheck, PrecheckOptions
from webscale_rl.types import Brief, Document, Pair

TEXT = """The Danube is 2,850 kilometres long and flows through ten countries. Its source lies in the Black Forest.
In 1856 the Treaty of Paris opened the river to ships of all nations. The delta became a biosphere reserve in 1998."""


def body(stage: str, **slots: str) -> dict[str, Any]:
    return {"model": "m", "messages": Prompt.load(stage).render(slots)}


async def post(url: str, *bodies: dict[str, Any]) -> list[Any]:
    async def one(session: aiohttp.ClientSession, content: dict[str, Any]) -> Any:
        async with session.post(f"{url}/chat/completions", json=content) as response:
            return await response.json()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*[one(session, content) for content in bodies])


async def get(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.json()


def content(answer: Any) -> Any:
    return json.loads(answer["choices"][0]["message"]["content"])


async def test_the_four_stages_accept_what_it_says() -> None:
    document = Document("d", TEXT)
    with LLMServer() as server:
        page, classified = await post(
            server.url, body("filter", document=TEXT), body("classify", document=TEXT, domains="", max_personas="3")
        )
        assert content(page)["informative"] is True
        personas = content(classified)["personas"]
        assert len(set(personas)) == 3
        asked = [body("generate", document=TEXT, persona=p, domain="Other", examples="", pairs="1") for p in personas]
        generated = [content(answer)["pairs"][0] for answer in await post(server.url, *asked)]
        pairs = [Pair(Brief(document, "Other", p), **pair) for p, pair in zip(personas, generated, strict=True)]
        assert len({(pair.question, pair.answer) for pair in pairs}) > 1
        kept = [
            decision[0] for decision in Precheck(PrecheckOptions(), Any).decide_all(pairs) if isinstance(decision, list)
        ]
        assert kept
        (checked,) = await post(
            server.url, body("check", document=TEXT, question=kept[0].question, answer=kept[0].answer)
        )
        assert content(checked)["answer_correct"] is True
        assert quoted_in(content(checked)["evidence"], TEXT)
        assert Counter(entry.stage for entry in server.books.entries) == {
            "filter": 1,
            "classify": 1,
            "generate": 3,
            "check": 1,
        }
        assert len({entry.document for entry in server.books.entries}) == 1


async def test_it_serves_as_many_at_a_time_as_it_has_slots() -> None:
    with LLMServer(slots=4, latency_s=0.05) as server:
        start = time.monotonic()
        await post(server.url, *[body("filter", document=f"{TEXT} {i}") for i in range(16)])
        wall = time.monotonic() - start
        stats = server.books.stats(4)
    assert wall > 0.19
    assert (stats["max_in_flight"], stats["max_busy"], stats["answered"]) == (16, 4, 16)
    assert 0.79 < stats["busy_s"] < 16 * 0.1
    assert stats["slot_use"] > 0.8


async def test_faults_and_replies_depend_on_the_request_and_the_attempt_alone() -> None:
    seen = []
    for _ in range(2):
        with LLMServer(faults={"503": 0.3, "garbage": 0.3}) as server:
            for _ in range(2):
                for i in range(20):
                    await post(server.url, body("filter", document=f"{TEXT} {i}"))
            seen.append([(entry.body, entry.attempt, entry.outcome) for entry in server.books.entries])
    assert seen[0] == seen[1]
    assert {outcome for _, _, outcome in seen[0]} == {"ok", "503", "garbage"}


async def test_a_client_that_hangs_up_frees_its_slot() -> None:
    with LLMServer(slots=1, faults=lambda stage, digest, attempt: "hang" if attempt == 1 else None) as server:
        asked = body("filter", document=TEXT)
        task = asyncio.create_task(post(server.url, asked))
        await asyncio.wait([task], timeout=0.1)
        assert server.books.in_flight == 1
        task.cancel()
        await asyncio.wait([task])
        await post(server.url, asked)
        assert server.books.outcomes == {"hang": 1, "ok": 1}
        assert server.books.busy == 0


async def test_as_a_process_it_shows_its_books() -> None:
    with subprocess_server("--slots", "2", "--latency", "0.01", "--fault", "fenced=1") as url:
        root = url.removesuffix("/v1")
        asked = body("filter", document=TEXT)
        await post(url, asked, asked, body("filter", document="Another page of text."))
        stats = await get(f"{root}/stats")
        assert (stats["answered"], stats["paid_twice"], stats["outcomes"]) == (3, 1, {"fenced": 3})
        await get(f"{root}/reset")
        assert (await get(f"{root}/stats?since=0&until=1"))["requests"] == 0


async def test_the_service_takes_what_must_be_prefilled_and_decoded() -> None:
    with LLMServer(latency_s=0.01, prefill_rate=10_000, decode_rate=1_000, cache_blocks=10_000) as server:
        asked = body("filter", document=TEXT)
        (first,) = await post(server.url, asked)
        (again,) = await post(server.url, asked)
        (other,) = await post(server.url, body("filter", document="Of this page only the instructions are known."))
        entries = list(server.books.entries)
    prompt = first["usage"]["prompt_tokens"]
    cached = [answer["usage"]["prompt_tokens_details"]["cached_tokens"] for answer in (first, again, other)]
    assert cached[0] == 0
    assert prompt - 17 < cached[1] < prompt
    assert 0 < cached[2] < prompt - 20
    for entry in entries:
        least = 0.01 + (entry.prompt_tokens - entry.cached_tokens) / 10_000 + entry.completion_tokens / 1_000
        assert entry.ended - entry.started > least - 0.002
    stats = server.books.stats(1)
    assert stats["prefilled_tokens"] == sum(entry.prompt_tokens for entry in entries) - sum(cached)


async def test_rate_limits_are_announced_as_openai_does() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "x" * 400}]}
    with LLMServer(rpm=3, tpm=100_000, limit_window_s=3600) as server:
        async with aiohttp.ClientSession() as session:
            answers = []
            for _ in range(4):
                async with session.post(f"{server.url}/chat/completions", json=asked) as response:
                    answers.append((response.status, response.headers, await response.json()))
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    first = answers[0][1]
    assert (first["x-ratelimit-limit-requests"], first["x-ratelimit-remaining-requests"]) == ("3", "2")
    assert first["x-ratelimit-remaining-tokens"] == "99900"
    assert first["x-ratelimit-reset-requests"].startswith(("19m", "20m"))
    assert first["x-ratelimit-reset-tokens"].endswith("s")
    assert 1000 < int(answers[3][1]["retry-after"]) <= 1200
    assert answers[3][2]["error"]["code"] == "rate_limit_exceeded"


def test_a_bucket_refills_and_a_refused_request_is_not_charged() -> None:
    limits = Limits(rpm=2, tpm=100, window_s=60)
    assert [limits.refuse(10, 0.0), limits.refuse(200, 0.0)] == [None, ("tokens", pytest.approx(6.0))]
    assert limits.refuse(10, 0.0) is None
    assert limits.refuse(10, 0.0) == ("requests", pytest.approx(30.0))
    assert limits.refuse(10, 30.0) is None


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.12, "120ms"), (1.5, "1.5s"), (6, "6s"), (360, "6m0s"), (3661.25, "1h1m1.25s")]
)
def test_durations_are_written_as_openai_does(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


async def test_beyond_so_many_at_once_it_rejects() -> None:
    with LLMServer(slots=2, latency_s=0.05, reject_beyond=(5, 503), retry_after="1") as server:
        await post(server.url, *[body("filter", document=f"{TEXT} {i}") for i in range(9)])
        assert server.books.outcomes == {"ok": 5, "503": 4}


def test_the_same_question_is_the_same_call_in_any_encoding_and_layout() -> None:
    prompt, slots = Prompt.load("generate"), {"domain": "Other", "examples": "", "pairs": "1"}
    messages = prompt.render({"document": TEXT, "persona": "a sailor", **slots})
    joined = [{"role": "user", "content": "\n".join(message["content"] for message in reversed(messages))}]
    schema = {"name": "Anything", "schema": {"properties": {"pairs": {}}}}
    form = {"type": "json_schema", "json_schema": schema}
    first = understand({"messages": messages, "response_format": form})
    again = understand({"model": "m", "messages": joined, "temperature": 1})
    other = understand({"messages": prompt.render({"document": TEXT, "persona": "a cook", **slots})})
    assert (first.stage, first.key) == (again.stage, again.key)
    assert replies.answer(first) == replies.answer(again)
    assert first.slots == {"document": TEXT, "persona": "a sailor"}
    assert first.key != other.key


async def test_it_closes_where_the_client_asks_for_it_and_takes_content_in_parts() -> None:
    (plain,) = body("filter", document=TEXT)["messages"][1:]
    parts = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": plain["content"]}]}]}
    with LLMServer() as server:
        host, port = server.url.removeprefix("http://").removesuffix("/v1").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        sent = json.dumps(parts).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(sent)}\r\n\r\n"
        writer.write(head.encode() + sent)
        answered = await reader.read()
        writer.close()
        await writer.wait_closed()
        (whole,) = await post(server.url, {"model": "m", "messages": [plain]})
        entries = list(server.books.entries)
    assert answered.startswith(b"HTTP/1.1 200")
    assert content(json.loads(answered.partition(b"\r\n\r\n")[2])) == content(whole)
    assert entries[0].call == entries[1].call


async def test_a_stalled_answer_comes_late_and_is_paid() -> None:
    with LLMServer(faults={"stall": 1.0}, stall_s=0.05) as server:
        (answer,) = await post(server.url, body("filter", document=TEXT))
        (entry,) = server.books.entries
    assert content(answer)["informative"] is True
    assert entry.ended - entry.started >= 0.049
    assert server.books.paid_twice == 0
    assert sum(server.books.paid.values()) == 1


async def test_a_form_that_no_stage_has_gets_a_value_of_that_form() -> None:
    schema = {"properties": {"name": {"type": "string"}, "age": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "User", "schema": schema}}
    with LLMServer() as server:
        (answer,) = await post(server.url, {"messages": [{"role": "user", "content": "?"}], "response_format": form})
    assert content(answer) == {"name": "ok", "age": 1}
