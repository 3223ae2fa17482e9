"""The Files and Batches endpoints of the simulated server: OpenAI's, with faults, and books of what was created.

    POST /v1/files    GET /v1/files/{id}/content
    POST /v1/batches  GET /v1/batches  GET /v1/batches/{id}  POST /v1/batches/{id}/cancel

A batch's lines are answered as chat completions are, all at once, `delay_s` after its creation; every answer stands in
the server's books, so that one that is paid for twice shows.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.llm_server import replies
from benchmarks.llm_server.books import Entry

if TYPE_CHECKING:
    from benchmarks.llm_server.engine import Engine
    from benchmarks.llm_server.server import _Connection


@dataclasses.dataclass(frozen=True)
class BatchBehaviour:
    """How batches go.

    They take `delay_s`, and up to `spread_s` more, each another time. `line` says what becomes of a line, given its
    stage, the digest of its body and how often it came: None (answered), a fault of the reply, a status such as "500",
    or "expired". A batch with a line of that kind expires. `fail` gives the code of a failed validation, or None, for
    the number of batches before and of lines; `cancel` cancels the n-th batch. `on` is told each step before and after
    it is done ("create", "create done", ...); a status that it gives is answered in the step's place, and "lost"
    breaks the connection.
    """

    delay_s: float = 0.0
    spread_s: float = 0.0
    line: Callable[[str, str, int], str | None] = lambda stage, digest, attempt: None
    fail: Callable[[int, int], str | None] = lambda before, lines: None
    cancel: Callable[[int], bool] = lambda number: False
    on: Callable[[str], str | None] = lambda step: None
    page: int = 100
    keep_metadata: bool = True


class Batches:
    """All files and batches of a server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.files: dict[str, bytes] = {}
        self.created: list[dict[str, Any]] = []

    @property
    def _behaviour(self) -> BatchBehaviour:
        return self._engine.behaviour.batches

    def arrive(self, connection: _Connection, request: tuple[str, str, bytes], raw: bytes) -> None:
        """Take one request: method, target, head."""
        method, target, head = request
        key = self._engine.behaviour.api_key
        if key is not None and f"\r\nauthorization: bearer {key}\r\n".lower().encode() not in head.lower():
            text = "Incorrect API key provided."
            connection.answer(401, replies.error(text, "invalid_request_error", "invalid_api_key"))
            return
        steps = urlsplit(target).path.split("/")[2:]
        step, work = self._route(method, steps, head, raw, parse_qs(urlsplit(target).query))
        for name, last in ((step, False), (f"{step} done", True)):
            told = self._behaviour.on(name)
            if told == "lost":
                connection.abort()
                return
            if told is not None:
                connection.answer(int(told), replies.error(f"scripted {told}", "scripted"))
                return
            if not last:
                status, body = work()
        connection.answer(status, body)

    def _route(
        self, method: str, steps: list[str], head: bytes, raw: bytes, query: dict[str, list[str]]
    ) -> tuple[str, Callable[[], tuple[int, bytes]]]:
        match method, steps:
            case "POST", ["files"]:
                return "upload", lambda: self._upload(head, raw)
            case "GET", ["files", name, "content"]:
                return "fetch", lambda: (200, self.files[name]) if name in self.files else _missing(name)
            case "POST", ["batches"]:
                return "create", lambda: self._create(orjson.loads(raw))
            case "GET", ["batches"]:
                return "list", lambda: self._list(query)
            case "GET", ["batches", name]:
                return "poll", lambda: self._get(name)
            case "POST", ["batches", name, "cancel"]:
                return "cancel", lambda: self._cancel(name)
        return "other", lambda: _missing("/".join(steps))

    def _upload(self, head: bytes, raw: bytes) -> tuple[int, bytes]:
        boundary = re.search(rb"boundary=([^\s;]+)", head)
        assert boundary is not None
        parts = raw.split(b"--" + boundary[1])
        fields = {}
        for part in parts[1:-1]:
            about, _, content = part.partition(b"\r\n\r\n")
            name = re.search(rb'name="(\w+)"', about)
            assert name is not None
            fields[name[1].decode()] = content.removesuffix(b"\r\n")
        if fields.get("purpose") != b"batch" or not fields.get("file"):
            return 400, replies.error("a file and its purpose are required", "invalid_request_error")
        return 200, orjson.dumps(self._file(fields["file"]))

    def _file(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "purpose": "batch"}

    def _create(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        if asked["input_file_id"] not in self.files or asked["endpoint"] != "/v1/chat/completions":
            return 400, replies.error("no such file or endpoint", "invalid_request_error")
        lines = self.files[asked["input_file_id"]].splitlines()
        batch = {
            "id": f"batch_{len(self.created)}",
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "metadata": asked.get("metadata") if self._behaviour.keep_metadata else None,
            "status": "validating",
            "created_at": int(time.time()),
            "output_file_id": None,
            "error_file_id": None,
            "errors": None,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self.created.append(batch)
        number = len(self.created) - 1
        delay = self._behaviour.delay_s + self._behaviour.spread_s * replies.uniform("batch", str(number))
        asyncio.get_running_loop().call_later(delay, self._run, batch, number, lines)
        return 200, orjson.dumps(batch)

    def _list(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        newest = self.created[::-1]
        if "after" in query:
            ids = [batch["id"] for batch in newest]
            newest = newest[ids.index(query["after"][0]) + 1 :]
        page = newest[: min(int(query.get("limit", ["20"])[0]), self._behaviour.page)]
        return 200, orjson.dumps({"object": "list", "data": page, "has_more": len(page) < len(newest)})

    def _get(self, name: str) -> tuple[int, bytes]:
        found = next((batch for batch in self.created if batch["id"] == name), None)
        return _missing(name) if found is None else (200, orjson.dumps(found))

    def _cancel(self, name: str) -> tuple[int, bytes]:
        for batch in self.created:
            if batch["id"] == name and batch["status"] not in ("completed", "failed", "expired"):
                batch["status"] = "cancelled"
        return self._get(name)

    def _run(self, batch: dict[str, Any], number: int, lines: list[bytes]) -> None:
        if batch["status"] == "cancelled":
            return
        code = self._behaviour.fail(number, len(lines))
        if code is not None:
            batch["status"] = "failed"
            error = {"code": code, "message": f"scripted {code}", "line": None, "param": None}
            batch["errors"] = {"object": "list", "data": [error]}
            return
        results = [self._answered(orjson.loads(line)) for line in lines]
        done = [line for line, outcome in results if outcome is None]
        failed = [line for line, outcome in results if outcome is not None]
        expired = any(outcome == "expired" for _, outcome in results)
        cancelled = self._behaviour.cancel(number)
        if cancelled:
            failed, done = [], done[: len(done) // 2]
        for field, content in (("output_file_id", done), ("error_file_id", failed)):
            if content:
                batch[field] = self._file(b"".join(content))["id"]
        batch["request_counts"] = {"total": len(lines), "completed": len(done), "failed": len(failed)}
        batch["status"] = "cancelled" if cancelled else "expired" if expired else "completed"

    def _answered(self, asked: dict[str, Any]) -> tuple[bytes, str | None]:
        """A line of the output file, or of the error file with the kind of its error."""
        body = asked["body"]
        digest = hashlib.blake2b(orjson.dumps(body, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
        understood = replies.understand(body)
        stage, document = understood.stage, understood.document
        books = self._engine.books
        books.attempts[digest] += 1
        attempt = books.attempts[digest]
        told = self._behaviour.line(stage, digest, attempt)
        line: dict[str, Any] = {"id": f"batch_req_{digest[:12]}", "custom_id": asked["custom_id"], "error": None}
        if told == "expired":
            text = "This request could not be executed before the completion window expired."
            line |= {"response": None, "error": {"code": "batch_expired", "message": text}}
            return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), told
        fault = told if told is not None and not told.isdigit() else None
        status = int(told) if told is not None and fault is None else 200
        text = replies.error(f"scripted {told}", "scripted") if status != 200 else b""
        answered, usage = (text, replies.Usage()) if text else self._engine.completed(body, understood, fault)
        line["response"] = {"status_code": status, "request_id": digest, "body": orjson.Fragment(answered)}
        now = time.monotonic()
        outcome = fault or (str(status) if status != 200 else "ok")
        books.add(Entry(now, now, now, stage, document, digest, attempt, outcome, status, understood.key, *usage))
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), None if status == 200 else outcome


def _missing(name: str) -> tuple[int, bytes]:
    return 404, replies.error(f"No such object: {name}", "invalid_request_error")
