"""`balance`: the balance sieve on any file of rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from webscale_rl.cli.options import DONE, FAILURES, WRONG_USAGE, Json, fail

if TYPE_CHECKING:
    from webscale_rl.sieves.balance import Column


def balance(
    file: Annotated[str, typer.Argument(help="JSON Lines (plain, .gz, .zst) or Parquet")],
    out: Annotated[Path, typer.Option("--out", help="where the rows that stay go, in the format of its ending")],
    by: Annotated[str, typer.Option("--by", help="column that is balanced")],
    quota: Annotated[
        list[str] | None, typer.Option("--quota", help="VALUE=N: most rows of a value; `*=N`: of each not named")
    ] = None,
    weight: Annotated[list[str] | None, typer.Option("--weight", help="VALUE=W: share of a value")] = None,
    total: Annotated[int | None, typer.Option("--total", min=1, help="rows of all weights together")] = None,
    drop_others: Annotated[bool, typer.Option("--drop-others", help="drop values that are not named")] = False,
    bins: Annotated[
        bool, typer.Option("--bins", help="the column holds numbers in 0..1, and values are bins: 0.1-0.9")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="seeds which rows stay")] = 0,
    dropped: Annotated[
        Path | None, typer.Option("--dropped", help="where the others go, with columns reason and detail")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep so many rows of each value of a column of a file."""
    from pydantic import ValidationError

    from webscale_rl.config import explain
    from webscale_rl.rowfiles import source
    from webscale_rl.sieves.balance import Balance
    from webscale_rl.sift import require_columns, sift_file

    def tell(line: str) -> None:
        print(f"webscale-rl: {line}", file=sys.stderr, flush=True)

    rows = source(file)
    require_columns(rows, {"--by": by})
    column: Column = "difficulty" if bins else "source"  # what the sieve calls a column of numbers, or of words
    given: dict[str, Any] = {"others": "drop" if drop_others else "keep", "total": total, "seed": seed}
    for name, values in (("quotas", quota), ("weights", weight)):
        given[name] = {column: _named(values)} if values else {}
    try:
        options = Balance.Options.model_validate(given)
    except ValidationError as error:
        fail(explain(error, Balance.Options, "balance"), WRONG_USAGE)
    known = rows.columns()
    content = [name for name in ("question", "answer", "document_id") if name in known]
    sieve = Balance(options, identity=content or ("id",), shown=by)
    fields: dict[str, str | None] = {name: name for name in content}
    fields[column] = by
    books = sift_file(file, sieve, fields, out=out, dropped=dropped, tell=tell)
    told = sieve.told[column]
    if as_json:
        counts = {"seen": books.seen, "kept": books.kept, "dropped": books.dropped, "bad": books.bad}
        print(json.dumps(counts | {"values": told, "out": str(out)}))
    else:
        count, bad = sum(books.dropped.values()), sum(books.bad.values())
        print(f"rows: {books.seen:,} seen = {books.kept:,} kept + {count:,} dropped + {bad:,} bad")
        for value, of in told.items():
            short = "" if of["kept"] >= of["wanted"] else f", {of['wanted'] - of['kept']:,} short"
            print(f"{by} {value}: {of['kept']:,} of {of['found']:,} kept{short}")
        print(f"rows: {out}")
    sys.exit(FAILURES if books.bad else DONE)


def _named(values: list[str]) -> dict[str, str]:
    found = {}
    for given in values:
        value, mark, number = given.rpartition("=")
        if not mark:
            fail(f"{given!r}: write VALUE=NUMBER", WRONG_USAGE)
        found[value] = number
    return found
