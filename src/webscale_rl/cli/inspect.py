"""The commands that read a run directory or a configuration, and pay for nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from webscale_rl.cli.options import (
    WRONG_USAGE,
    Domains,
    Json,
    fail,
)


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
        folder = "refined" if "refiner" in found else "dataset"
        print(f"{folder}: {directory / folder}")


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


def check_config(config: Annotated[Path, typer.Argument(help="YAML file with the configuration")]) -> None:
    """Check a configuration, and print it with every default filled in."""
    import yaml

    from webscale_rl.config import Parts, Run
    from webscale_rl.engine.rundir import resolved

    run = Run.load(config)
    print(yaml.safe_dump(resolved(run, Parts(run))["config"], sort_keys=False, allow_unicode=True), end="")


def init(path: Annotated[Path, typer.Argument(help="the file to write")] = Path("run.yaml")) -> None:
    """Write a commented configuration to start from."""
    from webscale_rl.report.reference import starter

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter())
    except FileExistsError:
        fail(f"{path}: exists already; name another file", WRONG_USAGE)
    print(f"wrote {path}; next: webscale-rl run -c {path}")


def version() -> None:
    """Print the version."""
    from webscale_rl import __version__

    print(__version__)
