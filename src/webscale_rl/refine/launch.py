"""Starts a refining run: a run of its own, whose pipeline is the stages of a method, on the engine of all runs.

So its answers are journalled, retried, capped and resumed as in any run, and DIR is a run directory:

    run.yaml  replies/  shards/  events.jsonl      as in any run directory
    refined/                                       the documents that stay
    dropped/  failed/  summary.json  ledger.json   what became of the others, and the books
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from webscale_rl import corpus
from webscale_rl.backend import Backend
from webscale_rl.config import Parts, Run, merge, read_yaml
from webscale_rl.engine.feed import Item
from webscale_rl.engine.local import LocalRunner, at_work, to_the_end
from webscale_rl.engine.progress import Watch
from webscale_rl.engine.rundir import RUN_FILE, claim, made, require_claimable, resolved, rules_digest, unwritable
from webscale_rl.engine.serve import prepared, serving
from webscale_rl.engine.stop import Stop, signals
from webscale_rl.errors import ConfigError, CorpusError
from webscale_rl.files import owned, write_text
from webscale_rl.ledger import Ledger, read_ledger
from webscale_rl.refine import METHODS
from webscale_rl.refine.conclude import FOLDER, conclude
from webscale_rl.refine.schedule import Text, anchors, matched
from webscale_rl.types import content_id

PIPELINES = {
    "qurating": ("qurating:Opponents", "qurating:Compare", "qurating:Select"),
    "prox": ("prox:Worth", "chunks:Chunks", "prox:Program"),
    "gdr": ("chunks:Chunks", "gdr:Clean"),
}
_OURS = ("pipeline", "sieves", "sieving", "dataset", "domains", "layout")
"""Keys of a Run that a refining run sets itself, or has no use for."""
_OF_THE_RUN = ("inputs", "corpus", "limit", "seed", "traffic", "price", "min_free_disk_mb", "events", "shard_size")
_DOTTED = re.compile(r"\bwebscale_rl\.refine\.\w+:(\w+)")
SECONDS = "seconds"
"""A file with the wall time of all processes that worked on the run."""


@dataclass(frozen=True)
class Refined:
    """A finished refining run: its directory and its books (`summary.json`)."""

    folder: Path
    summary: dict[str, Any]

    @property
    def refined(self) -> Path:
        """The folder with the documents that stay, as Parquet files: an input of `run`, and of training."""
        return self.folder / FOLDER

    @property
    def failed(self) -> int:
        """Records that could not be judged; refining again tries them again."""
        return sum(self.summary["failures"].values())

    @property
    def ledger(self) -> Ledger:
        """What it cost in tokens and money."""
        return read_ledger(self.folder)


def refining_run(
    inputs: str | Path | Sequence[str | Path], out: str | Path | None, method: str, settings: Mapping[str, Any]
) -> Run:
    """The Run that refines these inputs, with keys of a Run (`settings`) laid over it. A run directory as the one input
    stands for that run's inputs, answered by its servers, and refined into DIR/refined-METHOD unless `out` says where.

    Raises ConfigError if the method is not known, or a key is not for refining.
    """
    if method not in METHODS:
        raise ConfigError(f"method: there is no {method!r}; known: {', '.join(METHODS)}")
    for key in _OURS:
        if key in settings:
            raise ConfigError(f"{key}: is not for refining; leave it out (stages: holds the options of its stages)")
    given = [str(one) for one in ([inputs] if isinstance(inputs, str | Path) else inputs)]
    homes = [one for one in given if "://" not in one and (Path(one) / RUN_FILE).is_file()]
    if homes and len(given) > 1:
        raise ConfigError(f"{homes[0]}: is a run directory; name it alone, or the folder in it that you mean")
    values = dict(settings)
    if homes:
        values = merge(_of_the_run(Path(homes[0]), settings), settings)
        out = out or values.get("out") or Path(homes[0]) / f"{FOLDER}-{method}"
    elif given:
        values["inputs"] = given
    out = out or values.get("out")
    if not out:
        raise ConfigError("out: missing; name the directory to refine into")
    values |= {
        "out": str(out),
        "pipeline": [f"webscale_rl.refine.{stage}" for stage in PIPELINES[method]],
        "sieves": [],
        "dataset": {"pretrain_text": False},
        "layout": "instructions_first",
    }
    return Run.make(values, "refine")


def _of_the_run(home: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a run's directory says of its documents and servers."""
    before = read_yaml(home / RUN_FILE).get("config", {})
    kept = {key: before[key] for key in _OF_THE_RUN if before.get(key) is not None}
    if not kept.get("inputs"):
        raise ConfigError(f"{home}: its run read no files; name the documents instead of the run")
    if "backend" in settings or settings.get("serve", {}).get("command"):
        return kept
    if before.get("serve", {}).get("command"):
        raise ConfigError("the run's server ended with the run; start it and name it (--base-url)")
    return {**kept, "backend": before.get("backend", {})}


async def refine_async(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path | None = None,
    *,
    method: str,
    settings: Mapping[str, Any] | None = None,
    backend: Backend | None = None,
    accept_changes: bool = False,
    watch: Watch | None = None,
) -> Refined:
    """The same as `api.refine`, as a coroutine."""
    config = refining_run(inputs, out, method, settings or {})
    parts = _parts(prepared(config, backend), backend)
    files = await asyncio.to_thread(_files, config)
    source = corpus.digest(files)
    folder = made(Path(str(config.out)))
    stop = Stop()
    try:
        with owned(folder), signals(stop):
            if config.serve.command:  # what is wrong is told before a server has loaded its model for minutes
                require_claimable(folder, resolved(config, parts, source), accept_changes=accept_changes)
            async with AsyncExitStack() as servers:
                config = await servers.enter_async_context(serving(config, folder, stop))
                parts = Parts(config, backend) if config.serve.command else parts
                record = resolved(config, parts, source)
                moved = claim(folder, record, accept_changes=accept_changes)
                with _timed(folder) as seconds:
                    anchored = await asyncio.to_thread(_anchors, method, config, parts, files)
                    rules = content_id(rules_digest(record), *(f"{text.ordinal} {text.text}" for text in anchored))
                    runner = LocalRunner(config, parts, folder, rules=rules, source=source, stop=stop)
                    gauge = corpus.Gauge()
                    runner.progress.read = gauge.fraction
                    async with at_work(runner, folder, watch, moved=moved):
                        items = corpus.read(files, config.corpus, gauge)
                        await to_the_end(runner, _fed(method, config, parts, items, anchored), stop)
                    await servers.aclose()  # what is left needs no model
                    if corpus.digest(files) != source:
                        raise CorpusError(
                            "the corpus was changed while it was refined; run again, which asks for what is new"
                        )
                    ordinals = [text.ordinal for text in anchored]
                    again = partial(corpus.read, files, config.corpus)
                    summary = await asyncio.to_thread(conclude, method, config, parts, again, ordinals, seconds())
    except OSError as error:
        raise unwritable(folder, error) from error
    return Refined(folder, summary)


def _parts(config: Run, backend: Backend | None) -> Parts:
    """The run's parts; what is wrong with a stage's options is told by the name that a user writes."""
    try:
        return Parts(config, backend)
    except ConfigError as error:
        raise ConfigError(_DOTTED.sub(lambda stage: stage[1].lower(), str(error))) from None


def _files(config: Run) -> list[corpus.File]:
    if not config.inputs:
        raise ConfigError("inputs: missing; name files, folders or URLs of documents, or a run directory")
    return corpus.files(config.inputs, config.corpus)


def _anchors(method: str, config: Run, parts: Parts, files: Sequence[corpus.File]) -> list[Text]:
    if method != "qurating":
        return []
    options = parts.pipeline.stages[0].options
    return anchors(corpus.read(files, config.corpus), options, config.seed, config.limit)


def _fed(method: str, config: Run, parts: Parts, items: Iterable[Item], anchored: Sequence[Text]) -> Iterable[Item]:
    if method != "qurating":
        return items
    return matched(items, anchored, parts.pipeline.stages[0].options, config.seed)


@contextmanager
def _timed(folder: Path) -> Iterator[Callable[[], float]]:
    """Seconds that this process and those before it worked on the run; what a killed one worked is not known."""
    path = folder / SECONDS
    before = 0.0
    with suppress(FileNotFoundError, ValueError):
        before = float(path.read_text(encoding="utf-8"))
    since = time.monotonic()
    try:
        yield lambda: before + time.monotonic() - since
    finally:
        with suppress(OSError):  # a full disk is told elsewhere
            write_text(path, f"{before + time.monotonic() - since:.3f}\n")
