"""`experiment`: does reinforcement on pairs teach more from few documents than reading many?"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from webscale_rl.cli.options import Json
from webscale_rl.errors import UserError


def experiment_command(
    name: Annotated[str, typer.Argument(help="efficiency, or tune: try the settings of the recipe's grids")],
    out: Annotated[Path, typer.Option("--out", help="the directory of the experiment")],
    recipe: Annotated[str, typer.Option("--recipe", help="tiny, smoke, large, or your own .yaml file")] = "tiny",
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="default: as the recipe says")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda")] = "cpu",
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="trainings side by side; default: one for each core")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare ways to learn from the same documents: eight ways, four sizes, several seeds, from scratch on a CPU."""
    from webscale_rl.experiment.efficiency import efficiency
    from webscale_rl.experiment.recipe import load
    from webscale_rl.experiment.tuning import tune

    if name not in ("efficiency", "tune"):
        raise UserError(f"{name}: no such experiment; there are efficiency and tune")
    chosen = load(recipe)
    tell = _Clock()
    if name == "tune":
        found = tune(chosen, out, device=device, processes=jobs, tell=tell)
        print(json.dumps(found) if as_json else (out / "tuning.md").read_text(encoding="utf-8"))
        return
    chosen = chosen if seeds is None else chosen.model_copy(update={"seeds": seeds})
    done = efficiency(chosen, out, device=device, processes=jobs, tell=tell)
    if as_json:
        print(json.dumps(done.told))
        return
    print(done.table)
    for line in done.findings:
        print(line)
    print(f"figure: {out / 'figure.png'}")


class _Clock:
    """Lines on stderr, with the minutes since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"{(time.monotonic() - self._began) / 60:5.1f} min  {line}", file=sys.stderr, flush=True)
