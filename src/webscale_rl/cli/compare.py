"""`compare`: two run directories side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from webscale_rl.cli.options import WRONG_USAGE, Json, fail

Run = Annotated[Path, typer.Argument(help="a run directory, finished")]


def compare(
    a: Run,
    b: Run,
    sample: Annotated[int, typer.Option("--sample", min=20, help="documents of each run to look at")] = 5000,
    seed: Annotated[int, typer.Option("--seed", help="seeds which ones")] = 0,
    embeddings_url: Annotated[
        str | None,
        typer.Option("--embeddings-url", help="OpenAI-compatible server for vectors of questions, up to /v1"),
    ] = None,
    embeddings_model: Annotated[
        str | None, typer.Option("--embeddings-model", help="the model that makes these vectors")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put two runs side by side, and say which differences are larger than chance."""
    from webscale_rl.report.compare import Options
    from webscale_rl.report.compare import compare as compared
    from webscale_rl.report.compare.lines import compare_lines
    from webscale_rl.report.compare.vectors import Endpoint

    options = Options(sample=sample, seed=seed)
    if (embeddings_url is None) != (embeddings_model is None):
        fail("--embeddings-url and --embeddings-model go together", WRONG_USAGE)
    if embeddings_url is not None and embeddings_model is not None:
        endpoint = Endpoint(embeddings_url, embeddings_model)
        options = Options(sample=sample, seed=seed, vectors=endpoint.vectors, vectors_name=embeddings_model)
        print("webscale-rl: questions of both runs go to the embeddings server", file=sys.stderr, flush=True)
    told = compared(a, b, options)
    if as_json:
        print(json.dumps(told))
        return
    for line in compare_lines(told):
        print(line)
