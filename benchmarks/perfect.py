"""The perfect client: what the same job takes if the client itself takes no time at all.

    python -m benchmarks.perfect [--documents 1000] [--slots 64] [--latency 0.2] [--tail 0.01:40] [--corpus F...]

On a virtual clock it carries the same documents through the same stages (same prompts, replies, drops) against the same
server model (slots, service times, heavy tail, prefix cache: the very code that the simulated server runs). It keeps
`width` calls in flight, the later stages first, then the earlier document, and takes a new document only for a slot
that nobody else wants. What it does not reach nobody can who works depth first: in the end the chains of the last
documents leave slots empty.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import selectors
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from benchmarks.llm_server.books import Books, Entry
from benchmarks.llm_server.engine import Behaviour, Call, Engine
from webscale_rl.backend import Backend, Reply, Request
from webscale_rl.backends.answers import Answer, Body
from webscale_rl.config import Parts, Run
from webscale_rl.corpus import files, read
from webscale_rl.engine.ask import Asker
from webscale_rl.engine.stop import Stop
from webscale_rl.types import Document

URL = "http://perfect.invalid/v1"
_INSTANT = 1e-7
"""Seconds after which all that follows from an answer has been asked for: then the slots are dealt out."""


@dataclass(frozen=True)
class Ideal:
    """What the perfect client took. The books are the server's; times are of its virtual clock, from 0."""

    wall_s: float
    entries: list[Entry]

    def slot_use(self, slots: int) -> tuple[float, float]:
        """Shares of slot time in service, until the last document has started and over the whole run."""
        last = max(entry.started for entry in self.entries if entry.stage == "filter")
        return slot_use(self.entries, slots, last), slot_use(self.entries, slots, self.wall_s)


def slot_use(entries: list[Entry], slots: int, until: float) -> float:
    """The share of slot time in service between the first start and `until`."""
    since = min(entry.started for entry in entries)
    busy = sum(max(0.0, min(entry.ended, until) - entry.started) for entry in entries)
    return busy / (slots * (until - since))


def ideal(inputs: list[str], behaviour: Behaviour, width: int, **configuration: Any) -> Ideal:
    """The perfect client's run over these documents. `configuration` is a Run's."""
    backend = {"use": "openai", "base_urls": [URL], "model": "m"}
    run = Run.make({"inputs": inputs, "backend": backend, **configuration})
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(_carry(run, behaviour, width))


async def _carry(run: Run, behaviour: Behaviour, width: int) -> Ideal:
    loop = asyncio.get_running_loop()
    books = Books()
    engine = Engine(behaviour, books, loop.time)
    parts = Parts(run)
    backend = parts.backend_class(parts.backend_options, parts.context, transport=_Wire(engine))
    async with backend:
        traffic = _Traffic(backend, width)
        asker = Asker(parts, traffic, Stop(), run.traffic.attempts)  # type: ignore[arg-type]
        shard: Any = SimpleNamespace(index=0, replies=None, group="")

        async def carry(ordinal: int, document: Document) -> None:
            await parts.pipeline.carry(document, lambda stage, record: asker.ask(shard, ordinal, stage, record))

        tasks = []
        for ordinal, document in enumerate(_documents(run)):
            await traffic.wanted()
            tasks.append(asyncio.create_task(carry(ordinal, document)))
        await asyncio.gather(*tasks)
    return Ideal(max(entry.ended for entry in books.entries), books.entries)


def _documents(run: Run) -> Iterator[Document]:
    for item in read(files(list(run.inputs), run.corpus), run.corpus):
        if isinstance(item, Document):
            yield item


class _Traffic:
    """Stands in for the engine's: so many calls at once, dealt out when an instant's consequences are all known."""

    def __init__(self, backend: Backend, width: int) -> None:
        self._backend = backend
        self._free = width
        self._waiting: list[tuple[Any, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._room: asyncio.Future[None] | None = None
        self._dealing = False

    async def reply(self, request: Request, priority: Any) -> tuple[Reply, float, str]:
        """The answer, when it is this request's turn."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (priority, self._arrivals, turn))
        self._deal_soon()
        await turn
        reply = await self._backend.reply(request)
        self._free += 1
        self._deal_soon()
        return reply, 0.0, ""

    async def wanted(self) -> None:
        """Wait until a slot is free that nobody wants."""
        self._room = asyncio.get_running_loop().create_future()
        self._deal_soon()
        await self._room

    def _deal_soon(self) -> None:
        if not self._dealing:
            self._dealing = True
            asyncio.get_running_loop().call_later(_INSTANT, self._deal)

    def _deal(self) -> None:
        self._dealing = False
        while self._free > 0 and self._waiting:
            self._free -= 1
            heapq.heappop(self._waiting)[2].set_result(None)
        if self._free > 0 and self._room is not None and not self._room.done():
            self._room.set_result(None)


class _Wire:
    """A transport that takes no time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = b"") -> Answer:
        """Hand the request to the server model and wait for what becomes of it."""
        if method == "GET":
            return Answer(200, {}, b'{"data": []}')
        caller = _Caller()
        self._engine.arrive(caller, b"", body if isinstance(body, bytes) else b"".join(body))
        return await caller.answered


class _Caller:
    def __init__(self) -> None:
        self.call: Call | None = None
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def answer(self, status: int, body: bytes, extra: str = "", *, cut: bool = False) -> None:
        self.answered.set_result(Answer(status, {}, body))

    def abort(self) -> None:
        raise AssertionError("the perfect client's server has no faults")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while it would sleep, and then at once."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_NoWaiting(self))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.now


class _NoWaiting(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("deadlock on the virtual clock: nothing is scheduled and nothing is ready")
        self._loop.now += max(0.0, timeout)
        return super().select(0)


def main() -> None:
    from benchmarks.measure import corpus

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--width", type=int, help="calls in flight (as many as slots)")
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--tail", default="0:1", help="FRACTION:FACTOR of calls that take longer")
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    args = parser.parse_args()
    fraction, factor = map(float, args.tail.split(":"))
    behaviour = Behaviour(slots=args.slots, latency_s=args.latency, tail=(fraction, factor))
    with TemporaryDirectory() as folder:
        path = corpus(Path(folder) / "corpus.jsonl", args.corpus, args.documents, least=1500)
        found = ideal([str(path)], behaviour, args.width or args.slots)
    started, whole = found.slot_use(args.slots)
    print(f"{len(found.entries):,} calls in {found.wall_s:.2f} s")
    print(f"slot time used until the last document has started: {100 * started:.2f} %")
    print(f"slot time used over the whole run: {100 * whole:.2f} %")


if __name__ == "__main__":
    main()
