"""A real HTTP server on loopback that answers the four stages by rule: for tests and benchmarks.

In a test:        with LLMServer(latency_s=0.02, slots=8, faults={"503": 0.1}) as server: ... server.url, server.books
For a benchmark:  python -m benchmarks.llm_server --port 0 --slots 64 --latency 0.2      (prints its URL, then serves)

Every reply is made of the request's text alone, so that two runs get the same replies. Like an inference engine it
serves `slots` requests at a time and lets the others wait in line. It keeps books of every request.

Faults, by the share of requests or by a function: a status ("429", "503", ... "302", "quota"); on the wire "reset",
"hang", "truncated_body"; in the reply "cut", "fenced", "python", "refusal", "empty", "garbage", "null_content",
"bad_json", "content_filter".

    POST /v1/files   GET /v1/files/ID/content   POST, GET /v1/batches   GET /v1/batches/ID   (batches.py)
    POST /v1/chat/completions   GET /v1/models   GET /stats?since=T&until=T   POST /reset
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from benchmarks.llm_server import replies
from benchmarks.llm_server.batches import BatchBehaviour, Batches
from benchmarks.llm_server.books import Books, Entry

Faults = Mapping[str, float] | Callable[[str, str, int], str | None]
"""Kinds and their probabilities, or a function of (stage, body digest, attempt) that names a kind or None."""

STATUS_FAULTS = {"400": 400, "401": 401, "403": 403, "404": 404, "408": 408, "409": 409, "413": 413, "422": 422}
STATUS_FAULTS |= {"429": 429, "500": 500, "502": 502, "503": 503, "529": 529, "302": 302, "quota": 429}


@dataclasses.dataclass(frozen=True)
class Behaviour:
    """How a server behaves. `tail` = (fraction, factor): so many requests take so many times longer."""

    slots: int = 1_000_000
    latency_s: float = 0.0
    tail: tuple[float, float] = (0.0, 1.0)
    api_key: str | None = None
    models: tuple[str, ...] = ()
    unsupported: frozenset[str] = frozenset()
    context_chars: int | None = None
    rate_limit: tuple[int, float] | None = None
    queue: int | None = None
    retry_after: str | None = None
    faults: Faults = dataclasses.field(default_factory=dict)
    seed: int = 0
    batches: BatchBehaviour = dataclasses.field(default_factory=BatchBehaviour)


class _Call:
    """One request between its arrival and its answer."""

    __slots__ = ("arrived", "attempt", "body", "connection", "digest", "document", "fault", "stage", "started", "timer")

    def __init__(self, connection: _Connection, body: dict[str, Any], digest: str) -> None:
        self.connection = connection
        self.body = body
        self.digest = digest
        self.stage = replies.stage_of(body)
        self.document = ""
        self.arrived = time.monotonic()
        self.started = 0.0
        self.attempt = 0
        self.fault: str | None = None
        self.timer: asyncio.TimerHandle | None = None


class Engine:
    """Decides what becomes of each request: refused, queued, served, broken."""

    def __init__(self, behaviour: Behaviour, books: Books) -> None:
        self.behaviour = behaviour
        self.books = books
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[_Call] = deque()
        self.recent: deque[float] = deque()
        self.batches = Batches(self)

    def arrive(self, connection: _Connection, head: bytes, raw: bytes) -> None:
        """Take one chat completion request."""
        books = self.books
        try:
            body = orjson.loads(raw)
            messages = body["messages"]
        except (ValueError, KeyError, TypeError):
            connection.answer(400, replies.error("invalid JSON body", "invalid_request_error"))
            return
        call = _Call(connection, body, hashlib.blake2b(raw, digest_size=16).hexdigest())
        books.attempts[call.digest] += 1
        call.attempt = books.attempts[call.digest]
        call.document = replies.document_digest(messages)
        if books.keep_bodies:
            books.bodies.append(body)
            books.headers.append(head.decode("latin-1"))
        books.in_flight += 1
        books.max_in_flight = max(books.max_in_flight, books.in_flight)
        connection.call = call
        refused = self._refusal(call, head, len(raw))
        call.fault = self._fault(call)
        if refused is not None:
            status, payload, extra = refused
            self._end(call, str(status), status, payload, extra)
        elif books.busy < self.behaviour.slots:
            self._serve(call)
        else:
            self.waiting.append(call)

    def leave(self, call: _Call) -> None:
        """The client hung up: what was in service is given up."""
        if call.timer is not None:
            call.timer.cancel()
        self._end(call, "hung up" if call.fault != "hang" else "hang", 0, None)

    def _refusal(self, call: _Call, head: bytes, size: int) -> tuple[int, bytes, str] | None:
        b = self.behaviour
        if b.api_key is not None and f"\r\nauthorization: bearer {b.api_key}\r\n".lower().encode() not in head.lower():
            sent = re.search(rb"(?i)authorization: bearer ([^\r]*)", head)
            shown = sent[1].decode() if sent else ""
            text = f"Incorrect API key provided: {shown}. You can find your API key in your account."
            return 401, replies.error(text, "invalid_request_error", "invalid_api_key"), ""
        model = call.body.get("model")
        if b.models and model not in b.models:
            text = f"The model `{model}` does not exist or you do not have access to it."
            return 404, replies.error(text, "invalid_request_error", "model_not_found"), ""
        if b.unsupported and (complaint := replies.unsupported(call.body, b.unsupported)):
            return 400, complaint, ""
        if b.context_chars is not None and size > b.context_chars:
            text = (
                f"This model's maximum context length is {b.context_chars // 4} tokens. However, your messages "
                f"resulted in {size // 4} tokens. Please reduce the length of the messages."
            )
            return 400, replies.error(text, "invalid_request_error", "context_length_exceeded", "messages"), ""
        return self._limit(call.arrived)

    def _limit(self, now: float) -> tuple[int, bytes, str] | None:
        b = self.behaviour
        if b.queue is not None and len(self.waiting) >= b.queue and self.books.busy >= b.slots:
            return 503, replies.error("the queue is full", "overloaded"), ""
        if b.rate_limit is None:
            return None
        count, window = b.rate_limit
        while self.recent and self.recent[0] <= now - window:
            self.recent.popleft()
        if len(self.recent) < count:
            self.recent.append(now)
            return None
        wait = self.recent[0] + window - now
        extra = f"Retry-After: {int(wait) + 1}\r\nretry-after-ms: {int(wait * 1000) + 1}\r\n"
        return 429, replies.error("Rate limit reached for requests", "requests", "rate_limit_exceeded"), extra

    def _fault(self, call: _Call) -> str | None:
        faults = self.behaviour.faults
        if callable(faults):
            return faults(call.stage, call.digest, call.attempt)
        if not faults:
            return None
        draw = replies.uniform(call.digest, str(call.attempt), str(self.behaviour.seed))
        for kind, probability in faults.items():
            draw -= probability
            if draw < 0:
                return kind
        return None

    def _serve(self, call: _Call, *, waited: bool = False) -> None:
        books = self.books
        books.busy += 1
        books.max_busy = max(books.max_busy, books.busy)
        call.started = time.monotonic()
        if call.fault == "hang":
            return
        delay = self.behaviour.latency_s
        fraction, factor = self.behaviour.tail
        if fraction and replies.uniform(call.digest, "tail", str(self.behaviour.seed)) < fraction:
            delay *= factor
        if call.fault in STATUS_FAULTS:
            delay = min(delay, 0.001)
        if delay > 0 or waited:  # one that waited is never finished inside the end of another
            call.timer = self.loop.call_later(delay, self._finish, call)
        else:
            self._finish(call)

    def _finish(self, call: _Call) -> None:
        fault = call.fault
        if fault in STATUS_FAULTS:
            status = STATUS_FAULTS[fault]
            code = "insufficient_quota" if fault == "quota" else f"scripted_{fault}"
            extra = f"Retry-After: {self.behaviour.retry_after}\r\n" if self.behaviour.retry_after else ""
            extra += "Location: http://elsewhere.example/v1/chat/completions\r\n" if fault == "302" else ""
            self._end(call, fault, status, replies.error(f"scripted fault {fault}", "scripted", code), extra)
        elif fault == "reset":
            self._end(call, fault, 0, None)
        else:
            body = replies.completion(call.body, call.stage, fault, call.digest)
            self._end(call, fault or "ok", 200, body, cut=fault == "truncated_body")

    def _end(
        self, call: _Call, outcome: str, status: int, payload: bytes | None, extra: str = "", *, cut: bool = False
    ) -> None:
        books = self.books
        now = time.monotonic()
        books.in_flight -= 1
        books.add(
            Entry(
                call.arrived, call.started, now, call.stage, call.document, call.digest, call.attempt, outcome, status
            )
        )
        call.connection.call = None
        if payload is None:
            call.connection.abort()
        else:
            call.connection.answer(status, payload, extra, cut=cut)
        if call.started:
            books.busy -= 1
            while self.waiting and books.busy < self.behaviour.slots:
                self._serve(self.waiting.popleft(), waited=True)
        else:
            with contextlib.suppress(ValueError):
                self.waiting.remove(call)


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and Content-Length, and no more than that."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.call: _Call | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self.call is not None:
            self.engine.leave(self.call)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self.call is None and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[: end + 2])
            mark = head.lower().find(b"\r\ncontent-length:")
            length = int(head[mark + 17 : head.index(b"\r\n", mark + 17)]) if mark >= 0 else 0
            total = end + 4 + length
            if len(self._buffer) < total:
                return
            body = bytes(self._buffer[end + 4 : total])
            del self._buffer[:total]
            self._dispatch(head, body)

    def _dispatch(self, head: bytes, body: bytes) -> None:
        method, target, _ = head[: head.index(b"\r\n")].decode("latin-1").split(" ", 2)
        path = urlsplit(target).path
        engine = self.engine
        if method == "POST" and path == "/v1/chat/completions":
            engine.arrive(self, head, body)
        elif path.startswith(("/v1/files", "/v1/batches")):
            engine.batches.arrive(self, (method, target, head), body)
        elif path == "/v1/models":
            data = [{"id": name, "object": "model"} for name in engine.behaviour.models or ("model",)]
            self.answer(200, orjson.dumps({"object": "list", "data": data}))
        elif path == "/stats":
            asked = {name: float(values[0]) for name, values in parse_qs(urlsplit(target).query).items()}
            stats = engine.books.stats(engine.behaviour.slots, asked.get("since"), asked.get("until"))
            self.answer(200, orjson.dumps(stats))
        elif path == "/reset":
            engine.books.reset()
            self.answer(200, b"{}")
        else:
            self.answer(404, b'{"detail":"Not Found"}')

    def answer(self, status: int, body: bytes, extra: str = "", *, cut: bool = False) -> None:
        if self._transport.is_closing():
            return
        length = len(body) + 1000 if cut else len(body)
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{extra}Content-Length: {length}\r\n\r\n"
        self._transport.write(head.encode() + body)
        if cut:
            self._transport.close()

    def abort(self) -> None:
        if not self._transport.is_closing():
            self._transport.abort()


class LLMServer:
    """The server in a thread with its own loop. Takes what Behaviour takes."""

    def __init__(self, *, port: int = 0, log: Path | None = None, keep_bodies: bool = False, **behaviour: Any) -> None:
        self.books = Books(log)
        self.books.keep_bodies = keep_bodies
        self.behaviour = Behaviour(**behaviour)
        self._port = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> LLMServer:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the LLM server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self.books.close()

    @property
    def batches(self) -> Batches:
        """The batches of the Files and Batches endpoints."""
        return self._engine.batches

    @property
    def url(self) -> str:
        """The base URL, up to /v1."""
        return f"http://127.0.0.1:{self._port}/v1"

    def behave(self, **changes: Any) -> None:
        """Change the behaviour from the next request on."""
        self.behaviour = self._engine.behaviour = dataclasses.replace(self.behaviour, **changes)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._engine = Engine(self.behaviour, self.books)
        connections: set[_Connection] = set()

        def connect() -> _Connection:
            connection = _Connection(self._engine)
            connections.add(connection)
            return connection

        server = await self._loop.create_server(connect, "127.0.0.1", self._port, backlog=4096)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for connection in connections:
            connection.call = None
            connection.abort()


@contextlib.contextmanager
def subprocess_server(*arguments: str) -> Iterator[str]:
    """The server as a process of its own, for benchmarks. Gives its base URL."""
    command = [sys.executable, "-m", "benchmarks.llm_server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
