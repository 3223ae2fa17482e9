"""A real HTTP server on loopback that answers the four stages by rule: for tests and benchmarks.

In a test:        with LLMServer(latency_s=0.02, slots=8, faults={"503": 0.1}) as server: ... server.url, server.books
For a benchmark:  python -m benchmarks.llm_server --port 0 --slots 64 --latency 0.2      (prints its URL, then serves)

Every reply is made of the request's text alone, so that two runs get the same replies. Like an inference engine it
serves `slots` requests at a time and lets the others wait in line. It keeps books of every request.

Faults, by the share of requests or by a function: a status ("429", "503", ... "302", "quota"); on the wire "reset",
"hang", "stall", "truncated_body"; in the reply "cut", "fenced", "python", "refusal", "empty", "garbage",
"null_content", "bad_json", "content_filter".

    POST /v1/files   GET /v1/files/ID/content   POST, GET /v1/batches   GET /v1/batches/ID   (batches.py)
    POST /v1/chat/completions   GET /v1/models   GET /stats?since=T&until=T   POST /reset
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from benchmarks.llm_server.batches import Batches
from benchmarks.llm_server.books import Books
from benchmarks.llm_server.engine import Behaviour, Call, Engine


class _Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive and Content-Length, and no more than that."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.call: Call | None = None
        self._buffer = bytearray()
        self._last = False

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
            self._last = b"\r\nconnection: close" in head.lower()
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
        if cut or self._last:
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
