"""Writes a run's dataset as a trainer reads it: a file for each split, all of them whole or none at all.

Streams, twice if there is something to be decided: once over the columns that decide, once to write. In memory are a
row group for each split and the documents that have a twin (`twins.py`), whatever the size of the dataset.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from webscale_rl import registry
from webscale_rl.dataset.exporter import Exporter, Files, Place
from webscale_rl.dataset.held_out import HELD_OUT, read_held_out
from webscale_rl.dataset.selection import Bounds, Sample
from webscale_rl.dataset.sinks import Sink, sink
from webscale_rl.dataset.source import Source
from webscale_rl.dataset.split import Split, Splitter
from webscale_rl.dataset.targets import CARD, Target, card, target
from webscale_rl.dataset.twins import Twins
from webscale_rl.errors import ExportError
from webscale_rl.files import scratch_folder

DEFAULT_SPLIT = "train"


@dataclass(frozen=True)
class Choice:
    """Which rows, in which splits, with which system prompt. Without splits, all rows are in one named train.
    `held_out` are documents that are left out; `export` adds those that a run's rationales were written for."""

    splits: tuple[Split, ...] = ()
    difficulty: Bounds | None = None
    max_rows: int | None = None
    system_prompt: str | None = None
    seed: int = 0
    held_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Written:
    """What was written: the files, how many documents have rows in each, what was left out and why, and commands that
    train with it."""

    form: str
    files: Files
    documents: dict[str, int]
    left_out: dict[str, int]
    following: list[str]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(self.files.rows.values())

    @property
    def path(self) -> Path:
        """The folder, or the one file that was asked for."""
        return self.files.folder or self.files.train_path


def forms() -> dict[str, type[Exporter]]:
    """The packaged exporters by their forms."""
    found = [registry.load("dataset.exporters", name, "form") for name in registry.names("dataset.exporters", "form")]
    return {exporter.form: exporter for exporter in found}


def export(directory: Path, form: str, out: Path | None = None, choice: Choice | None = None) -> Written:
    """Write the dataset of a run directory, or of a Parquet file, in a form; by default to DIR/export/FORM/.

    `out` is a folder, or without splits a file by its ending. Raises ExportError, ConfigError for an unknown form.
    """
    choice = choice or Choice()
    exporter = _exporter(form)
    if choice.system_prompt is not None and not exporter.prompts:
        raise ExportError(f"--system-prompt: {exporter.form} has no prompts it could stand in")
    if choice.max_rows is not None and choice.max_rows < 1:
        raise ExportError(f"--max-rows {choice.max_rows}: must be at least 1")
    source = Source.of(directory)
    if exporter.prompts and "reference" in exporter.columns and (warm_up := read_held_out(directory / HELD_OUT)):
        choice = replace(choice, held_out=choice.held_out | warm_up[1])
    source.require([*exporter.columns, *_deciding(choice)], exporter.form)
    names = [split.name for split in choice.splits] or [DEFAULT_SPLIT]
    place = target(directory, exporter, out, names, split=bool(choice.splits))
    if place.file and any(place.file.exists() and place.file.samefile(path) for path in source.paths):
        raise ExportError(f"--out {place.file}: is the dataset itself; name another file")
    try:
        with scratch_folder(place.prepare()) as scratch, ExitStack() as stack:
            decision = _decide(source, choice, scratch)
            files, documents = _write(source, exporter, choice, decision, place, stack)
    except OSError as error:
        raise ExportError(f"{error.filename or place.folder}: {error.strerror or error}") from error
    left_out = {why: count for why, count in decision.left_out.items() if count}
    return Written(exporter.form, files, documents, left_out, exporter.following(files))


def _exporter(form: str) -> Exporter:
    exporter: Exporter = registry.load(
        "dataset.exporters", form if ":" in form or "." in form else form.replace("-", "_"), "form"
    )()
    return exporter


def _deciding(choice: Choice) -> list[str]:
    """The columns that a choice looks at."""
    columns = ["document_id", "url"] if choice.splits else []
    columns += ["document_id"] if choice.held_out else []
    columns += ["difficulty"] if choice.difficulty else []
    return [*columns, "id"] if choice.max_rows is not None else columns


class _Decision:
    """What the first pass found out; `split_of` then says of each row of the second pass where it goes, or None."""

    def __init__(self, choice: Choice, sample: Sample | None, twins: Twins | None) -> None:
        self._bounds, self._sample, self._twins = choice.difficulty, sample, twins
        self._held_out = choice.held_out
        self._splitter = Splitter(choice.splits, choice.seed) if choice.splits else None
        self.left_out: Counter[str] = Counter()
        self.joined = twins.joined if twins else 0

    def split_of(self, row: dict[str, Any]) -> str | None:
        if self._held_out and row["document_id"] in self._held_out:
            self.left_out["held out for the warm-up"] += 1
            return None
        if self._bounds and not self._bounds.hold(row["difficulty"]):
            self.left_out["no difficulty" if row["difficulty"] is None else "other difficulty"] += 1
            return None
        if self._sample and not self._sample.take(row["id"]):
            self.left_out["beyond --max-rows"] += 1
            return None
        if self._splitter is None or self._twins is None:
            return DEFAULT_SPLIT
        return self._splitter.of(self._twins.group(row["document_id"]))


def _decide(source: Source, choice: Choice, scratch: Path) -> _Decision:
    """The first pass. Raises ExportError if no row is wanted."""
    sample = Sample(choice.max_rows, choice.seed, scratch) if choice.max_rows is not None else None
    twins = Twins(scratch) if choice.splits else None
    columns = _deciding(choice)
    if twins and "pretrain_text" in source.columns:
        columns.append("pretrain_text")
    if not columns:
        return _Decision(choice, None, None)
    seen = measured = wanted = 0
    with ExitStack() as stack:
        if twins:
            stack.enter_context(twins)
        noted = stack.enter_context(sample.open()) if sample else None
        for row in source.rows(columns):
            seen += 1
            if twins:
                twins.note(row["document_id"], row["url"], row.get("pretrain_text"))
            if choice.held_out and row["document_id"] in choice.held_out:
                continue
            if choice.difficulty:
                measured += row["difficulty"] is not None
                if not choice.difficulty.hold(row["difficulty"]):
                    continue
            wanted += 1
            if sample and noted:
                sample.note(row["id"], noted)
        if sample and noted:
            sample.settle(noted)
        if twins:
            twins.settle()
    _require_rows(source, choice, seen, measured, wanted)
    return _Decision(choice, sample, twins)


def _require_rows(source: Source, choice: Choice, seen: int, measured: int, wanted: int) -> None:
    if wanted or not seen:  # an empty dataset is told when nothing was written
        return
    if choice.difficulty is None:
        raise ExportError(f"{source.shown}: all {seen:,} rows are of documents that are held out for the warm-up")
    if not measured:
        raise ExportError(
            "--difficulty: no row has a difficulty; measure it first:"
            f" webscale-rl difficulty {source.shown} --model MODEL"
        )
    low, high = choice.difficulty
    raise ExportError(
        f"--difficulty {low:g}:{high:g}: none of the {measured:,} rows with a difficulty is within; widen it"
    )


def _write(
    source: Source, exporter: Exporter, choice: Choice, decision: _Decision, place: Target, stack: ExitStack
) -> tuple[Files, dict[str, int]]:
    paths = place.open(stack)
    schema = exporter.schema()
    rows = dict.fromkeys(paths, 0)
    documents: dict[str, _Runs] = {name: _Runs() for name in paths}
    with ExitStack() as opened:
        sinks: dict[str, Sink] = {name: opened.enter_context(sink(path, schema)) for name, path in paths.items()}
        counted = ["document_id"] if "document_id" in source.columns else []
        for example in source.rows([*exporter.columns, *_deciding(choice), *counted]):
            name = decision.split_of(example)
            if name is None:
                continue
            sinks[name].write(exporter.row(example, Place(name, rows[name]), choice.system_prompt))
            rows[name] += 1
            documents[name].note(example.get("document_id"))
    _require_full(source, choice, rows, decision.joined)
    counts = {name: found.count for name, found in documents.items()}
    files = place.files(rows)
    if files.folder:
        told = card(exporter.form, files, counts, choice.seed, exporter.following(files))
        (next(iter(paths.values())).parent / CARD).write_text(told, encoding="utf-8")
    return files, counts


class _Runs:
    """Counts documents as runs of rows with one id: rows of a document follow one another."""

    def __init__(self) -> None:
        self.count, self._last = 0, object()

    def note(self, document: Any) -> None:
        self.count += document != self._last
        self._last = document


def _require_full(source: Source, choice: Choice, rows: dict[str, int], joined: int) -> None:
    total = sum(rows.values())
    if not total:
        raise ExportError(f"{source.shown}: the dataset has no rows")
    empty = [name for name, count in rows.items() if not count]
    if empty:
        share = next(split.share for split in choice.splits if split.name == empty[0])
        why = f"; {joined:,} documents share an address or a text with others and stay together" if joined else ""
        raise ExportError(
            f"--split: nothing falls to {empty[0]}, whose share is {share.normalize():f} of few documents"
            f" ({total:,} rows in all{why}); give it a larger share, or another --seed"
        )
