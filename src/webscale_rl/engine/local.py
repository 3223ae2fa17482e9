"""The local runner: one process streams through all shards, and none of them is a barrier.

Documents are taken in while slots are free; shards open with their first document and are committed when their last one
ends. What stops the run leaves every answer in its journal, and the next run goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import orjson

from webscale_rl.backend import Backend, BackendError, Batched, Postponed
from webscale_rl.config import Parts, Run
from webscale_rl.corpus import Unreadable
from webscale_rl.dataset.rows import outcome_row
from webscale_rl.engine.ask import Asker
from webscale_rl.engine.caps import Caps
from webscale_rl.engine.feed import Item, feed
from webscale_rl.engine.gate import Gate
from webscale_rl.engine.keeper import Keeper
from webscale_rl.engine.moved import MovedReplies
from webscale_rl.engine.observers import Observers
from webscale_rl.engine.progress import Progress, Watch
from webscale_rl.engine.replies import Stored, read_spent
from webscale_rl.engine.shard import Commit, Shard, read_commit, shard_path
from webscale_rl.engine.stop import RESUMABLE, WRONG_USAGE, Stop, Stopped
from webscale_rl.engine.traffic import Traffic
from webscale_rl.errors import RunStopped
from webscale_rl.files import scratch_folder
from webscale_rl.pipeline import Outcome
from webscale_rl.types import Document, Drop

T = TypeVar("T")
COMMITS_WAITING = 2
SHARD_BYTES = 64 << 20
"""A shard ends early at so many characters of text: it is held in memory until it is committed."""
BACKEND_FILE = "backend.json"
"""What a backend learned of its servers, such as which reply forms they take."""
READ = "read"
"""The stage name under which unreadable records stand in the books."""


class LocalRunner:
    """Runs the pipeline over a corpus into a run directory. `rules` and `source` are digests (see `Commit`).

    `moved` finds replies in other shards of the directory, `elsewhere` those of its pilot (and for a pilot, its run's);
    what the run directory `also_paid` holds counts against the caps. `gate` says what need not be paid for. `used` is
    told of every reply that a document took, by the document's ordinal, whether it was bought now or before.
    """

    def __init__(self, run: Run, parts: Parts, folder: Path, *, rules: str, source: str, stop: Stop) -> None:
        self.moved: MovedReplies | None = None
        self.elsewhere: MovedReplies | None = None
        self.also_paid: Path | None = None
        self.gate: Gate | None = None
        self.used: Callable[[int, Stored], None] = lambda ordinal, stored: None
        self._run = run
        self._parts = parts
        self._folder = folder
        self._rules = rules
        self._source = source
        self._stop = stop
        self._open: dict[int, Shard] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._commits: set[asyncio.Task[None]] = set()
        self._batches: Batched | None = None
        self._shard_left = asyncio.Event()
        self._postponed = False
        self._labels = _labels(parts)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="disk")  # one: each thread keeps memory of its own
        self.progress = Progress({stage.name: stage.unit for stage in parts.pipeline.stages})
        self._observers = Observers(run, folder if parts.paid else None, self.progress)

    async def execute(self, items: Iterable[Item]) -> None:
        """Work through the corpus. Raises Stopped if the run was stopped; then it can be resumed."""
        async with self._observers, self._parts.backend() as backend:
            self._paid = bool(backend.paid)
            self._remember(backend)
            self._batches = backend if isinstance(backend, Batched) else None
            self._traffic = Traffic(backend, self._run.traffic, self._stop, await self._caps())
            self._traffic.observers.extend(self._observers.all)
            self.progress.traffic = self._traffic
            self._asker = Asker(self._parts, self._traffic, self._stop, self._run.traffic.attempts)
            self._asker.moved = self.moved
            self._asker.elsewhere = self.elsewhere
            self._asker.used = self.used
            self._asker.watch = self.progress.answered
            stopper = asyncio.create_task(self._wind_down())
            clock = asyncio.create_task(self._watch_clock())
            try:
                async with Keeper(self._folder, self._run.min_free_disk_mb << 20, self._sync, self._stop):
                    await self._work(items)
            finally:
                self._note(backend)
                for task in (stopper, clock):
                    task.cancel()
                await asyncio.gather(stopper, clock, return_exceptions=True)
                for shard in self._open.values():
                    shard.close()
                self._disk.shutdown()
            self._stop.check()
            if self._postponed and self._batches is not None:
                self._stop.request(self._batches.outstanding())
                self._stop.check()

    async def _work(self, items: Iterable[Item]) -> None:
        """Stream, and see everything home that was begun."""
        try:
            await self._stream(items)
        except Exception as error:
            self._stop.request(str(error))
            raise
        finally:
            await _settle(self._tasks)
            await _settle(self._commits)

    async def _caps(self) -> Caps | None:
        """The caps, with what the run spent so far; None if nothing is capped."""
        options = self._run.caps
        if not self._paid or not options.limits:
            return None
        caps = Caps(options, self._parts.prices.usd, self._stop)
        await asyncio.to_thread(self._count_spent, caps)
        return caps

    def _count_spent(self, caps: Caps) -> None:
        models = {stage.name: self._parts.model(stage) for stage in self._parts.pipeline.stages if stage.prompt}
        for folder in (self._folder, self.also_paid):
            if folder is not None:
                for stage, usage, usd in read_spent(folder / "replies"):
                    caps.spend(stage, models.get(stage, ""), usage, usd)

    async def _watch_clock(self) -> None:
        hours = self._run.caps.hours
        if hours is not None:
            await asyncio.sleep(hours * 3600)
            self._stop.request(f"the cap of {hours:g} hours is reached; run again to go on", grace_s=None)

    def _remember(self, backend: Backend) -> None:
        """Tell the backend what it learned in an earlier run, if it is one that learns (`state`, `remember`)."""
        path = self._folder / BACKEND_FILE
        if hasattr(backend, "remember") and path.exists():
            with suppress(orjson.JSONDecodeError):  # cut by a crash: it learns again
                backend.remember(orjson.loads(path.read_bytes()))

    def _note(self, backend: Backend) -> None:
        state = getattr(backend, "state", None)
        if state:
            with suppress(OSError):  # the disk is full, which is told elsewhere; it learns again
                (self._folder / BACKEND_FILE).write_bytes(orjson.dumps(state))

    async def _stream(self, items: Iterable[Item]) -> None:
        """Deal the corpus out to shards. A shard that is finished already is passed over, document by document."""
        shard: Shard | None = None
        index, ordinal, to_skip = -1, 0, 0
        async with aclosing(feed(items, self._run.limit)) as stream:
            async for item in stream:
                if shard is None and to_skip == 0:
                    while len(self._commits) >= COMMITS_WAITING:  # a slow disk must not fill the memory
                        await asyncio.wait(self._commits, return_when=asyncio.FIRST_COMPLETED)
                    index += 1
                    finished = self._finished(index, ordinal)
                    if finished is None:
                        await self._room_for_a_shard()
                        shard = await self._on_disk(self._begin, index)
                    else:
                        to_skip = finished.documents
                        self.progress.committed(finished)
                        if self.gate is not None:
                            await self._on_disk(self.gate.read, shard_path(self._folder, index))
                if shard is None:
                    to_skip -= 1
                else:
                    await self._take(shard, ordinal, item)
                    if shard.documents >= self._run.shard_size or shard.bytes >= SHARD_BYTES:
                        self._end(shard, "full")
                        shard = None
                ordinal += 1
        if shard is not None:
            self._end(shard, f"limit {self._run.limit}" if ordinal == self._run.limit else "input")
        await self._on_disk(self._forget_beyond, index)

    async def _room_for_a_shard(self) -> None:
        """All documents of a shard are open while its batches are under way: so many shards, and no more."""
        while self._batches is not None and len(self._open) >= self._batches.open_shards:
            self._stop.check()
            self._shard_left.clear()
            await self._shard_left.wait()

    async def _on_disk(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *arguments)

    def _finished(self, index: int, first: int) -> Commit | None:
        """The commit of a shard that need not be looked at again. `first` is the ordinal of its first document."""
        commit = read_commit(self._folder, index)
        if commit is None or commit.rules != self._rules or not self._source or commit.input != self._source:
            return None
        limit = self._run.limit
        if limit is not None and first + commit.documents > limit:
            return None
        whole = commit.ended in ("full", "input", f"limit {limit}")
        return commit if whole and commit.failures == 0 else None

    def _begin(self, index: int) -> Shard:
        commit = read_commit(self._folder, index)
        rounds = 0 if commit is None else commit.round + (commit.failures > 0)
        shard = Shard(self._folder, index, rounds, self._paid)
        self._open[index] = shard
        return shard

    def _forget_beyond(self, last: int) -> None:
        """A smaller corpus than last time's leaves no shards of the larger one behind. Their replies stay."""
        for path in (self._folder / "shards").glob("[0-9]*.parquet"):
            if int(path.stem) > last:
                path.unlink()

    async def _take(self, shard: Shard, ordinal: int, item: Item) -> None:
        shard.documents += 1
        if isinstance(item, Unreadable):
            self._stop.check()
            drop = Drop(READ, item.reason, f"{item.location}: {item.detail}" if item.detail else item.location)
            row = outcome_row(ordinal, Outcome("document", Document(item.location, ""), drop), self._labels, False)
            shard.add(ordinal, [row])
            self.progress.ended([row])
            return
        shard.bytes += len(item.text)
        shard.open_documents += 1
        try:
            await self._traffic.admit()
        except Stopped:
            shard.open_documents -= 1
            raise
        task = asyncio.create_task(self._document(shard, ordinal, item))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._crash)

    async def _document(self, shard: Shard, ordinal: int, document: Document) -> None:
        fresh = True

        async def ask(stage: Any, record: Any) -> Any:
            nonlocal fresh
            if fresh:
                fresh = False
                self._traffic.begun()
            if self.gate is not None and (barred := self.gate.bars(stage, record, ordinal)) is not None:
                return barred
            return await self._asker.ask(shard, ordinal, stage, record)

        try:
            outcomes = await self._parts.pipeline.carry(document, ask)
        except Stopped:
            return  # the document is not done; what was answered stands in the journal
        except Postponed:
            shard.postponed += 1
            self._close_if_suspended(shard)
            return
        finally:
            if fresh:
                self._traffic.begun()
            self._traffic.done()
        keep_text = self._run.dataset.pretrain_text
        rows = [outcome_row(ordinal, outcome, self._labels, keep_text) for outcome in outcomes]
        shard.add(ordinal, rows)
        if self.gate is not None:
            self.gate.ended(ordinal, rows)
        shard.open_documents -= 1
        self.progress.ended(rows)
        if shard.finished:
            self._commit(shard)
        else:
            self._close_if_suspended(shard)

    def _end(self, shard: Shard, why: str) -> None:
        shard.ended = why
        if shard.finished:
            self._commit(shard)
        elif self._batches is not None:
            self._batches.gathered(shard.group)
            self._close_if_suspended(shard)

    def _close_if_suspended(self, shard: Shard) -> None:
        """The next run goes on with it: this one lets it go, so that other shards find room."""
        if shard.suspended:
            self._postponed = True
            shard.close()
            self._let_go(shard, stored=False)

    def _let_go(self, shard: Shard, *, stored: bool) -> None:
        self._open.pop(shard.index, None)
        self._shard_left.set()
        if self._batches is not None:
            self._batches.left(shard.group, shard.answers if stored else None)

    def _commit(self, shard: Shard) -> None:
        task = asyncio.create_task(self._write(shard))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        task.add_done_callback(self._crash)

    async def _write(self, shard: Shard) -> None:
        try:
            await self._on_disk(shard.commit, self._rules, self._source)
            self._let_go(shard, stored=True)
        except OSError as error:
            self._stop.request(f"cannot write to {self._folder} ({error.strerror}); make room and run again")

    def _crash(self, task: asyncio.Task[None]) -> None:
        """A bug in one document stops the run with its traceback: it must not pass for a result."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.progress.crash = self.progress.crash or error
            self._stop.request(f"internal error: {error!r}")

    def _sync(self) -> None:
        for shard in list(self._open.values()):
            if shard.replies is not None:
                shard.replies.sync()
        self._observers.flush()

    async def _wind_down(self) -> None:
        """When the run is to stop, let what is in flight come home, for a while at least: it is paid for."""
        await self._stop.wait()
        self._traffic.wake()
        self._shard_left.set()
        if self._batches is None:  # a batch need not come home: the next run takes it up
            if self._stop.grace_s is None:
                return
            await asyncio.sleep(self._stop.grace_s)
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def at_work(runner: LocalRunner, folder: Path, watch: Watch | None, *, moved: bool) -> AsyncIterator[Path]:
    """For the time of the work: `watch` shows it, and if documents have `moved` to other shards, the replies in the
    run's directory are found there. Gives a scratch folder."""
    with scratch_folder(folder / ".moved") as scratch, (watch or nullcontext)(runner.progress):
        if moved:
            runner.moved = await asyncio.to_thread(MovedReplies, folder / "replies", scratch)
        yield scratch


async def to_the_end(runner: LocalRunner, items: Iterable[Item], stop: Stop) -> None:
    """Work through the corpus. Raises RunStopped if the run ended before it, or what a bug raised."""
    try:
        await runner.execute(items)
    except Stopped:
        if runner.progress.crash is not None:
            raise runner.progress.crash from None
        raise RunStopped(stop.reason or "stopped", stop.code) from None
    except BackendError as error:  # before the first call: the backend could not be opened
        raise RunStopped(str(error), RESUMABLE if error.resumable else WRONG_USAGE) from error


async def _settle(tasks: set[asyncio.Task[None]]) -> None:
    while tasks:
        await asyncio.wait(tasks)


def _labels(parts: Parts) -> tuple[str, str | None]:
    """How the dataset names who wrote and who checked."""
    labels = {stage.name: parts.label(stage) for stage in parts.pipeline.stages if stage.prompt is not None}
    return labels.get("generate", parts.backend_name), labels.get("check")
