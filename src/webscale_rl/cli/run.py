"""`run` and `estimate`: from flags and files to a configured run, and what it shows in the end."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from webscale_rl.cli.options import (
    DONE,
    FAILURES,
    BaseUrls,
    Concurrency,
    Config,
    Domains,
    Inputs,
    Json,
    Limit,
    MaxHours,
    MaxTokens,
    MaxUsd,
    Model,
    Replicas,
    Seed,
    Serve,
    TextField,
    UseBackend,
    caps,
)
from webscale_rl.cli.process import show_messages, tune_process

if TYPE_CHECKING:
    from webscale_rl.config import Run

PAIRS_SHOWN = 3


def run_command(
    inputs: Inputs = None,
    out: Annotated[str | None, typer.Option("--out", help="the run directory")] = None,
    config: Config = None,
    model: Model = None,
    base_url: BaseUrls = None,
    backend: UseBackend = None,
    batch_dir: Annotated[
        str | None, typer.Option("--batch-dir", help="write batch files there and read their results; no network")
    ] = None,
    serve: Serve = None,
    replicas: Replicas = None,
    domains: Domains = None,
    text_field: TextField = None,
    limit: Limit = None,
    concurrency: Concurrency = None,
    max_usd: MaxUsd = None,
    max_tokens: MaxTokens = None,
    max_hours: MaxHours = None,
    seed: Seed = None,
    metrics_port: Annotated[
        int | None, typer.Option("--metrics-port", help="serve Prometheus metrics at this port of 127.0.0.1")
    ] = None,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="continue a run whose configuration has changed")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a dataset, or go on with a run that was stopped."""
    tune_process()
    from webscale_rl.api import run
    from webscale_rl.report.live import live

    flags = _run_flags(inputs, out, domains, limit, seed, text_field, concurrency)
    show_messages()
    flags["metrics"] = {"port": metrics_port} if metrics_port is not None else None
    flags["caps"] = caps(max_usd, max_tokens, max_hours) or None
    flags["backend"] = _backend_flags(backend, model, base_url, serve, batch_dir)
    flags["serve"] = _serve_flags(serve, replicas, base_url)
    configured = _configured(config, {key: value for key, value in flags.items() if value is not None})
    result = run(configured, accept_changes=accept_changes, watch=live)
    if as_json:
        print(json.dumps(result.summary | {"dataset": str(result.dataset)}))
    else:
        _show_result(result)
    sys.exit(FAILURES if result.failed else DONE)


def estimate_command(
    inputs: Inputs = None,
    out: Annotated[str | None, typer.Option("--out", help="the run directory; keeps what the pilot pays for")] = None,
    config: Config = None,
    documents: Annotated[int, typer.Option("--documents", min=1, help="documents of the pilot")] = 50,
    model: Model = None,
    base_url: BaseUrls = None,
    backend: UseBackend = None,
    serve: Serve = None,
    replicas: Replicas = None,
    domains: Domains = None,
    text_field: TextField = None,
    limit: Limit = None,
    concurrency: Concurrency = None,
    seed: Seed = None,
    as_json: Json = False,
) -> None:
    """Say what a run would take and bring, from a paid pilot on a few documents."""
    tune_process()
    from webscale_rl.api import estimate
    from webscale_rl.report.estimate import estimate_lines
    from webscale_rl.report.live import live

    show_messages()
    flags = _run_flags(inputs, out, domains, limit, seed, text_field, concurrency)
    flags["backend"] = _backend_flags(backend, model, base_url, serve)
    flags["serve"] = _serve_flags(serve, replicas, base_url)
    configured = _configured(config, {key: value for key, value in flags.items() if value is not None})
    told = estimate(configured, sample=documents, watch=live)
    if as_json:
        print(json.dumps(told))
    else:
        for line in estimate_lines(told):
            print(line)
        if configured.out and told["pilot"]["calls"]:
            print(f"\nnext: webscale-rl run with the same inputs and options, --out {configured.out}")
    sys.exit(FAILURES if told["failures"] else DONE)


def _configured(config: Path | None, flags: dict[str, Any]) -> Run:
    """The Run of a file, the command line laid over it; a run directory that holds a run fills in what is not said."""
    from webscale_rl.config import Run, merge, read_yaml
    from webscale_rl.engine.rundir import RUN_FILE

    values: dict[str, Any] = read_yaml(config) if config else {}
    out = flags.get("out") or values.get("out")
    earlier = Path(out) / RUN_FILE if out else None
    if config is None and "inputs" not in flags and earlier is not None and earlier.exists():
        values = read_yaml(earlier).get("config", {})
    if flags.get("serve", {}).get("command") and isinstance(values.get("backend"), dict):
        values["backend"].pop("base_urls", None)  # --serve in place of the file's servers
    return Run.make(merge(values, flags), str(config) if config else "command line")


def _run_flags(
    inputs: list[str] | None,
    out: str | None,
    domains: Path | None,
    limit: int | None,
    seed: int | None,
    text_field: str | None,
    concurrency: int | None,
) -> dict[str, Any]:
    return {
        "inputs": list(inputs) if inputs else None,
        "out": out,
        "domains": str(domains) if domains else None,
        "limit": limit,
        "seed": seed,
        "corpus": {"text_field": text_field} if text_field else None,
        "traffic": {"concurrency": concurrency} if concurrency else None,
    }


def _backend_flags(
    use: str | None, model: str | None, base_urls: list[str] | None, serve: str | None, batch_dir: str | None = None
) -> dict[str, Any] | None:
    flags: dict[str, Any] = {}
    if model or base_urls or serve:
        flags["use"] = "openai"
    if batch_dir:
        flags |= {"use": "batch", "batch_dir": batch_dir}
    if use:
        flags["use"] = use
    if model:
        flags["model"] = model
    if base_urls:
        flags["base_urls"] = base_urls
    return flags or None


def _serve_flags(command: str | None, replicas: int | None, base_urls: list[str] | None) -> dict[str, Any] | None:
    flags: dict[str, Any] = {}
    if base_urls and not command:  # --base-url in place of the file's own server
        flags = {"command": None, "replicas": 1}
    if command:
        flags["command"] = command
    if replicas:
        flags["replicas"] = replicas
    return flags or None


def _show_result(result: Any) -> None:
    from webscale_rl.dataset.writer import scattered_rows
    from webscale_rl.report.text import PAIR_COLUMNS, books_lines, funnel_lines, pair_lines

    for line in [*funnel_lines(result.summary["funnel"]), "", *books_lines(result.summary)]:
        print(line)
    for row in scattered_rows(result.dataset, PAIR_COLUMNS, PAIRS_SHOWN):
        print()
        for line in pair_lines(row):
            print(line)
    print(f"\ndataset: {result.dataset}")
