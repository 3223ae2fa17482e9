"""The end of a run: sieves, dataset, card, books. Everything here is recomputed from the finished shards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from webscale_rl import __version__
from webscale_rl.backend import Usage
from webscale_rl.config import Parts, Run, read_yaml
from webscale_rl.dataset.card import card
from webscale_rl.dataset.difficulty import read_rates
from webscale_rl.dataset.rows import DROPPED_COLUMNS, EXAMPLE_COLUMNS
from webscale_rl.dataset.writer import (
    Facts,
    PartWriter,
    ShardExamples,
    dataset_batches,
    sift,
    write_dataset,
    write_dropped,
    write_failed,
)
from webscale_rl.engine.replies import count_calls, stored_replies
from webscale_rl.engine.rundir import DIFFICULTY, PILOT, RUN_FILE, SUMMARY_FILE
from webscale_rl.engine.shard import finished_shards, read_commit
from webscale_rl.files import replace_folder, scratch_folder, write_text
from webscale_rl.tally import END_DROPPED, END_KEPT, Calls, Tally


def finish(run: Run, parts: Parts, folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Write dataset/, dropped/, failed/ and summary.json; gives the summary. Raises OSError if the disk is full."""
    shards = finished_shards(folder)
    tally = tally_of(folder, shards)
    facts = Facts()

    def sieved(sieve: str, reason: str) -> None:
        tally.end("pair", "", END_KEPT, count=-1)
        tally.end("pair", sieve, END_DROPPED, reason)

    with scratch_folder(folder / ".sieves") as scratch:
        passes = parts.passes
        examples = sift(shards, passes, scratch)
        write_ends(folder, examples, shards, run.dataset.rows_per_file, sieved)
        stages = [stage.name for stage in parts.pipeline.stages]
        units = {stage.name: stage.unit for stage in parts.pipeline.stages}
        summary = summarise(tally, stages, units, [sieve.name for sieve in passes])
        summary |= money(tally, parts)
        rates = read_rates(folder / DIFFICULTY, scratch)
        summary["sieving"] = {sieve.name: told for sieve in passes if (told := getattr(sieve, "told", None))}
        with replace_folder(folder / "dataset") as target:
            with PartWriter(target, EXAMPLE_COLUMNS, run.dataset.rows_per_file) as writer:
                write_dataset(examples, shards, writer, facts, rates.fill if rates else None)
            summary |= {column: dict(facts.of(column)) for column in Facts.columns}
            summary |= {"difficulty": rates.told()} if rates else {}
            (target / "README.md").write_text(card(summary, record), encoding="utf-8")
    write_summary(folder, summary)
    return summary


def write_ends(
    folder: Path,
    examples: ShardExamples,
    shards: Sequence[Path],
    rows_per_file: int,
    sieved: Callable[[str, str], None] = lambda sieve, reason: None,
) -> None:
    """Write dropped/ and failed/; `sieved` is told of every example that a sieve has rejected."""
    with (
        replace_folder(folder / "dropped") as target,
        PartWriter(target, DROPPED_COLUMNS, rows_per_file) as writer,
    ):
        write_dropped(examples, shards, writer, sieved)
    with replace_folder(folder / "failed") as target, PartWriter(target, DROPPED_COLUMNS, rows_per_file) as writer:
        write_failed(shards, writer)


def fill_in_difficulty(folder: Path) -> dict[str, Any]:
    """Write dataset/ and summary.json of a finished run anew with the difficulty that was measured; gives the summary.

    The bytes are those that the run would write. Raises OSError if the disk is full.
    """
    record = read_yaml(folder / RUN_FILE)
    summary: dict[str, Any] = orjson.loads((folder / SUMMARY_FILE).read_bytes())
    with scratch_folder(folder / ".sieves") as scratch:
        rates = read_rates(folder / DIFFICULTY, scratch)
        assert rates is not None  # they were measured just now
        with replace_folder(folder / "dataset") as target:
            with PartWriter(target, EXAMPLE_COLUMNS, record["config"]["dataset"]["rows_per_file"]) as writer:
                for batch in dataset_batches(folder / "dataset", EXAMPLE_COLUMNS):
                    writer.write(rates.fill(batch))
            summary["difficulty"] = rates.told()
            (target / "README.md").write_text(card(summary, record), encoding="utf-8")
    write_summary(folder, summary)
    return summary


def write_summary(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write the books, whole or not at all."""
    write_text(folder / SUMMARY_FILE, orjson.dumps(summary, option=orjson.OPT_INDENT_2).decode() + "\n")


def tally_of(folder: Path, shards: Sequence[Path]) -> Tally:
    """The books of all finished shards together, and what their pilot paid for."""
    tally = Tally()
    count_calls(tally, stored_replies(folder / PILOT / "replies"))
    for path in shards:
        commit = read_commit(folder, int(path.stem))
        if commit is not None:
            tally.add(commit.tally)
    return tally


def summarise(tally: Tally, stages: Sequence[str], units: Mapping[str, str], sieves: Sequence[str]) -> dict[str, Any]:
    """The books as JSON: totals, the funnel stage by stage, drops by reason, failures by kind, calls and tokens."""
    every = [*stages, *sieves]
    funnel = []
    if tally.dropped_by("read"):
        every, units = ["read", *every], {"read": "document", **units}
    for place, stage in enumerate(every):
        unit = units.get(stage, "pair")
        funnel.append({"stage": stage, "unit": unit, **tally.at(stage, every[place + 1 :], unit).plain()})
    calls = {stage: _calls(count) for stage, count in sorted(tally.calls.items())}
    return {
        "webscale_rl": __version__,
        "documents": tally.total("document").plain(),
        "pairs": tally.total("pair").plain(),
        "unreadable": tally.dropped_by("read"),
        "funnel": funnel,
        "failures": tally.failures(),
        "calls": calls,
        "endpoints": dict(sorted(tally.endpoints.items())),
    }


def _calls(calls: Calls) -> dict[str, Any]:
    told = ("answered", *Usage.__struct_fields__, "unusable", "retried")
    return {name: getattr(calls, name) for name in told} | {"latency_s": calls.latency.percentiles()}


def money(tally: Tally, parts: Parts) -> dict[str, Any]:
    """What the calls cost in US dollars: in all, by stage, and for each pair that was kept; None where no price is
    known. A price that the configuration gave only after the calls counts as well."""
    models = {stage.name: parts.model(stage) for stage in parts.pipeline.stages if stage.prompt is not None}
    by_stage = {stage: _usd(count, models.get(stage, ""), parts) for stage, count in sorted(tally.calls.items())}
    known = [usd for usd in by_stage.values() if usd is not None]
    total = round(sum(known), 9) if len(known) == len(by_stage) else None
    pairs = tally.total("pair").kept
    per_pair = round(total / pairs, 9) if total is not None and pairs else None
    return {"usd": total, "usd_by_stage": by_stage, "usd_per_pair": per_pair}


def _usd(calls: Calls, model: str, parts: Parts) -> float | None:
    rest = parts.prices.usd(model, calls.unpriced_tokens) if calls.unpriced else 0.0
    # rounded, for the order in which answers came moves the last digits
    return None if rest is None else round(calls.usd + rest, 9)
