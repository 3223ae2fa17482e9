"""Settings of the arms, found on a world that is none of the experiment's: every arm gets the same care.

Each arm has a small grid in the recipe. All its combinations are trained on `tuning_size` documents of the world
`tuning_seed`, and are scored by the mean of both panels. The recipe's author writes the best ones down by hand.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from webscale_rl.errors import ConfigError
from webscale_rl.experiment.efficiency import claim, require
from webscale_rl.experiment.jobs import PANELS, RESULT_FILE, Laboratory, Result, Task
from webscale_rl.experiment.recipe import Recipe
from webscale_rl.experiment.workers import shared
from webscale_rl.files import owned, write_text

TUNING_FILE = "tuning.json"


def tune(
    recipe: Recipe,
    out: str | Path,
    *,
    device: str = "cpu",
    processes: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[dict[str, Any]]:
    """Try all combinations of all grids; gives and writes a row for each, the best of an arm first. Goes on where it
    stopped. Raises what `efficiency` raises."""
    require(device)
    laboratory = Laboratory(recipe, Path(out), device)
    tried = list(trials(recipe))
    if not tried:
        raise ConfigError("arms: no arm has a grid to try")
    laboratory.out.mkdir(parents=True, exist_ok=True)
    with owned(laboratory.out):
        claim(laboratory)
        count = processes or os.cpu_count() or 1
        seed, size = recipe.tuning_seed, recipe.tuning_size
        shared(laboratory, [Task("base", "base", 0, seed), Task("material", "", size, seed)], count, tell)
        shared(laboratory, tried, count, tell)
        rows = [_row(trial, _result(laboratory, trial)) for trial in tried]
    order = list(recipe.arms)
    rows.sort(key=lambda row: (order.index(row["arm"]), -row["score"]))
    write_text(laboratory.out / TUNING_FILE, msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
    write_text(laboratory.out / "tuning.md", _table(rows))
    return rows


def trials(recipe: Recipe) -> Iterator[Task]:
    """Every combination of every grid."""
    for arm, options in recipe.arms.items():
        names = list(options.grid)
        for values in itertools.product(*options.grid.values()) if names else ():
            settings = tuple(zip(names, values, strict=True))
            yield Task("job", arm, recipe.tuning_size, recipe.tuning_seed, settings)


def _result(laboratory: Laboratory, trial: Task) -> Result:
    path = laboratory.folder(trial) / RESULT_FILE
    return msgspec.json.decode(path.read_bytes(), type=Result)


def _row(trial: Task, result: Result) -> dict[str, Any]:
    scores = {panel: result.panels[panel].score for panel in PANELS}
    return {"arm": trial.arm, **scores, "score": sum(scores.values()) / len(scores), "settings": dict(trial.tried)}


def _table(rows: list[dict[str, Any]]) -> str:
    lines = ["| arm | settings | skill, % | facts, % |", "| --- | --- | --: | --: |"]
    for row in rows:
        settings = ", ".join(f"{name} {value}" for name, value in row["settings"].items())
        lines.append(f"| {row['arm']} | {settings} | {100 * row['skill']:.1f} | {100 * row['facts']:.1f} |")
    return "\n".join(lines) + "\n"
