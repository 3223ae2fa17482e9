"""What the commands share: options of the same words, exit codes, and how a mistake is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

DONE, FAILURES, WRONG_USAGE, RESUMABLE = 0, 1, 2, 3

Config = Annotated[Path | None, typer.Option("-c", "--config", help="YAML file with the configuration")]
Domains = Annotated[
    Path | None,
    typer.Option("--domains", help="folder of your own domains, one folder each, instead of the packaged ten"),
]
Inputs = Annotated[list[str] | None, typer.Argument(help="files, folders, globs or URLs; `sample:` is ours")]
Model = Annotated[str | None, typer.Option("--model", help="the model that answers all stages")]
BaseUrls = Annotated[list[str] | None, typer.Option("--base-url", help="OpenAI-compatible server(s)")]
UseBackend = Annotated[
    str | None, typer.Option("--backend", help="extractive, openai, batch, or your own module:Class")
]
Serve = Annotated[
    str | None, typer.Option("--serve", help="command that starts a server for this run; `{port}` is its port")
]
Replicas = Annotated[int | None, typer.Option("--replicas", help="so many servers of --serve")]
TextField = Annotated[str | None, typer.Option("--text-field", help="column that holds the text")]
Limit = Annotated[int | None, typer.Option("--limit", help="read no more than so many documents")]
Concurrency = Annotated[int | None, typer.Option("--concurrency", help="most calls in flight at once")]
Seed = Annotated[int | None, typer.Option("--seed", help="seeds every choice")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for a machine to read")]


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong and end with this exit code."""
    for line in message.splitlines() or [""]:
        print(f"webscale-rl: {line}" if not line.startswith(" ") else line, file=sys.stderr)
    sys.exit(code)
