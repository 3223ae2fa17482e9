"""`rationales`: the way to the answer of held-out questions, written by a model that knows it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
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
    Seed,
    UseBackend,
    caps,
)
from webscale_rl.cli.process import show_messages, tune_process


def rationales_command(
    directory: Directory,
    model: Annotated[str | None, typer.Option("--model", help="the model that writes; default: the run's")] = None,
    base_url: BaseUrls = None,
    backend: UseBackend = None,
    count: Annotated[int, typer.Option("--count", min=1, help="hold out no more than so many questions")] = 10_000,
    share: Annotated[float, typer.Option("--share", help="and no more than this share of the dataset")] = 0.2,
    seed: Seed = None,
    prompt: Annotated[Path | None, typer.Option("--prompt", help="prompt file instead of the packaged one")] = None,
    concurrency: Concurrency = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    max_hours: MaxHours = None,
    as_json: Json = False,
) -> None:
    """Write chains of thought for held-out questions: the data of a supervised warm-up."""
    tune_process()
    from webscale_rl.api import rationales
    from webscale_rl.report.live import live
    from webscale_rl.report.rationales import rationale_lines, shown

    show_messages()
    settings: dict[str, Any] = {"caps": caps(max_usd, max_tokens, max_hours)}
    use = backend or ("openai" if base_url else None)
    servers = {"use": use, "base_urls": base_url, "model": model if backend else None}
    if named := {key: value for key, value in servers.items() if value}:
        settings["backend"] = named
    if concurrency:
        settings["traffic"] = {"concurrency": concurrency}
    if seed is not None:
        settings["seed"] = seed
    if prompt is not None:
        settings["stages"] = {"rationale": {"prompt": str(prompt)}}
    told = rationales(directory, model, count=count, share=share, settings=settings, watch=live)
    if as_json:
        print(json.dumps(told))
    else:
        for line in [*rationale_lines(told), *shown(Path(told["dataset"]))]:
            print(line)
    sys.exit(FAILURES if told["failures"] else DONE)
