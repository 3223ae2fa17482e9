"""The Python API: `run` for scripts and notebooks, `run_async` for code that is async already. The command line is a
thin layer over it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from webscale_rl import corpus
from webscale_rl.backend import Backend
from webscale_rl.config import Parts, Run
from webscale_rl.dataset.held_out import COUNT, SHARE, Choice
from webscale_rl.dataset.rows import EXAMPLE_COLUMNS
from webscale_rl.dataset.writer import dataset_batches
from webscale_rl.engine.estimate import estimated
from webscale_rl.engine.feed import Item
from webscale_rl.engine.finish import finish, tally_of
from webscale_rl.engine.gate import Gate
from webscale_rl.engine.local import LocalRunner, at_work, to_the_end
from webscale_rl.engine.moved import MovedReplies
from webscale_rl.engine.pilot import Ledger, Sample, draw, longest_prompted, paced, paid_for, read_pace
from webscale_rl.engine.progress import Watch as Watch
from webscale_rl.engine.rundir import PILOT, claim, made, require_claimable, resolved, rules_digest, unwritable
from webscale_rl.engine.sequel import follow
from webscale_rl.engine.serve import prepared, serving
from webscale_rl.engine.shard import finished_shards
from webscale_rl.engine.stop import Stop, Stopped, signals
from webscale_rl.errors import ConfigError, RunStopped
from webscale_rl.files import owned
from webscale_rl.types import Document, Example

if TYPE_CHECKING:
    from webscale_rl.refine.launch import Refined

T = TypeVar("T")
PILOT_DOCUMENTS = 50


@dataclass(frozen=True)
class Result:
    """A finished run: its directory and its books (`summary.json`)."""

    folder: Path
    summary: dict[str, Any]

    @property
    def dataset(self) -> Path:
        """The folder with the dataset's Parquet files and its card."""
        return self.folder / "dataset"

    @property
    def failed(self) -> int:
        """Records that could not be judged; running again tries them again."""
        return sum(self.summary["failures"].values())

    def examples(self) -> Iterator[Example]:
        """All examples of the dataset, in order, a few at a time."""
        for batch in dataset_batches(self.dataset, EXAMPLE_COLUMNS):
            for row in batch.to_pylist():
                yield Example(**row)


def run(
    config: Run,
    documents: Iterable[Document] | None = None,
    *,
    backend: Backend | None = None,
    accept_changes: bool = False,
    watch: Watch | None = None,
) -> Result:
    """Run the pipeline over a corpus, or go on where an earlier run in the same directory stopped.

    `documents` replaces the corpus of `config.inputs`; `backend` replaces the one that the configuration names.
    Raises ConfigError or CorpusError if something must be mended, RunStopped if it stopped before the end.
    """
    return _done(run_async(config, documents, backend=backend, accept_changes=accept_changes, watch=watch))


async def run_async(
    config: Run,
    documents: Iterable[Document] | None = None,
    *,
    backend: Backend | None = None,
    accept_changes: bool = False,
    watch: Watch | None = None,
) -> Result:
    """The same as `run`, as a coroutine."""
    checked = prepared(config, backend)
    parts = Parts(checked, backend)
    if not config.out:
        raise ConfigError("out: missing; name the run directory")
    gauge = corpus.Gauge()
    items, source = _items(config, documents, gauge)
    folder = made(Path(config.out))
    stop = Stop()
    try:
        with owned(folder), signals(stop):
            if config.serve.command:  # what is wrong is told before a server has loaded its model for minutes
                require_claimable(folder, resolved(checked, parts, source), accept_changes=accept_changes)
            async with AsyncExitStack() as servers:
                config = await servers.enter_async_context(serving(config, folder, stop))
                parts = Parts(config, backend) if config.serve.command else parts
                record = resolved(config, parts, source)
                moved = claim(folder, record, accept_changes=accept_changes)
                runner = LocalRunner(config, parts, folder, rules=rules_digest(record), source=source, stop=stop)
                runner.progress.read = gauge.fraction
                runner.gate = None if parts.target is None else Gate(parts.target)
                async with at_work(runner, folder, watch, moved=moved) as scratch:
                    runner.also_paid = folder / PILOT
                    runner.elsewhere = await asyncio.to_thread(_replies_in, runner.also_paid, scratch)
                    await to_the_end(runner, items, stop)
                    await servers.aclose()  # what is left needs no model
                    summary = await asyncio.to_thread(finish, config, parts, folder, record)
    except OSError as error:
        raise unwritable(folder, error) from error
    return Result(folder, summary)


def estimate(
    config: Run,
    documents: Iterable[Document] | None = None,
    *,
    sample: int = PILOT_DOCUMENTS,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """What a run over the corpus would take and bring, from a pilot on so many documents drawn at random.

    The pilot is paid, and kept in the run's directory: neither `run` nor another estimate pays for it again. Gives
    calls, tokens, US dollars, hours and yield, each as `value`, `low` and `high` of a 90 % interval (see docs/cost.md).
    Raises what `run` raises.
    """
    return _done(estimate_async(config, documents, sample=sample, backend=backend, watch=watch))


async def estimate_async(
    config: Run,
    documents: Iterable[Document] | None = None,
    *,
    sample: int = PILOT_DOCUMENTS,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """The same as `estimate`, as a coroutine."""
    if sample < 1:
        raise ConfigError(f"documents: a pilot takes at least one (it is {sample})")
    checked = Parts(prepared(config, backend), backend)
    items, _ = _items(config, documents, corpus.Gauge())
    with _home(config, checked) as home:
        try:
            with owned(home):
                return await _piloted(config, items, home, sample, backend, watch)
        except OSError as error:
            raise unwritable(home, error) from error


async def _piloted(
    config: Run, items: Iterable[Item], home: Path, count: int, backend: Backend | None, watch: Watch | None
) -> dict[str, Any]:
    folder = made(home / PILOT)
    stop = Stop()
    with signals(stop):
        longest = longest_prompted(Parts(prepared(config, backend), backend))
        sample = await asyncio.to_thread(_drawn, items, count, config, longest, stop)
        async with serving(config, home, stop) as served:
            pilot = served.model_copy(update={"inputs": (), "out": str(folder), "limit": None})
            parts = Parts(pilot, backend)
            record = resolved(pilot, parts)
            moved = claim(folder, record, accept_changes=True)  # a pilot holds nothing but answers, which are kept
            ledger = Ledger(parts, len(sample.documents))
            runner = LocalRunner(pilot, parts, folder, rules=rules_digest(record), source="", stop=stop)
            runner.used = ledger.used
            async with at_work(runner, folder, watch, moved=moved) as scratch:
                runner.also_paid = home
                runner.elsewhere = await asyncio.to_thread(_replies_in, runner.also_paid, scratch)
                with paced(folder):
                    await to_the_end(runner, sample.documents, stop)
    ledger.read_outcomes(folder)
    told = estimated(parts, sample, ledger, read_pace(folder), config.traffic.concurrency)
    books = tally_of(folder, finished_shards(folder))
    return told | {"pilot": paid_for(folder, parts), "failures": books.failures()}


def difficulty(
    folder: str | Path,
    model: str,
    *,
    samples: int = 8,
    temperature: float | None = 1.0,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Ask a model each question of a finished run so many times without the document, and write the share of right
    answers into the dataset's column `difficulty`; what was answered before is not asked again.

    The servers are the run's, unless `settings`, keys of a Run, say otherwise: `{"backend": {"base_urls": [...]},
    "traffic": {"concurrency": 8}, "caps": {"usd": 5}}`. Gives how many questions are solved never, sometimes and
    always, and what it cost (see docs/difficulty.md). Raises what `run` raises.
    """
    return _done(
        difficulty_async(
            folder, model, samples=samples, temperature=temperature, settings=settings, backend=backend, watch=watch
        )
    )


async def difficulty_async(
    folder: str | Path,
    model: str,
    *,
    samples: int = 8,
    temperature: float | None = 1.0,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """The same as `difficulty`, as a coroutine."""
    from webscale_rl.engine.closed_book import closed_book_run, conclude, questions

    home = Path(folder)
    config = closed_book_run(home, model, samples, temperature, settings or {})
    parts = Parts(config, backend)
    return await follow(config, parts, partial(questions, home), lambda seconds: conclude(config, parts), watch)


def rationales(
    folder: str | Path,
    model: str | None = None,
    *,
    count: int = COUNT,
    share: float = SHARE,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Have a model that knows the answers write short chains of thought for held-out questions of a finished run, and
    keep those whose final answer is right: DIR/rationales/dataset. What was answered before is not asked again.

    Held out are documents with at most `count` pairs, and at most that share of the dataset. The model and its servers
    are the run's, unless `model` or `settings`, keys of a Run, say otherwise. Gives what became of the questions, and
    what it cost (see docs/rationales.md). Raises what `run` raises.
    """
    return _done(
        rationales_async(folder, model, count=count, share=share, settings=settings, backend=backend, watch=watch)
    )


async def rationales_async(
    folder: str | Path,
    model: str | None = None,
    *,
    count: int = COUNT,
    share: float = SHARE,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """The same as `rationales`, as a coroutine."""
    from webscale_rl.engine.rationales import conclude, held_out_questions, rationales_run

    if count < 1 or not 0 < share <= 1:
        raise ConfigError(f"count and share: at least 1, and above 0 up to 1 (they are {count} and {share:g})")
    home = Path(folder)
    config = rationales_run(home, model, settings or {}, given=backend is not None)
    parts = Parts(config, backend)
    choice = Choice(count, share, config.seed)
    return await follow(
        config, parts, partial(held_out_questions, home, choice), partial(conclude, config, parts, choice), watch
    )


def refine(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    *,
    method: str,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    accept_changes: bool = False,
    watch: Watch | None = None,
) -> Refined:
    """Refine documents by one of the paper's baselines, "qurating", "prox" or "gdr", into `out`/refined.

    `inputs` are files, folders, globs or URLs, or the directory of a run, whose inputs are then refined. `settings` are
    keys of a Run: `{"backend": {...}, "stages": {"select": {"keep": 0.3}}, "limit": 100}`. Without a backend the
    embedded rules refine (see docs/refine.md). Raises what `run` raises.
    """
    from webscale_rl.refine.launch import refine_async

    work = refine_async(
        inputs,
        out,
        method=method,
        settings=settings,
        backend=backend,
        accept_changes=accept_changes,
        watch=watch,
    )
    return _done(work)


def _drawn(items: Iterable[Item], count: int, config: Run, longest: int, stop: Stop) -> Sample:
    try:
        drawn = draw(
            items,
            count,
            seed=config.seed,
            longest=longest,
            limit=config.limit,
            check=stop.check,
        )
    except Stopped:
        raise RunStopped(stop.reason or "stopped", stop.code) from None
    if not drawn.documents:
        raise ConfigError("inputs: no document in it that can be read")
    return drawn


@contextmanager
def _home(config: Run, parts: Parts) -> Iterator[Path]:
    """The run directory; what is free needs none."""
    if config.out:
        yield made(Path(config.out))
    elif parts.paid:
        raise ConfigError("out: missing; name the run directory, which keeps what the pilot pays for")
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def _replies_in(folder: Path, scratch: Path) -> MovedReplies | None:
    """The replies of another run directory; None if there are none."""
    replies = folder / "replies"
    return MovedReplies(replies, scratch) if replies.is_dir() and any(replies.iterdir()) else None


def _items(config: Run, documents: Iterable[Document] | None, gauge: corpus.Gauge) -> tuple[Iterable[Item], str]:
    """The corpus, and a digest of its files as they are now; the digest of an iterable is unknown, hence empty."""
    if documents is not None:
        return documents, ""
    if not config.inputs:
        raise ConfigError("inputs: missing; name the files, folders or URLs of your corpus, or `sample:` for ours")
    files = corpus.files(config.inputs, config.corpus)
    return corpus.read(files, config.corpus, gauge), corpus.digest(files)


def _done(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine gives, in a loop of its own; in a notebook, where one is running, in a thread of its own."""
    return _in_thread(work) if _loop_is_running() else _run_loop(work)


def _run_loop(work: Coroutine[Any, Any, T]) -> T:
    try:
        import uvloop
    except ImportError:  # not on Windows
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _loop_is_running() -> bool:
    """True in a notebook; a run's own loop then gets a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_thread(work: Coroutine[Any, Any, T]) -> T:
    with ThreadPoolExecutor(1, thread_name_prefix="webscale-rl") as thread:
        return thread.submit(_run_loop, work).result()
