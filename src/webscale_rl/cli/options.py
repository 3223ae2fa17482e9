"""What the commands share: options of the same words, exit codes, and how a mistake is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

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
MaxUsd = Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")]
MaxTokens = Annotated[int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")]
MaxHours = Annotated[float | None, typer.Option("--max-hours", help="stop after so many hours")]
Directory = Annotated[Path, typer.Argument(help="the directory of a finished run")]
Json = Annotated[bool, typer.Option("--json", help="print JSON for a machine to read")]


def caps(usd: float | None, tokens: int | None, hours: float | None) -> dict[str, Any]:
    """The section `caps` of a Run: what was said of it."""
    given = {"usd": usd, "tokens": tokens, "hours": hours}
    return {key: value for key, value in given.items() if value is not None}


def fail(message: str, code: int) -> NoReturn:
    """Say what went wrong and end with this exit code."""
    for line in message.splitlines() or [""]:
        print(f"webscale-rl: {line}" if not line.startswith(" ") else line, file=sys.stderr)
    sys.exit(code)
