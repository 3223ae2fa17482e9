"""`dedup`: the dedup sieve on any file of rows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from webscale_rl.cli.options import DONE, FAILURES, Json


def dedup(
    file: Annotated[str, typer.Argument(help="JSON Lines (plain, .gz, .zst) or Parquet, a question a row")],
    out: Annotated[Path, typer.Option("--out", help="where the rows that stay go, in the format of its ending")],
    dropped: Annotated[
        Path | None, typer.Option("--dropped", help="where the others go, with columns reason and detail")
    ] = None,
    field: Annotated[
        str | None, typer.Option("--field", help="column of the question; default: question, or text with --documents")
    ] = None,
    answer_field: Annotated[
        str | None, typer.Option("--answer-field", help="column of the answer; default: answer, if there is one")
    ] = None,
    document_field: Annotated[
        str | None,
        typer.Option("--document-field", help="column of the document's id; default: document_id, if there is one"),
    ] = None,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.01, max=1, help="words that near-duplicates share (Jaccard)")
    ] = 0.8,
    lexical: Annotated[
        bool, typer.Option("--lexical", help="near-duplicates by their words alone, whatever their answers")
    ] = False,
    documents: Annotated[
        bool, typer.Option("--documents", help="the rows are documents: near-duplicates by runs of five words")
    ] = False,
    as_json: Json = False,
) -> None:
    """Remove equal and nearly equal questions, or documents, from a file."""
    from webscale_rl.rowfiles import source
    from webscale_rl.sieves.dedup import Dedup
    from webscale_rl.sieves.fingerprints import SHINGLE
    from webscale_rl.sift import require_columns, sift_file

    def tell(line: str) -> None:
        print(f"webscale-rl: {line}", file=sys.stderr, flush=True)

    rows = source(file)
    known = rows.columns()
    field = field or ("text" if documents else "question")
    require_columns(rows, {"--field": field, "--answer-field": answer_field, "--document-field": document_field})
    answer = answer_field or ("answer" if "answer" in known else None)
    document = document_field or ("document_id" if "document_id" in known else None)
    if lexical or documents:
        answer = document = None
    elif answer is None:
        tell(f"{rows.shown}: no answers, so only equal questions go; --lexical for those that are near in words alone")
    near = answer is not None or lexical or documents
    options = Dedup.Options(
        near=near, threshold=threshold, same_document=None if document is None or answer is None else 0.5
    )
    sieve = Dedup(options, shingle=SHINGLE if documents else 1)
    fields = {"question": field, "answer": answer, "document_id": document}
    books = sift_file(file, sieve, fields, out=out, dropped=dropped, tell=tell)
    if as_json:
        told = {"seen": books.seen, "kept": books.kept, "dropped": books.dropped, "bad": books.bad}
        print(json.dumps(told | {"out": str(out)}))
    else:
        gone = ", ".join(f"{reason} {count:,}" for reason, count in books.dropped.items())
        count = sum(books.dropped.values())
        print(f"rows: {books.seen:,} seen = {books.kept:,} kept + {count:,} dropped + {sum(books.bad.values()):,} bad")
        if gone:
            print(f"dropped: {gone}")
        print(f"rows: {out}")
    sys.exit(FAILURES if books.bad else DONE)
