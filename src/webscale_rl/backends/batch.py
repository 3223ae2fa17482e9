"""Batches: all that a shard's documents ask of a stage goes out at once, by OpenAI's Batch API or as batch files.

A request waits until its shard is quiet, then in a batch until that has ended: hours, at half the price. What a batch
did not answer (it expired, the server erred) goes into another one, a few times. No answer is paid for twice: which
answers a batch was asked for is written down, and whoever asks for one of them, also after a restart, waits for it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, field_validator

from webscale_rl.backend import BackendError, BatchRefused, Interrupted, Overloaded, Reply, Request
from webscale_rl.backends.batch_api import BatchAPI, FileTransport, QueueFull
from webscale_rl.backends.batch_files import BatchFiles
from webscale_rl.backends.batch_lines import Results, custom_id, read_result, request_line
from webscale_rl.backends.batch_state import Ledger, Record, now
from webscale_rl.backends.body import Form, encode_ending, encode_messages
from webscale_rl.backends.openai import OpenAIOptions
from webscale_rl.errors import ConfigError
from webscale_rl.stage import Context

FOLDER = "batches"
QUIET_S = 0.2
"""A shard has asked all that it can for now when nothing more has come for so long."""
HALF = 0.5
MOST_DOUBLINGS = 5
REFUSALS = 3
"""So often in a row the server's queue may be full before batches are made smaller."""


class BatchOptions(OpenAIOptions):
    """Options of the batch backend."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    structured: Literal["json_schema", "json_object", "text"] = Field(
        "json_schema", description="how the form of a reply is asked for; a batch cannot try what the model takes"
    )
    batch_dir: str | None = Field(
        None, description="write batch files into this folder and read results from it, without a network"
    )
    poll_s: float = Field(30.0, gt=0, description="most seconds between two looks at a batch")
    completion_window: str = Field("24h", description="the time within which the server is to answer a batch")
    rounds: int = Field(3, ge=0, description="how often what a batch left unanswered goes into another one")
    open_shards: int = Field(8, ge=1, description="shards whose batches are under way at once; memory grows with it")
    max_requests: int = Field(50_000, ge=1, le=50_000, description="most requests of one batch (OpenAI: 50,000)")
    max_mb: int = Field(100, ge=1, le=200, description="most megabytes of one file of requests (OpenAI: 200)")
    patience_s: float = Field(1800.0, gt=0, description="how long the server may be away before the run stops")
    price_factor: float | None = Field(
        None, ge=0, description="share of the model's price that is paid; default: 0.5, and 1 with batch_dir"
    )

    @field_validator("base_urls")
    @classmethod
    def _one(cls, urls: list[str]) -> list[str]:
        if len(urls) > 1:
            raise ValueError("the batch backend takes one base URL: a batch cannot move to another server")
        return urls


@dataclass
class _Group:
    """A shard's requests that are in no batch yet, by stage. `whole`: no more documents will come."""

    whole: bool
    arrivals: int = 0
    waiting: dict[str, list[tuple[Request, asyncio.Future[None]]]] = field(default_factory=dict)
    watched: bool = False


class Batch:
    """The batch backend. In the dataset it is called openai: another way to the same models. `transport` replaces the
    network in tests."""

    name: ClassVar[str] = "openai"
    paid: ClassVar[bool] = True
    Options: ClassVar[type[BatchOptions]] = BatchOptions
    price_factor: float = HALF
    """What of the model's price is paid."""

    def __init__(
        self, options: BatchOptions, context: Context | None = None, transport: FileTransport | None = None
    ) -> None:
        if context is None or context.folder is None:
            raise ConfigError("backend batch: needs a run directory, for what it has submitted; set `out`")
        self.options = options
        self.open_shards = options.open_shards
        usual = HALF if options.batch_dir is None else 1.0
        self.price_factor = usual if options.price_factor is None else options.price_factor
        self._transport = transport
        self._network: Any = None
        self._ledger = Ledger(context.folder / FOLDER)
        self._files = None if options.batch_dir is None else BatchFiles(Path(options.batch_dir), self._ledger)
        self._api = BatchAPI(
            options.base_urls[0],
            options.api_key_env,
            options.poll_s,
            options.patience_s,
            options.completion_window,
            self._ledger,
        )
        self._form = Form(options.structured, renamed=True)
        self._ending = lru_cache(maxsize=1024)(partial(encode_ending, options.extra_body))
        self._groups: dict[str, _Group] = {}
        self._deliveries: dict[str, asyncio.Task[Results | None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._submitting = asyncio.Lock()
        self._queue_full = 0
        self._most = options.max_requests

    async def __aenter__(self) -> Self:
        """Finds the server, and the batches of an earlier process. Raises BackendError or ConfigError."""
        self._ledger.folder.mkdir(parents=True, exist_ok=True)
        if self._files is not None:
            self._files.open()
            return self
        if self._transport is None:
            from webscale_rl.backends.transport import Http

            self._network = Http(self.options.timeout_s, self.options.connect_timeout_s)
            self._transport = await self._network.__aenter__()
        try:
            await self._api.open(self._transport)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of the batches that are under way: the next process takes them up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._network is not None:
            network, self._network, self._transport = self._network, None, None
            await network.__aexit__(kind, error, trace)

    async def reply(self, request: Request) -> Reply:
        """The answer to one request, when its batch has ended. Raises BackendError, or Postponed for batch files."""
        try:
            return await self._reply(request, custom_id(request))
        except OSError as error:
            place = error.filename or self._ledger.folder
            raise Interrupted(f"{place}: {error.strerror or error}; mend it and run again") from error

    def gathered(self, group: str) -> None:
        """All documents of the group are in flight: what has asked when all is quiet is a batch."""
        found = self._groups.setdefault(group, _Group(whole=True))
        found.whole = True
        self._stir(group, found)

    def left(self, group: str, answers: Callable[[bytes], int] | None) -> None:
        """The group's documents are gone. A batch of which all answers are stored is forgotten. Raises OSError."""
        self._groups.pop(group, None)
        for record in list(self._ledger.of(group)):
            self._deliveries.pop(record.name, None)
            if answers is not None and self._ledger.is_done(record, answers):
                self._ledger.remove(record)
                if self._files is not None:
                    self._files.forget(record)
        if self._files is not None:
            self._ledger.release(group)

    def outstanding(self) -> str:
        """What must be done before the run can go on: the commands that answer the batch files."""
        return self._files.outstanding() if self._files is not None else "run again to go on"

    async def _reply(self, request: Request, name: str) -> Reply:
        problem: BackendError = Overloaded("no batch has answered this request")
        while True:
            record = self._ledger.claim(request.group, name)
            if record is None:
                if self._ledger.times(request.group, name) > self.options.rounds:
                    raise problem
                await self._gather(request)
                continue
            results = await self._delivered(record)
            if results is None:
                continue
            line = results.get(name) or b""
            found = read_result(line, where=self._where(record), model=request.model, secret=self._api.key)
            self._ledger.settle(record, name)
            if isinstance(found, Reply):
                return found
            if found is not None and not found.retry:
                raise found
            word = self._ledger.written(record).status
            problem = found or Overloaded(f"batch {record.name} ({word or 'ended'}) holds no answer to this request")

    def _where(self, record: Record) -> str:
        return f"batch://{record.name}" if self._files is not None else self.options.base_urls[0]

    async def _gather(self, request: Request) -> None:
        """Wait until the request is in a batch. Raises what kept it from that."""
        group = self._groups.setdefault(request.group, _Group(whole=not request.group))
        submitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group.waiting.setdefault(request.stage, []).append((request, submitted))
        group.arrivals += 1
        request.forget()
        self._stir(request.group, group)
        await submitted

    def _stir(self, name: str, group: _Group) -> None:
        if group.whole and group.waiting and not group.watched:
            group.watched = True
            self._spawn(self._watch(name, group))

    async def _watch(self, name: str, group: _Group) -> None:
        """When the group is quiet, make a batch of what each stage has asked."""
        seen = -1
        while seen != group.arrivals:
            seen = group.arrivals
            await asyncio.sleep(QUIET_S)
        waiting, group.waiting, group.watched = group.waiting, {}, False
        for stage, asked in waiting.items():
            self._spawn(self._submit(name, stage, asked))

    async def _submit(self, group: str, stage: str, asked: list[tuple[Request, asyncio.Future[None]]]) -> None:
        try:
            async with self._submitting:  # the content of one file is in memory at a time
                await self._submit_all(group, stage, asked)
        except (BackendError, OSError) as error:
            for _, submitted in asked:
                if not submitted.done():
                    submitted.set_exception(error)

    async def _submit_all(self, group: str, stage: str, asked: list[tuple[Request, asyncio.Future[None]]]) -> None:
        for requests, content in self._cut(asked):
            record = Record(
                name=self._ledger.name(group, stage, self._files.is_taken if self._files else None),
                group=group,
                stage=stage,
                model=requests[0][0].model,
                ids=[custom_id(request) for request, _ in requests],
                tag=secrets.token_hex(12),  # must be no other run's, on an account that several share
                written=now(),
            )
            await (self._files or self._api).send(record, content)
            for _, submitted in requests:
                if not submitted.done():
                    submitted.set_result(None)

    def _cut(
        self, asked: list[tuple[Request, asyncio.Future[None]]]
    ) -> Iterator[tuple[list[tuple[Request, asyncio.Future[None]]], bytes]]:
        """The requests that are still wanted as the contents of files, none of them too large."""
        requests: list[tuple[Request, asyncio.Future[None]]] = []
        lines: list[bytes] = []
        size = 0
        for request, submitted in asked:
            if submitted.done():
                continue
            line = self._line(request)
            full = len(lines) >= self._most or size + len(line) > self.options.max_mb * 1_000_000
            if lines and (full or request.model != requests[0][0].model):
                yield requests, _joined(lines)
                requests, size = [], 0
            requests.append((request, submitted))
            lines.append(line)
            size += len(line)
        if lines:
            yield requests, _joined(lines)

    def _line(self, request: Request) -> bytes:
        ending = self._ending(request.model, request.stage, request.reply_type, request.sampling, self._form)
        line = request_line(custom_id(request), b"".join([*encode_messages(request, self._form.mode), ending]))
        request.forget()
        return line

    async def _delivered(self, record: Record) -> Results | None:
        """The results of a batch, fetched once for all who wait; None if the batch was never run."""
        task = self._deliveries.get(record.name)
        if task is None:
            task = self._deliveries[record.name] = self._spawn(self._deliver(record))
        return await asyncio.shield(task)

    async def _deliver(self, record: Record) -> Results | None:
        try:
            results = await (self._files or self._api).results(record)
        except QueueFull as error:
            self._deliveries.pop(record.name)
            self._ledger.remove(record)
            self._queue_full += 1
            # nothing of ours will make room, and others' batches had their time: it is the batch that is too large
            if self._queue_full >= REFUSALS and not self._under_way():
                if len(record.ids) == 1:
                    raise BatchRefused(f"a batch of one request is too large for the server: {error}") from error
                self._most = min(self._most, len(record.ids) // 2)
            await asyncio.sleep(self.options.poll_s * 2 ** min(self._queue_full - 1, MOST_DOUBLINGS))
            return None
        self._queue_full = 0
        return results

    def _under_way(self) -> bool:
        return any(not task.done() for task in self._deliveries.values())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # those who wait for it have it; if nobody does any more, it is not forgotten either


def _joined(lines: list[bytes]) -> bytes:
    """The content of a file; the lines are let go."""
    content = b"".join(lines)
    lines.clear()
    return content
