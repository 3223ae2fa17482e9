"""`decontaminate`: rows become those that no evaluation benchmark has."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webscale_rl.cli.options import DONE, FAILURES, RESUMABLE, WRONG_USAGE, Json, fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from webscale_rl.sieves.screening import Summary


def decontaminate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE", help="JSON Lines (plain, .gz, .zst) or Parquet; after --benchmarks, more benchmarks"
        ),
    ],
    benchmarks: Annotated[
        list[str] | None,
        typer.Option("--benchmarks", help="files or folders of benchmarks, or names of packaged ones; default: these"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="where the clean rows go, in the format of its ending")
    ] = None,
    dropped: Annotated[
        Path | None, typer.Option("--dropped", help="where the others go, each with its rule, benchmark, item and span")
    ] = None,
    field: Annotated[str, typer.Option("--field", help="column that is looked up; default: question")] = "question",
    answer_field: Annotated[
        str | None, typer.Option("--answer-field", help="column of the answer; default: answer, if there is one")
    ] = None,
    as_json: Json = False,
) -> None:
    """Leave out the rows that ask what an evaluation benchmark asks."""
    from webscale_rl.sieves.screening import Screening

    if len(files) > 1 and not benchmarks:
        fail(f"{files[1]}: one file at a time; benchmarks are named by --benchmarks", WRONG_USAGE)

    def tell(line: str) -> None:
        print(f"webscale-rl: {line}", file=sys.stderr, flush=True)

    against = [*(benchmarks or ()), *files[1:]]
    try:
        summary = Screening(files[0], out, dropped, fields=(field, answer_field), against=against, tell=tell).run()
    except KeyboardInterrupt:
        fail("stopped by Ctrl-C; nothing was written, run it again", RESUMABLE)
    if as_json:
        print(json.dumps(summary.plain() | {"out": out and str(out), "dropped_to": dropped and str(dropped)}))
    else:
        for line in _lines(summary, out, dropped):
            print(line)
    sys.exit(FAILURES if summary.bad else DONE)


def _lines(summary: Summary, out: Path | None, dropped: Path | None) -> Iterator[str]:
    """The summary for people."""
    from webscale_rl.corpus.record import printable

    yield f"{'':<24} {'rows':>10} {'':>10} of which are found by"
    words = ("dropped", "items", "13 words", "8 words", "most words", "all of it", "nothing")
    yield f"{'benchmark':<24} " + " ".join(f"{word:>10}" for word in words)
    for name, covered in summary.coverage.items():
        rows = sum(summary.dropped_by.get(name, {}).values())
        yield f"{printable(name)[:24]:<24} " + " ".join(f"{count:>10,}" for count in (rows, *covered.values()))
    yield ""
    rules: dict[str, int] = {}
    for by in summary.dropped_by.values():
        for rule, count in by.items():
            rules[rule] = rules.get(rule, 0) + count
    told = ", ".join(f"{rule} {count:,}" for rule, count in sorted(rules.items(), key=lambda item: (-item[1], item[0])))
    yield f"dropped by rule: {told or 'none'}"
    yield f"rows: {summary.rows:,} seen = {summary.kept:,} kept + {summary.dropped:,} dropped + {summary.bad:,} bad"
    for what, path in (("kept", out), ("dropped", dropped)):
        if path is not None:
            yield f"{what}: {path}"
