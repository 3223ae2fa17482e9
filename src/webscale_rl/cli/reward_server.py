"""`reward-server`: the reward over HTTP, for trainers that ask for it there."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from webscale_rl.cli.options import BaseUrls


def reward_server(
    host: Annotated[str, typer.Option("--host", help="address to serve at")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="port to serve at; 0: any free one")] = 8080,
    workers: Annotated[int, typer.Option("--workers", min=1, help="processes that score")] = 2,
    judge_model: Annotated[
        str | None, typer.Option("--judge-model", help="the model that is asked where the rules cannot tell")
    ] = None,
    base_url: BaseUrls = None,
) -> None:
    """Serve the reward over HTTP, for OpenRLHF, NeMo Gym and others."""
    from webscale_rl.backend import BackendError
    from webscale_rl.errors import UserError

    if base_url and judge_model is None:
        raise UserError("--base-url is the judge's server: name its model with --judge-model")
    try:
        from webscale_rl.reward.server import serve
    except ImportError as error:
        raise UserError(f"install what serves it: pip install 'webscale-rl[server]' ({error})") from error
    judge = None
    if judge_model is not None:
        from webscale_rl.reward.judge import Judge

        judge = Judge.openai(judge_model, base_url)
    try:
        asyncio.run(serve(host, port, workers, judge, _ready))
    except BackendError as error:
        raise UserError(f"judge: {error}") from error
    print("stopped", file=sys.stderr)


def _ready(url: str) -> None:
    print(url, flush=True)
