"""Laws of the openai backend, against a real HTTP server; wordings of other servers through the transport's seam."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from benchmarks.llm_server import STATUS_FAULTS, LLMServer
from webscale_rl import backend, replies
from webscale_rl.backend import BackendError, Request, Sampling, Text
from webscale_rl.backends.answers import MAX_MALFORMED_BYTES, Answer, Body
from webscale_rl.backends.openai import OpenAI, OpenAIOptions
from webscale_rl.prompt import Prompt
from webscale_rl.stages.filter import FilterReply

KEY = "sk-test-0123456789abcdef"
PROMPT = Prompt.parse("filter", "# system\nJudge the page.\n# user\n{{document|quoted}}")
TEXT = "The Danube is 2,850 kilometres long. It flows through ten countries to the Black Sea."


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def ask(text: str = TEXT, *, model: str = "model", affinity: str = "", **sampling: Any) -> Request:
    chosen = Sampling(**{"temperature": 0.0, "max_tokens": 100, **sampling})
    return Request("filter", PROMPT, {"document": text}, FilterReply, model, chosen, affinity=affinity)


def client(*urls: str, transport: Any = None, **options: Any) -> OpenAI:
    return OpenAI(OpenAIOptions(use="openai", base_urls=list(urls), **options), transport=transport)


class Canned:
    """A transport that answers from a list, or by a function of the request's body."""

    def __init__(self, *answers: Answer | Callable[[dict[str, Any]], Answer]) -> None:
        self.answers = list(answers)
        self.bodies: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = b"") -> Answer:
        if method == "GET":
            return Answer(200, {}, b"{}")
        self.bodies.append(orjson.loads(b"".join([body] if isinstance(body, bytes) else body)))
        await asyncio.sleep(0)
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return answer if isinstance(answer, Answer) else answer(self.bodies[-1])


def said(status: int, message: str) -> Answer:
    return Answer(status, {}, orjson.dumps({"error": {"message": message, "code": None}}))


def good(_: dict[str, Any] | None = None) -> Answer:
    message = {"content": '{"reason": "ok", "informative": true, "self_contained": true}'}
    return Answer(200, {}, orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_reply_says_what_was_answered_and_what_it_cost() -> None:
    with LLMServer() as server:
        async with client(server.url) as openai:
            reply = await openai.reply(ask())
        assert replies.parse(reply, FilterReply).informative is True
        assert (reply.finish, reply.model, reply.refusal) == ("stop", "model", None)
        assert reply.usage.prompt_tokens > 20
        assert reply.usage.completion_tokens > 5
        assert server.books.outcomes == {"ok": 1}


STATUSES = {
    "400": backend.BadRequest,
    "401": backend.Unauthorized,
    "403": backend.Unauthorized,
    "404": backend.NoSuchModel,
    "408": backend.Overloaded,
    "409": backend.Overloaded,
    "413": backend.ContextTooLong,
    "422": backend.BadRequest,
    "429": backend.RateLimited,
    "quota": backend.Unauthorized,
    "500": backend.Overloaded,
    "502": backend.Overloaded,
    "503": backend.Overloaded,
    "529": backend.Overloaded,
    "302": backend.BadRequest,
    "reset": backend.Unreachable,
    "truncated_body": backend.Unreachable,
    "hang": backend.TimedOut,
}


async def test_every_failure_on_the_wire_has_its_class() -> None:
    assert STATUS_FAULTS.keys() < STATUSES.keys()
    with LLMServer() as server:
        async with client(server.url, timeout_s=0.3) as openai:
            for fault, kind in STATUSES.items():
                server.behave(faults={fault: 1.0}, retry_after="7")
                with pytest.raises(BackendError) as raised:
                    await openai.reply(ask())
                assert type(raised.value) is kind, fault
                assert "\n" not in str(raised.value)
                patient = fault in STATUS_FAULTS and kind.retry
                assert raised.value.retry_after_s == (7.0 if patient else None), fault
            server.behave(faults={})
            assert (await openai.reply(ask())).finish == "stop"


async def test_a_redirect_is_not_followed_and_names_its_target() -> None:
    with LLMServer(faults={"302": 1.0}) as server:
        async with client(server.url) as openai:
            with pytest.raises(backend.BadRequest, match=r"redirects to elsewhere\.example"):
                await openai.reply(ask())


async def test_the_key_is_sent_and_stands_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    with LLMServer(api_key=KEY) as server:
        async with client(server.url, api_key_env="MY_KEY") as openai:
            assert (await openai.reply(ask())).finish == "stop"
            server.behave(api_key="another")
            with pytest.raises(backend.Unauthorized) as raised:
                await openai.reply(ask())
            shown = "".join(traceback.format_exception(raised.value))
            shown += repr(openai) + repr(openai.options) + str(openai.options.model_dump()) + repr(openai.state)
            chain: BaseException | None = raised.value
            while chain is not None:
                shown += repr(chain) + repr(vars(chain))
                chain = chain.__cause__ or chain.__context__
            assert "Incorrect API key" in shown
            assert KEY not in shown
            assert "0123456789" not in shown


async def test_no_key_means_no_header() -> None:
    with LLMServer(keep_bodies=True) as server:
        async with client(server.url) as openai:
            await openai.reply(ask())
        assert "authorization" not in server.books.headers[0].lower()


async def test_an_impossible_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a\r\nX-Injected: 1")
    with pytest.raises(backend.Unauthorized, match=r"\$OPENAI_API_KEY holds") as raised:
        async with client("http://127.0.0.1:1/v1"):
            pass
    assert "sk-a" not in str(raised.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"base_urls": ["http://me:sk-secret-9@h/v1"]},
        {"base_urls": ["h/v1"]},
        {"base_urls": ["http://h/v1/chat/completions"]},
        {"base_urls": ["http://h:0/v1"]},
        {"base_urls": ["http://h:99999/v1"]},
        {"base_urls": []},
        {"api_key_env": "sk-secret-9"},
        {"extra_body": {"stream": True}},
        {"basee_url": "http://h/v1"},
    ],
)
def test_wrong_options_are_refused_without_showing_a_key(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        OpenAIOptions(**{"use": "openai", "base_urls": ["http://h/v1"], **bad})
    assert "sk-secret" not in str(raised.value)


def test_the_server_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OpenAIOptions(use="openai").base_urls == ["https://api.openai.com/v1"]
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8000/v1/")
    assert OpenAIOptions(use="openai").base_urls == ["http://localhost:8000/v1"]


USELESS = {
    "cut": "length",
    "fenced": "stop",
    "python": "stop",
    "refusal": "stop",
    "content_filter": "content_filter",
    "empty": "empty",
    "garbage": "stop",
    "null_content": "stop",
    "bad_json": "malformed",
}


async def test_whatever_was_answered_200_is_a_reply() -> None:
    with LLMServer() as server:
        async with client(server.url) as openai:
            for fault, finish in USELESS.items():
                server.behave(faults={fault: 1.0})
                reply = await openai.reply(ask())
                assert reply.finish == finish, fault
                if fault in ("fenced", "python"):
                    assert replies.parse(reply, FilterReply).informative is True
                else:
                    with pytest.raises(replies.Unusable):
                        replies.parse(reply, FilterReply)
        assert sum(server.books.paid.values()) == len(USELESS)


async def test_text_of_any_kind_and_size_arrives_as_it_is() -> None:
    with LLMServer(keep_bodies=True) as server:
        async with client(server.url) as openai:
            for text in ("日本語 🧑‍🚀 \u0301 “quotes” \\ \t", "half \ud83d character", "word " * 400_000):
                assert (await openai.reply(ask(text))).finish == "stop"
        sent = [body["messages"][-1]["content"] for body in server.books.bodies]
        assert "日本語 🧑‍🚀 \u0301 “quotes” \\ \t" in sent[0]
        assert "half ? character" in sent[1]
        assert len(sent[2]) > 2_000_000


async def test_a_slot_that_is_not_fenced_may_hold_half_a_character() -> None:
    prompt = Prompt.parse("filter", "# user\n{{document}}")
    async with client("http://h/v1", transport=(canned := Canned(good))) as openai:
        await openai.reply(Request("filter", prompt, {"document": "\ud83d"}, FilterReply, "m"))
    assert canned.bodies[0]["messages"][0]["content"] == "?"


async def test_what_all_calls_of_a_prompt_share_is_sent_in_each() -> None:
    other = Prompt.parse("filter", "# system\nJudge “it”.\n# user\n{{document}}")
    async with client("http://h/v1", transport=(canned := Canned(good))) as openai:
        for prompt in (PROMPT, other, PROMPT, other):
            await openai.reply(Request("filter", prompt, {"document": "half \ud83d"}, FilterReply, "m"))
    first = [body["messages"][0] for body in canned.bodies]
    assert first[0] == first[2] == {"role": "system", "content": "Judge the page."}
    assert first[1] == first[3] == {"role": "system", "content": "Judge “it”."}
    assert [body["messages"][1]["role"] for body in canned.bodies] == ["user"] * 4
    assert canned.bodies[1]["messages"][1]["content"] == "half ?"


async def test_the_body_is_what_the_server_documents() -> None:
    extra = {"chat_template_kwargs": {"enable_thinking": False}}
    async with client("http://h/v1", transport=(canned := Canned(good)), extra_body=extra) as openai:
        await openai.reply(ask(seed=7, top_p=0.5))
    sent = canned.bodies[0]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    form = sent["response_format"]
    assert (form["type"], form["json_schema"]["name"], form["json_schema"]["strict"]) == ("json_schema", "filter", True)
    assert form["json_schema"]["schema"] == backend.reply_schema(FilterReply)
    assert (sent["temperature"], sent["top_p"], sent["seed"], sent["max_tokens"]) == (0.0, 0.5, 7, 100)
    assert sent["chat_template_kwargs"] == {"enable_thinking": False}


async def test_a_model_without_schemas_is_asked_in_words_and_remembered() -> None:
    with LLMServer(unsupported=frozenset({"json_schema", "json_object"}), latency_s=0.01, keep_bodies=True) as server:
        async with client(server.url) as openai:
            first = await asyncio.gather(*[openai.reply(ask(f"{TEXT} {i}")) for i in range(20)])
            assert all(replies.parse(reply, FilterReply).informative for reply in first)
            assert server.books.outcomes == {"400": 60, "ok": 20}
            await openai.reply(ask("one more"))
            assert server.books.outcomes == {"400": 60, "ok": 21}
            state = openai.state
        assert "response_format" not in server.books.bodies[-1]
        assert '"self_contained"' in server.books.bodies[-1]["messages"][-1]["content"]
        assert state["models"] == {"model": {"structured": "text", "dropped": [], "max_completion_tokens": False}}
        async with client(server.url) as later:
            later.remember(orjson.loads(orjson.dumps(state)))
            assert later.state == state
            await later.reply(ask("after a restart"))
        assert server.books.outcomes["400"] == 60


async def test_a_prompt_that_speaks_of_json_is_sent_as_it_is() -> None:
    prompt = Prompt.parse("filter", "# user\n{{document}}\nAnswer with a JSON object: ...")
    async with client("http://h/v1", transport=(canned := Canned(good)), structured="json_object") as openai:
        await openai.reply(Request("filter", prompt, {"document": "x"}, FilterReply, "m"))
    assert canned.bodies[0]["messages"][0]["content"] == "x\nAnswer with a JSON object: ..."
    assert canned.bodies[0]["response_format"] == {"type": "json_object"}


async def test_calls_that_fail_together_step_down_once() -> None:
    with LLMServer(unsupported=frozenset({"json_schema"}), latency_s=0.01) as server:
        async with client(server.url) as openai:
            await asyncio.gather(*[openai.reply(ask(f"{TEXT} {i}")) for i in range(20)])
            assert openai.state["models"]["model"]["structured"] == "json_object_schema"
        assert server.books.outcomes == {"400": 20, "ok": 20}


async def test_parameters_that_a_model_refuses_are_left_out() -> None:
    refused = frozenset({"temperature", "max_tokens", "top_p", "seed"})
    with LLMServer(unsupported=refused, keep_bodies=True) as server:
        async with client(server.url) as openai:
            await openai.reply(ask(seed=1, top_p=0.9))
            await openai.reply(ask("again", seed=1, top_p=0.9))
            assert openai.state["models"]["model"] == {
                "structured": "json_schema",
                "dropped": ["seed", "temperature", "top_p"],
                "max_completion_tokens": True,
            }
        assert server.books.outcomes == {"400": 4, "ok": 2}
        assert server.books.bodies[-1]["max_completion_tokens"] == 100
        assert server.books.bodies[-1].keys() == {"messages", "model", "max_completion_tokens", "response_format"}


@pytest.mark.parametrize(
    "message",
    [
        "This response_format type is unavailable now",
        "Failed to deserialize: response_format.type `json_schema` is unavailable now at line 1 column 1193",
        "guided decoding is not enabled",
        "Failed to compile grammar",
        "something went wrong",
    ],
)
async def test_a_schema_is_given_up_however_the_server_words_it(message: str) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        mode = body.get("response_format", {}).get("type")
        return said(422, message) if mode == "json_schema" else good()

    async with client("http://h/v1", transport=Canned(answer)) as openai:
        await openai.reply(ask())
        assert openai.state["models"]["model"]["structured"] == "json_object_schema"


async def test_a_schema_beside_json_object_is_tried_before_none() -> None:
    async with client("http://h/v1", transport=(canned := Canned(good)), structured="json_object_schema") as openai:
        await openai.reply(ask())
    form = canned.bodies[0]["response_format"]
    assert form == {"type": "json_object", "schema": backend.reply_schema(FilterReply)}
    unsupported = frozenset({"json_schema", "json_object_schema"})
    with LLMServer(unsupported=unsupported, latency_s=0.01, keep_bodies=True) as server:
        async with client(server.url) as openai:
            await openai.reply(ask())
            assert openai.state["models"]["model"]["structured"] == "json_object"
        tried = [body["response_format"].keys() for body in server.books.bodies]
        assert tried == [{"type", "json_schema"}, {"type", "schema"}, {"type"}]


NOT_KNOWN = "{'loc': ('body', 'response_format', 'type'), 'msg': \"Input should be 'text' or 'json_object'\"}"


async def test_a_form_that_a_server_calls_its_own_fault_is_given_up_at_once() -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return said(500, NOT_KNOWN) if body["response_format"]["type"] == "json_schema" else good()

    async with client("http://h/v1", transport=(canned := Canned(answer))) as openai:
        await openai.reply(ask())
        assert len(canned.bodies) == 2
        assert openai.state["models"]["model"]["structured"] == "json_object_schema"


@pytest.mark.parametrize(
    "message", ["out of memory", "max_tokens: use max_completion_tokens", "temperature unsupported"]
)
async def test_another_fault_of_the_server_changes_no_form(message: str) -> None:
    async with client("http://h/v1", transport=(canned := Canned(said(500, message)))) as openai:
        with pytest.raises(backend.Overloaded):
            await openai.reply(ask())
        assert len(canned.bodies) == 1
        assert openai.state["models"] == {}


async def test_a_fault_does_not_cost_a_proven_form() -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return said(500, NOT_KNOWN) if "poison" in str(body["messages"]) else good()

    async with client("http://h/v1", transport=Canned(answer)) as openai:
        await openai.reply(ask())
        with pytest.raises(backend.Overloaded):
            await openai.reply(ask("poison"))
        assert openai.state["models"] == {}


async def test_one_bad_request_does_not_cost_the_others_their_schema() -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return said(400, "I do not like this") if "poison" in str(body["messages"]) else good()

    async with client("http://h/v1", transport=(canned := Canned(answer))) as openai:
        with pytest.raises(backend.BadRequest):
            await openai.reply(ask("poison"))
        assert len(canned.bodies) == 4
        await openai.reply(ask())
        with pytest.raises(backend.BadRequest):
            await openai.reply(ask("more poison"))
        assert len(canned.bodies) == 6
        assert openai.state["models"] == {}


async def test_a_mode_that_was_chosen_is_kept() -> None:
    async with client(
        "http://h/v1", transport=Canned(said(400, "no response_format")), structured="json_schema"
    ) as openai:
        with pytest.raises(backend.BadRequest):
            await openai.reply(ask())
        openai.remember({"base_urls": ["http://h/v1"], "models": {"model": {"structured": "text"}}})
        assert openai.state["models"] == {}


@pytest.mark.parametrize("state", [{}, {"base_urls": ["http://h/v1"], "models": {"m": {"structured": "x"}, "n": 3}}])
async def test_a_state_that_does_not_fit_is_ignored(state: dict[str, Any]) -> None:
    openai = client("http://h/v1")
    openai.remember(state)
    assert openai.state["models"] == {}


async def test_no_server_at_all_is_said_at_once() -> None:
    port = free_port()
    with pytest.raises(backend.Unreachable, match=rf"127\.0\.0\.1:{port}: connection refused; is the server running\?"):
        async with client(f"http://127.0.0.1:{port}/v1"):
            pass
    with pytest.raises(backend.Unreachable, match="no such host"):
        async with client("http://no-such-host.invalid/v1"):
            pass


async def test_something_that_speaks_no_http_is_unreachable() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        writer.close()

    async with (
        await asyncio.start_server(babble, "127.0.0.1", 0) as server,
        client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as openai,
    ):
        with pytest.raises(backend.Unreachable, match="does not answer in HTTP"):
            await openai.reply(ask())


async def test_a_body_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webscale_rl.backends.connection.MAX_BODY_BYTES", 1_000_000)
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        try:
            while written < 50_000_000:
                writer.write(b"x" * 65_536)
                written += 65_536
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    async with (
        await asyncio.start_server(flood, "127.0.0.1", 0) as server,
        client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as openai,
    ):
        written = 0
        reply = await openai.reply(ask())
    assert reply.finish == "malformed"
    assert len(reply.text) == MAX_MALFORMED_BYTES
    assert written < 40_000_000


async def test_requests_go_through_the_environment_s_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with LLMServer(keep_bodies=True) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1").replace("://", "://user:p%40ss@"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with client("http://far-away.invalid/v1") as openai:
            await openai.reply(ask())
        assert "Proxy-Authorization: Basic dXNlcjpwQHNz" in proxy.books.headers[0]
        monkeypatch.setenv("no_proxy", "far-away.invalid")
        with pytest.raises(backend.Unreachable):
            async with client("http://far-away.invalid/v1"):
                pass


async def test_where_no_form_is_wanted_none_is_asked_for_and_none_is_learned() -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return said(400, "Unsupported value: 'seed' does not support 3 with this model.") if "seed" in body else good()

    wire = Canned(answer)
    own_words = Request("talk", PROMPT, {"document": TEXT}, Text, "model", Sampling(0.5, 100, seed=3))
    async with client("http://a/v1", transport=wire) as opened:
        await opened.reply(own_words)
        await opened.reply(own_words)
        assert [("seed" in body, "response_format" in body) for body in wire.bodies] == [
            (True, False),
            (False, False),
            (False, False),
        ]
        assert all("JSON" not in str(body["messages"]) for body in wire.bodies)
        await opened.reply(ask())
        assert wire.bodies[-1]["response_format"]["type"] == "json_schema"


async def test_a_refusal_of_a_call_without_a_form_is_no_refusal_of_forms() -> None:
    wire = Canned(lambda body: good() if "response_format" in body else said(400, "The request was not understood."))
    async with client("http://a/v1", transport=wire) as opened:
        with pytest.raises(backend.BadRequest):
            await opened.reply(Request("talk", PROMPT, {"document": TEXT}, Text, "model"))
        assert len(wire.bodies) == 1
        await opened.reply(ask())
        assert wire.bodies[-1]["response_format"]["type"] == "json_schema"
