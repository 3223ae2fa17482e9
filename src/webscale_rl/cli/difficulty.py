"""`difficulty`: how often a model solves each question of a finished run without the document."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from webscale_rl.cli.options import (
    DONE,
    FAILURES,
    BaseUrls,
    Concurrency,
    Directory,
    Json,
    MaxHours,
    MaxTokens,
    MaxUsd,
    caps,
)
from webscale_rl.cli.process import show_messages, tune_process


def difficulty_command(
    directory: Directory,
    model: Annotated[str, typer.Option("--model", help="the model that is asked")],
    samples: Annotated[int, typer.Option("--samples", min=1, max=1000, help="how often each question is asked")] = 8,
    base_url: BaseUrls = None,
    temperature: Annotated[float, typer.Option("--temperature", min=0, help="how the model samples")] = 1.0,
    concurrency: Concurrency = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    max_hours: MaxHours = None,
    as_json: Json = False,
) -> None:
    """Measure how often a model solves each question without the document."""
    tune_process()
    from webscale_rl.api import difficulty
    from webscale_rl.report.difficulty import difficulty_lines
    from webscale_rl.report.live import live

    show_messages()
    settings: dict[str, Any] = {"caps": caps(max_usd, max_tokens, max_hours)}
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
