"""`difficulty`: how often a model solves each question of a finished run without the document."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from webscale_rl.cli.options import DONE, FAILURES, BaseUrls, Concurrency, Json
from webscale_rl.cli.run import show_messages, tune_process


def difficulty_command(
    directory: Annotated[Path, typer.Argument(help="the directory of a finished run")],
    model: Annotated[str, typer.Option("--model", help="the model that is asked")],
    samples: Annotated[int, typer.Option("--samples", min=1, max=1000, help="how often each question is asked")] = 8,
    base_url: BaseUrls = None,
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="how the model samples")] = 1.0,
    concurrency: Concurrency = None,
    max_usd: Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")
    ] = None,
    max_hours: Annotated[float | None, typer.Option("--max-hours", help="stop after so many hours")] = None,
    as_json: Json = False,
) -> None:
    """Measure how often a model solves each question without the document."""
    from webscale_rl.api import difficulty
    from webscale_rl.report.difficulty import difficulty_lines
    from webscale_rl.report.live import live

    tune_process()
    show_messages()
    caps = {"usd": max_usd, "tokens": max_tokens, "hours": max_hours}
    settings: dict[str, Any] = {"caps": {key: value for key, value in caps.items() if value is not None}}
    if base_url:
        settings["backend"] = {"use": "openai", "base_urls": base_url}
    if concurrency:
        settings["traffic"] = {"concurrency": concurrency}
    told = difficulty(directory, model, samples=samples, temperature=temperature, settings=settings, watch=live)
    if as_json:
        print(json.dumps(told))
    else:
        for line in difficulty_lines(told):
            print(line)
    sys.exit(FAILURES if told["failures"] else DONE)
