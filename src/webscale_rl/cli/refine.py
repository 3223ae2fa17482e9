"""`refine`: the paper's baselines, from documents to better documents."""

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
    Config,
    Inputs,
    Json,
    Limit,
    Model,
    Seed,
    TextField,
    UseBackend,
)
from webscale_rl.cli.process import show_messages, tune_process


def refine_command(
    inputs: Inputs = None,
    out: Annotated[
        str | None, typer.Option("--out", help="the directory to refine into; of a run: its refined-METHOD")
    ] = None,
    method: Annotated[str | None, typer.Option("--method", help="qurating, prox or gdr")] = None,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrls = None,
    backend: UseBackend = None,
    keep: Annotated[float | None, typer.Option("--keep", help="qurating: share of all tokens that stays")] = None,
    budget_tokens: Annotated[
        int | None, typer.Option("--budget-tokens", help="qurating: most tokens that stay, by estimate")
    ] = None,
    text_field: TextField = None,
    limit: Limit = None,
    concurrency: Concurrency = None,
    max_usd: Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")
    ] = None,
    max_hours: Annotated[float | None, typer.Option("--max-hours", help="stop after so many hours")] = None,
    seed: Seed = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="continue a run whose configuration has changed")
    ] = False,
    as_json: Json = False,
) -> None:
    """Refine documents by QuRating, ProX or GDR, the paper's baselines."""
    tune_process()
    from webscale_rl.api import refine
    from webscale_rl.config import merge, read_yaml
    from webscale_rl.errors import ConfigError
    from webscale_rl.refine import METHODS
    from webscale_rl.refine.report import refined_lines
    from webscale_rl.report.live import live

    show_messages()
    values = read_yaml(config) if config else {}
    method = method or str(values.get("method", ""))
    if not method:
        raise ConfigError(f"--method: missing; one of {', '.join(METHODS)}")
    caps = {"usd": max_usd, "tokens": max_tokens, "hours": max_hours}
    select = {"keep": keep, "budget_tokens": budget_tokens}
    flags = {
        "backend": _backend(model, base_url, backend),
        "corpus": _given({"text_field": text_field}),
        "traffic": _given({"concurrency": concurrency}),
        "caps": _given(caps),
        "stages": _given({"select": _given(select)}),
        "limit": limit,
        "seed": seed,
    }
    values = {key: value for key, value in values.items() if key != "method"}
    settings = merge(values, _given(flags) or {})
    found = inputs or values.get("inputs") or []
    done = refine(found, out, method=method, settings=settings, accept_changes=accept_changes, watch=live)
    if as_json:
        print(json.dumps(done.summary | {"refined": str(done.refined)}))
    else:
        for line in refined_lines(done):
            print(line)
    sys.exit(FAILURES if done.failed else DONE)


def _backend(model: str | None, base_urls: list[str] | None, use: str | None) -> dict[str, Any] | None:
    """Who answers: a model or a server of it is the openai backend's, unless another is named."""
    selected = use or ("openai" if model or base_urls else None)
    return _given({"use": selected, "model": model, "base_urls": base_urls})


def _given(values: dict[str, Any]) -> dict[str, Any] | None:
    """What was said of it; None if nothing was."""
    return {key: value for key, value in values.items() if value is not None} or None
