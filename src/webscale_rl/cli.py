"""The command line: one noun per command, the same words as in Python and YAML. Results go to stdout,
progress to stderr.

Exit codes: 0 done, 1 finished with failures, 2 wrong usage, 3 stopped by a limit or a signal and resumable.
Everything heavy is imported inside the commands, so that `--help` comes at once.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from webscale_rl.config import Run

DONE, FAILURES, WRONG_USAGE, RESUMABLE = 0, 1, 2, 3

app = typer.Typer(
    name="webscale-rl",
    help="Turns a pretraining corpus into verified question-answer data for reinforcement learning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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


def main() -> None:
    """Entry point of `webscale-rl`. A user's mistake is one clear line and an exit code, never a traceback."""
    from webscale_rl.errors import RunStopped, UserError

    try:
        app()
    except RunStopped as stopped:
        _fail(str(stopped), stopped.code)
    except UserError as error:
        _fail(str(error), WRONG_USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(RESUMABLE)


@app.command("run")
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
    max_usd: Annotated[float | None, typer.Option("--max-usd", help="stop when so many US dollars are spent")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="stop when so many tokens are spent, in and out")
    ] = None,
    max_hours: Annotated[float | None, typer.Option("--max-hours", help="stop after so many hours")] = None,
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
    from webscale_rl.api import run
    from webscale_rl.report.live import live

    _tune_process()
    flags = _run_flags(inputs, out, domains, limit, seed, text_field, concurrency)
    caps = {"usd": max_usd, "tokens": max_tokens, "hours": max_hours}
    _show_messages()
    flags["metrics"] = {"port": metrics_port} if metrics_port is not None else None
    flags["caps"] = {key: value for key, value in caps.items() if value is not None} or None
    flags["backend"] = _backend_flags(backend, model, base_url, serve, batch_dir)
    flags["serve"] = _serve_flags(serve, replicas, base_url)
    configured = _configured(config, {key: value for key, value in flags.items() if value is not None})
    result = run(configured, accept_changes=accept_changes, watch=live)
    if as_json:
        print(json.dumps(result.summary | {"dataset": str(result.dataset)}))
    else:
        _show_result(result)
    sys.exit(FAILURES if result.failed else DONE)


@app.command("estimate")
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
    from webscale_rl.api import estimate
    from webscale_rl.report.estimate import estimate_lines
    from webscale_rl.report.live import live

    _tune_process()
    _show_messages()
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


@app.command()
def status(
    directory: Annotated[Path, typer.Argument(help="a run directory")],
    as_json: Json = False,
) -> None:
    """Say what a run has done so far."""
    from webscale_rl.report.status import read_status
    from webscale_rl.report.text import books_lines, funnel_lines

    found = read_status(directory)
    if as_json:
        print(json.dumps(found))
        return
    print(f"{directory}: {found['state']}")
    for line in [*funnel_lines(found["funnel"]), *books_lines(found)]:
        print(line)
    if found["in_journals"]:
        told = ", ".join(f"{stage} {count:,}" for stage, count in found["in_journals"].items())
        print(f"answers of shards in progress, kept for the next run: {told}")
    if found["state"] == "done":
        print(f"dataset: {directory / 'dataset'}")


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="a run directory")],
    to: Annotated[str, typer.Option("--to", help="webscale (the paper's columns) or jsonl (all columns)")],
    out: Annotated[Path | None, typer.Option("--out", help="where to write; default: DIR/export/FORMAT")] = None,
) -> None:
    """Write the dataset in another form."""
    from webscale_rl.dataset.export import export as write

    written = write(directory, to, out)
    print(f"{written.rows:,} rows: {written.path}")


@app.command("domains")
def domains_command(domains: Domains = None, as_json: Json = False) -> None:
    """List the domains; with --domains, check a folder of your own."""
    from webscale_rl.domains import Taxonomy

    taxonomy = Taxonomy.load(domains)
    if as_json:
        print(
            json.dumps(
                [
                    {"folder": d.folder, "name": d.name, "definition": d.definition, "examples": len(d.examples)}
                    for d in taxonomy.domains
                ]
            )
        )
        return
    for domain in taxonomy.domains:
        print(f"{domain.name} ({domain.folder}/, {len(domain.examples)} examples)")
        print(f"  {domain.definition}")
    thin = [domain.folder for domain in taxonomy.domains if len(domain.examples) < 2]
    if thin:
        print(f"fewer than 2 worked examples, others' will be borrowed: {', '.join(thin)}", file=sys.stderr)


@app.command("check-config")
def check_config(config: Annotated[Path, typer.Argument(help="YAML file with the configuration")]) -> None:
    """Check a configuration, and print it with every default filled in."""
    import yaml

    from webscale_rl.config import Parts, Run
    from webscale_rl.engine.rundir import resolved

    run = Run.load(config)
    print(yaml.safe_dump(resolved(run, Parts(run))["config"], sort_keys=False, allow_unicode=True), end="")


@app.command()
def init(path: Annotated[Path, typer.Argument(help="the file to write")] = Path("run.yaml")) -> None:
    """Write a commented configuration to start from."""
    from webscale_rl.report.reference import starter

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter())
    except FileExistsError:
        _fail(f"{path}: exists already; name another file", WRONG_USAGE)
    print(f"wrote {path}; next: webscale-rl run -c {path}")


@app.command()
def version() -> None:
    """Print the version."""
    from webscale_rl import __version__

    print(__version__)


def _tune_process() -> None:
    """What a command may set for its process, and a library must not for its caller's."""
    import pyarrow as pa

    # Calls make many short-lived objects and hardly a cycle: rarer collections save a fifth of the client's CPU time.
    gc.set_threshold(100_000, 50, 100)
    # Arrow's own allocators keep what they were given once: 80 MB more at the peak.
    pa.set_memory_pool(pa.system_memory_pool())


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


def _show_messages() -> None:
    """What the package logs (a server that loads its model, a replica that died) goes to stderr, a line each."""
    import logging

    class ToStderr(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(
                f"webscale-rl: {record.getMessage()}", file=sys.stderr, flush=True
            )  # above the live view, if there is one

    logger = logging.getLogger("webscale_rl")
    logger.addHandler(ToStderr())
    logger.setLevel(logging.INFO)


def _show_result(result: Any) -> None:
    from itertools import islice

    from webscale_rl.report.text import books_lines, funnel_lines, pair_lines

    for line in [*funnel_lines(result.summary["funnel"]), "", *books_lines(result.summary)]:
        print(line)
    every = max(1, result.summary["pairs"]["kept"] // 3)
    for number, example in enumerate(islice(result.examples(), 0, None, every)):
        if number == 3:
            break
        print()
        for line in pair_lines(example):
            print(line)
    print(f"\ndataset: {result.dataset}")


def _fail(message: str, code: int) -> NoReturn:
    for line in message.splitlines() or [""]:
        print(f"webscale-rl: {line}" if not line.startswith(" ") else line, file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
