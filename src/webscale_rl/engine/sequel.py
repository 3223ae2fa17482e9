"""A run that follows a finished one: its documents are questions of the dataset, its folder lies in the run's own.

So what it asks is journalled, retried, capped and resumed as in any run.

    DIR/difficulty/    closed_book.py: how often a model solves each question
    DIR/rationales/    rationales.py: the way to the answer, in a model's words
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from webscale_rl.config import Parts, Run, merge, read_yaml
from webscale_rl.engine.local import LocalRunner, at_work, to_the_end
from webscale_rl.engine.progress import Watch
from webscale_rl.engine.rundir import RUN_FILE, SUMMARY_FILE, claim, made, resolved, rules_digest, unwritable
from webscale_rl.engine.stop import Stop, signals
from webscale_rl.errors import ConfigError
from webscale_rl.files import owned
from webscale_rl.types import Document

T = TypeVar("T")
_INHERITED = ("traffic", "price", "min_free_disk_mb", "events")
"""What holds in a sequel as it held in the run. Its caps do not: a sequel spends on its own."""


class Questions(NamedTuple):
    """What a sequel asks: a digest of all that decides its answers, how many there are, and they themselves."""

    digest: str
    number: int
    documents: Iterable[Document]


def configuration(home: Path) -> dict[str, Any]:
    """The configuration of the finished run in `home`. Raises ConfigError if it holds none, or one that goes on."""
    if not (home / RUN_FILE).exists():
        raise ConfigError(f"{home}: holds no run (there is no {RUN_FILE})")
    if not (home / SUMMARY_FILE).exists():
        raise ConfigError(f"{home}: the run is not finished; webscale-rl run --out {home} goes on with it")
    before: dict[str, Any] = read_yaml(home / RUN_FILE)["config"]
    return before


def sequel(
    home: Path, name: str, settings: Mapping[str, Any], own: Mapping[str, Any], *, embedded: bool = False
) -> Run:
    """The run in `home`/`name`: it asks the servers of the run in `home`, with keys of a Run (`settings`) laid over
    it, and over both what the sequel is made of (`own`). `embedded` rules answer here as well if they made the run.

    Raises what `configuration` raises, and ConfigError if nobody tells which server to ask.
    """
    before = configuration(home)
    kept = {key: before[key] for key in _INHERITED if key in before}
    servers = _servers(before, settings.get("backend", {}), embedded=embedded)
    values = merge(merge({**kept, "backend": servers}, settings), own)
    values |= {"out": str(home / name), "sieves": []}
    values["dataset"] = {**values.get("dataset", {}), "pretrain_text": False}
    return Run.make(values, name)


def _servers(before: Mapping[str, Any], named: Mapping[str, Any], *, embedded: bool) -> dict[str, Any]:
    """Who answered the run, without its model. A run in batches, and one by rules that are not asked here, leaves it to
    the openai backend; a backend that is named anew shares no options with the run's."""
    given = {key: value for key, value in before["backend"].items() if key != "model"}
    if given["use"] == "batch" or (given["use"] == "extractive" and not embedded):
        given = {"use": "openai", **{key: given[key] for key in ("base_urls", "api_key_env") if key in given}}
    if named.get("use", given["use"]) != given["use"]:
        return {}
    if before.get("serve", {}).get("command") and "base_urls" not in named:
        raise ConfigError("the run's server ended with the run; start it and name it (--base-url)")
    return given


async def follow(
    config: Run,
    parts: Parts,
    questions: Callable[[], Questions],
    conclude: Callable[[float], T],
    watch: Watch | None = None,
) -> T:
    """Ask all questions, or go on where an earlier run stopped; gives what `conclude` makes of the finished shards. It
    is told the seconds that it took. Both functions are called in a thread, while the run's directory is ours.

    Raises RunStopped if it stopped before the end.
    """
    folder = Path(str(config.out))
    home = folder.parent
    stop = Stop()
    begun = time.monotonic()
    try:
        with owned(home), signals(stop):
            made(folder)
            asked = await asyncio.to_thread(questions)
            record = resolved(config, parts, asked.digest)
            moved = claim(folder, record, accept_changes=True)  # it holds nothing but answers, which are kept
            runner = LocalRunner(config, parts, folder, rules=rules_digest(record), source=asked.digest, stop=stop)
            runner.progress.read = lambda: runner.progress.documents / max(1, asked.number)
            async with at_work(runner, folder, watch, moved=moved):
                await to_the_end(runner, asked.documents, stop)
                return await asyncio.to_thread(conclude, time.monotonic() - begun)
    except OSError as error:
        raise unwritable(home, error) from error
