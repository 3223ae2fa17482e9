"""Batches by OpenAI's Files and Batches endpoints: uploaded, created, polled, fetched; each of them once.

    POST /files -> file_id, written down -> POST /batches -> batch_id, written down -> GET /batches/ID ... -> results

An upload costs nothing and may be repeated; the creation of a batch may not. If nobody knows whether it came through (a
crash, a lost connection), the server's list of batches is searched for our tag before anything is created again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import orjson

from webscale_rl.backend import (
    BackendError,
    BatchRefused,
    Interrupted,
    NoSuchModel,
    NotConnected,
    RateLimited,
    Unauthorized,
)
from webscale_rl.backends.answers import Answer, Transport, origin, plain, refusal
from webscale_rl.backends.batch_lines import ENDPOINT, Results
from webscale_rl.backends.batch_state import ASKED, ERRORS, OUTPUT, Ledger, Record, now
from webscale_rl.errors import ConfigError

TAG = "webscale_rl"
"""The key of our tag in a batch's metadata."""
SETTLE_S = 10.0
"""A batch that is not on the server's list so long after the request to create it was not created."""
CLOCKS_DIFFER_S = 24 * 3600.0
MAX_BACKOFF_S = 60.0
PREFLIGHT_S = 5.0
ENDED = ("completed", "failed", "expired", "cancelled")
_TOKEN_LIMIT = "token_limit"


class FileTransport(Transport, Protocol):
    """A Transport that also fetches files of any size."""

    async def download(self, url: str, headers: Mapping[str, str], path: Path) -> Answer:
        """Fetch a file whole, or not at all. An answer other than 200 is given with its body, as by `send`."""
        ...


T = TypeVar("T")


class QueueFull(Exception):
    """The server validated the batch away: too many tokens wait there already. It cost nothing."""


class _BatchError(msgspec.Struct):
    code: str | None = None
    message: str | None = None
    line: int | None = None


class _Errors(msgspec.Struct):
    data: list[_BatchError] | None = None


class _Counts(msgspec.Struct):
    completed: int = 0


class _Batch(msgspec.Struct):
    id: str
    status: str = ""
    input_file_id: str = ""
    created_at: float = 0.0
    output_file_id: str | None = None
    error_file_id: str | None = None
    errors: _Errors | None = None
    request_counts: _Counts | None = None
    metadata: dict[str, Any] | None = None


class _Page(msgspec.Struct):
    data: list[_Batch]
    has_more: bool = False


class _File(msgspec.Struct):
    id: str


class BatchAPI:
    """The network side of the batch backend, over one server. `poll_s` is the longest time between two looks at a
    batch, `patience_s` how long the server may stay away."""

    def __init__(self, base: str, key_env: str, poll_s: float, patience_s: float, window: str, ledger: Ledger) -> None:
        self._base = base
        self._key_env = key_env
        self._poll_s = poll_s
        self._patience_s = patience_s
        self._window = window
        self._ledger = ledger
        self.key = ""

    async def open(self, transport: FileTransport) -> None:
        """Find the server, and what a crash left undecided. Raises BackendError, or ConfigError for batch files."""
        self._transport = transport
        self.key = os.environ.get(self._key_env, "").strip()
        self._headers = {"User-Agent": "webscale-rl"}
        if self.key:
            if not (self.key.isascii() and self.key.isprintable()):
                raise Unauthorized(f"${self._key_env} holds characters that no key has")
            self._headers["Authorization"] = f"Bearer {self.key}"
        try:
            async with asyncio.timeout(PREFLIGHT_S):
                await transport.send("GET", f"{self._base}/models", self._headers)
        except NotConnected as error:
            raise NotConnected(f"{error}; is the server running?") from error
        except (BackendError, TimeoutError):
            pass  # whatever it minds is told with the first batch
        for group in self._ledger.groups():
            self._ledger.load(group)
        for record in self._ledger.all():
            if record.status == ASKED:
                raise ConfigError(
                    f"{record.name}: its batch file may have been answered; run with --batch-dir, or delete"
                    f" {self._ledger.folder} to ask the server instead"
                )
            if not record.batch_id and await self._found(record) is None:
                self._ledger.remove(record)

    async def send(self, record: Record, content: bytes) -> None:
        """Submit the batch: the upload, the intent, the creation. Raises BackendError; if the batch may exist all the
        same, the intent is kept, and the next process looks for it."""
        file_id = await self._upload(record, content)
        await self._create(self._ledger.write(msgspec.structs.replace(record, file_id=file_id, written=now())))

    async def results(self, record: Record) -> Results:
        """All that the batch brought, once it has ended. Raises BackendError, or QueueFull."""
        record = self._ledger.written(record)
        output, errors = (self._ledger.folder / f"{record.name}{ending}" for ending in (OUTPUT, ERRORS))
        if not record.status:
            batch = await self._ended(record)
            if batch.status == "failed":
                self._refuse(record, batch)
            for path, file_id in ((output, batch.output_file_id), (errors, batch.error_file_id)):
                if file_id and not path.exists():
                    await self._fetch(file_id, path)
            self._ledger.write(msgspec.structs.replace(record, status=batch.status))
            if batch.status == "cancelled":
                raise Interrupted(f"batch {batch.id} was cancelled; run again to submit what it left unanswered")
        found = [path for path in (output, errors) if path.exists()]
        return await asyncio.to_thread(Results, found, set(record.ids))

    async def _upload(self, record: Record, content: bytes) -> str:
        # The boundary cannot stand in the content: there, a line break is followed by a brace.
        boundary = f"webscale-rl-{record.tag}"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--{boundary}\r\n'
            f'Content-Disposition: form-data; name="file"; filename="{record.tag}.jsonl"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        answer = await self._patiently("POST", "/files", body, f"multipart/form-data; boundary={boundary}")
        return self._read(answer, _File).id

    async def _create(self, record: Record) -> None:
        fields = {
            "input_file_id": record.file_id,
            "endpoint": ENDPOINT,
            "completion_window": self._window,
            "metadata": {TAG: record.tag},
        }
        patience = _Patience(self._patience_s)
        while True:
            try:
                answer = await self._once("POST", "/batches", orjson.dumps(fields), "application/json")
            except (NotConnected, RateLimited) as error:  # refused for certain, or never asked
                await patience.wait(error)
            except BackendError as error:
                if not error.retry:
                    self._ledger.remove(record)
                    raise
                await patience.wait(error)
                if await self._found(record) is not None:
                    return
            else:
                await self._note(record, answer)
                return

    async def _note(self, record: Record, answer: Answer) -> None:
        """Write the id of a batch down that was created just now."""
        try:
            created = self._read(answer, _Batch)
        except BatchRefused:  # nobody can read as what: then the list must say it
            if await self._found(record) is None:
                raise
        else:
            self._ledger.write(msgspec.structs.replace(record, batch_id=created.id))

    async def _found(self, record: Record) -> _Batch | None:
        """The batch of this record on the server's list, written down; None if it was never created."""
        while True:
            looked = now()
            if batch := await self._listed(record):
                self._ledger.write(msgspec.structs.replace(record, batch_id=batch.id))
                return batch
            if looked - record.written > SETTLE_S:
                return None
            await asyncio.sleep(1.0)  # it may be on its way

    async def _listed(self, record: Record) -> _Batch | None:
        after = ""
        while True:
            page = self._read(await self._patiently("GET", f"/batches?limit=100{after}"), _Page)
            for batch in page.data:
                if (batch.metadata or {}).get(TAG) == record.tag or batch.input_file_id == record.file_id:
                    return batch
            last = page.data[-1] if page.data else None
            if last is None or not page.has_more or 0 < last.created_at < record.written - CLOCKS_DIFFER_S:
                return None
            after = f"&after={last.id}"

    async def _ended(self, record: Record) -> _Batch:
        wait = min(1.0, self._poll_s)
        patience = _Patience(self._patience_s)
        while True:
            try:
                answer = await self._patiently("GET", f"/batches/{record.batch_id}")
            except NoSuchModel as error:
                raise self._lost(record, f"batch {record.batch_id}") from error
            batch = self._read(answer, _Batch)
            if batch.status in ENDED:
                if batch.output_file_id or not (batch.request_counts and batch.request_counts.completed):
                    return batch
                # answers that are there would be taken for missing, and paid again
                await patience.wait(Interrupted(f"batch {batch.id} has ended, but its results cannot be had"))
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._poll_s)

    async def _fetch(self, file_id: str, path: Path) -> None:
        patience = _Patience(self._patience_s)
        while True:
            try:
                answer = await self._transport.download(f"{self._base}/files/{file_id}/content", self._headers, path)
                if answer.status == 200:
                    return
                raise self._refusal(answer)
            except NoSuchModel as error:
                raise BatchRefused(f"{origin(self._base)} does not have file {file_id} any more ({error})") from error
            except BackendError as error:
                if not error.retry:
                    raise
                await patience.wait(error)

    def _refuse(self, record: Record, batch: _Batch) -> None:
        """What a batch that failed its validation says. None of it ran, and none of it costs."""
        errors = (batch.errors.data if batch.errors else None) or [_BatchError()]
        said = plain(f"{errors[0].code or ''}: {errors[0].message or 'no reason given'}", self.key)
        if any(_TOKEN_LIMIT in (error.code or "") or "enqueued token" in (error.message or "") for error in errors):
            raise QueueFull(said)
        self._ledger.remove(record)
        where = f" (line {errors[0].line})" if errors[0].line is not None else ""
        raise BatchRefused(f"{origin(self._base)} refused batch {batch.id}{where}: {said}")

    def _lost(self, record: Record, what: str) -> BatchRefused:
        path = self._ledger.folder / f"{record.name}.json"
        return BatchRefused(
            f"{origin(self._base)} does not know {what}; run again with the key and project that created it, or delete"
            f" {path} to submit its requests again"
        )

    async def _patiently(self, method: str, path: str, body: bytes = b"", content: str = "") -> Answer:
        """An answer of 2xx to what may be asked twice. What may pass is tried again. Raises BackendError."""
        patience = _Patience(self._patience_s)
        while True:
            try:
                return await self._once(method, path, body, content)
            except BackendError as error:
                if not error.retry:
                    raise
                await patience.wait(error)

    async def _once(self, method: str, path: str, body: bytes = b"", content: str = "") -> Answer:
        headers = self._headers | ({"Content-Type": content} if content else {})
        answer = await self._transport.send(method, self._base + path, headers, body)
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return answer

    def _refusal(self, answer: Answer) -> BackendError:
        error = refusal(answer, url=self._base, model="", secret=self.key)
        if isinstance(error, Unauthorized) and not self.key:
            return Unauthorized(f"{error}; ${self._key_env} is not set")
        if isinstance(error, NoSuchModel):
            hint = "does base_url end in /v1? A server without the Batch API takes batch files: --batch-dir"
            return NoSuchModel(f"404 from {origin(self._base)}: no Batch API here; {hint}")
        if not (error.retry or error.fatal):
            return BatchRefused(str(error))
        return error

    def _read(self, answer: Answer, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            said = plain(answer.body[:200].decode("utf-8", "replace"), self.key)
            raise BatchRefused(f"{origin(self._base)} does not speak the Batch API: {said}") from error


class _Patience:
    """Waits between tries: twice as long each time, never before Retry-After; Interrupted after `seconds` in all."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._next = min(1.0, seconds / 8)

    async def wait(self, error: BackendError) -> None:
        if time.monotonic() >= self._until:
            raise Interrupted(f"{error}; batches that were submitted are kept, run again when the server is back")
        await asyncio.sleep(max(self._next, error.retry_after_s or 0.0))
        self._next = min(2 * self._next, MAX_BACKOFF_S)
