"""`export`: the dataset as a trainer reads it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webscale_rl.cli.options import Json

if TYPE_CHECKING:
    from webscale_rl.dataset.export import Written


def export(
    directory: Annotated[Path, typer.Argument(help="a run directory, or a Parquet file with a dataset's columns")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="trl, verl, openrlhf, nemo-rl, nemo-gym, skyrl, verifiers, open-instruct, sft, webscale, jsonl,"
            " or your own module:Class",
        ),
    ],
    split: Annotated[
        str | None,
        typer.Option("--split", help="NAME=SHARE,NAME=SHARE: splits by document, such as train=0.98,test=0.02"),
    ] = None,
    difficulty: Annotated[
        str | None, typer.Option("--difficulty", help="LOW:HIGH: rows of these difficulties only, such as 0.1:0.9")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option("--max-rows", help="a sample of so many rows, over all splits")
    ] = None,
    system_prompt: Annotated[
        Path | None, typer.Option("--system-prompt", help="text file with the system prompt of every question")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="seeds the splits and the sample")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="folder to write to, or without --split a file; default: DIR/export/FORM"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the dataset as a trainer reads it."""
    from webscale_rl.dataset.export import Choice
    from webscale_rl.dataset.export import export as write
    from webscale_rl.dataset.selection import Bounds
    from webscale_rl.dataset.split import parse

    choice = Choice(
        splits=() if split is None else parse(split),
        difficulty=None if difficulty is None else Bounds.parse(difficulty),
        max_rows=max_rows,
        system_prompt=None if system_prompt is None else _prompt(system_prompt),
        seed=seed,
    )
    written = write(directory, to, out, choice)
    if as_json:
        print(json.dumps(_told(written)))
    else:
        _tell(written)


def _prompt(path: Path) -> str:
    from webscale_rl.errors import ExportError

    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(
            f"--system-prompt {path}: cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from None
    if not text:
        raise ExportError(f"--system-prompt {path}: is empty")
    return text


def _told(written: Written) -> dict[str, object]:
    splits = {
        name: {"rows": written.files.rows[name], "documents": written.documents[name], "path": str(path)}
        for name, path in written.files.paths.items()
    }
    return {
        "form": written.form,
        "rows": written.rows,
        "splits": splits,
        "left_out": written.left_out,
        "next": written.following,
    }


def _tell(written: Written) -> None:
    from webscale_rl.dataset.exporter import wrapped

    for name, path in written.files.paths.items():
        rows, documents = written.files.rows[name], written.documents[name]
        print(f"{name}: {rows:,} rows of {documents:,} documents: {path}")
    if written.left_out:
        told = ", ".join(f"{count:,} {why}" for why, count in written.left_out.items())
        print(f"left out: {told}", file=sys.stderr)
    if written.following:
        print("next:")
        for line in written.following:
            for part in wrapped(line):
                print(f"  {part}")
