"""All of an experiment, in a directory that goes on where it stopped: nothing that is done is done again.

DIR/experiment.yaml    the recipe as resolved, the device and the version
DIR/base/ data/ jobs/  base models, what is learned, and what came of it (jobs.py, material.py)
DIR/results.json       every result, the points over seeds, and what they say
DIR/table.md  figure.png  figure.svg
DIR/ledger.json        what all of it took
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from webscale_rl import __version__
from webscale_rl.config import read_yaml
from webscale_rl.errors import ChangedError, ConfigError, TrainingError
from webscale_rl.experiment.figure import draw
from webscale_rl.experiment.jobs import Laboratory, Result
from webscale_rl.experiment.material import REFINED
from webscale_rl.experiment.recipe import Recipe
from webscale_rl.experiment.statistics import Point, points, reaches
from webscale_rl.experiment.table import findings, page, table
from webscale_rl.experiment.workers import shared
from webscale_rl.files import owned, write_text
from webscale_rl.ledger import Ledger, read_ledger, together, write_ledger

EXPERIMENT_FILE = "experiment.yaml"
RESULTS_FILE = "results.json"
NEEDED = ("torch", "transformers", "trl", "datasets", "matplotlib")


class Experiment(NamedTuple):
    """A finished experiment."""

    folder: Path
    results: list[Result]
    points: list[Point]

    @property
    def told(self) -> dict[str, Any]:
        """results.json."""
        found: dict[str, Any] = msgspec.json.decode((self.folder / RESULTS_FILE).read_bytes())
        return found

    @property
    def table(self) -> str:
        """As Markdown."""
        return table(self.points)

    @property
    def findings(self) -> list[str]:
        """What the table says, in a few lines."""
        return findings(self.points)


def efficiency(
    recipe: Recipe,
    out: str | Path,
    *,
    device: str = "cpu",
    processes: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Experiment:
    """Make the experiment in `out`, or go on with it. `processes` work side by side, by default one for each core.

    Raises ConfigError, ChangedError if `out` holds another experiment, TrainingError, and RunStopped after a signal.
    """
    require(device)
    laboratory = Laboratory(recipe, Path(out), device)
    laboratory.out.mkdir(parents=True, exist_ok=True)
    with owned(laboratory.out):
        claim(laboratory)
        count = processes or os.cpu_count() or 1
        shared(laboratory, laboratory.preparations(), count, tell)
        shared(laboratory, laboratory.jobs(), count, tell)
        return conclude(laboratory)


def conclude(laboratory: Laboratory) -> Experiment:
    """Write what comes of the results."""
    out, results = laboratory.out, list(laboratory.results())
    found = points(results)
    about: dict[str, Any] = {"webscale_rl": __version__, "recipe": laboratory.recipe.name, "device": laboratory.device}
    about |= {"seeds": laboratory.recipe.seeds}
    bases = [read_ledger(laboratory.base(seed)) for seed in range(laboratory.recipe.seeds)]
    told = {
        **about,
        "base_models": [{"seed": seed, "ledger": ledger.plain()} for seed, ledger in enumerate(bases)],
        "results": [msgspec.to_builtins(one) for one in results],
        "points": [msgspec.to_builtins(point) for point in found],
        "reaches": reaches(found),
        "findings": findings(found),
    }
    write_text(out / RESULTS_FILE, msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
    write_text(out / "table.md", page(laboratory.recipe.name, found, about))
    write_ledger(out, together([*bases, *_made(laboratory), *(_own(one.ledger) for one in results)]))
    draw(out, found)
    return Experiment(out, results, found)


def _made(laboratory: Laboratory) -> Iterator[Ledger]:
    """What it took to make the data, each once, however many arms learned from it."""
    for seed in range(laboratory.recipe.seeds):
        for size in laboratory.recipe.sizes:
            place = laboratory.place(size, seed)
            yield place.made("rationales").plus(Ledger(source=place.material.source))
            for arm in REFINED:
                if arm in laboratory.recipe.arms:
                    yield msgspec.structs.replace(place.made(arm), source=0)


def _own(ledger: Ledger) -> Ledger:
    return msgspec.structs.replace(ledger, source=0, generated=0, judged=0)


def claim(laboratory: Laboratory) -> None:
    """Make the directory this experiment's. Raises ChangedError if it holds another, ConfigError if anything else."""
    path = laboratory.out / EXPERIMENT_FILE
    told: dict[str, Any] = {
        "webscale_rl": __version__,
        "device": laboratory.device,
        "recipe": laboratory.recipe.model_dump(mode="json"),
    }
    if not path.exists():
        if any(entry.name not in (".lock", f".{EXPERIMENT_FILE}.tmp") for entry in laboratory.out.iterdir()):
            raise ConfigError(f"{laboratory.out}: is not empty and holds no experiment; choose another --out")
        write_text(path, yaml.safe_dump(told, sort_keys=False, width=120))
        return
    before = read_yaml(path)
    keys = [f"recipe.{key}" for key, value in told["recipe"].items() if before.get("recipe", {}).get(key) != value]
    keys += ["device"] if before.get("device") != laboratory.device else []
    if keys:
        raise ChangedError(
            f"{laboratory.out} holds another experiment: {', '.join(keys)} differ; choose another --out, or remove it"
        )


def require(device: str) -> None:
    """Raises TrainingError if a package is missing, or the device is none or not there."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise TrainingError(f"the experiment needs pip install 'webscale-rl[train]' ({', '.join(missing)} missing)")
    if device not in ("cpu", "cuda"):
        raise TrainingError(f"device: cpu or cuda (it is {device!r})")
    if device == "cuda":
        from webscale_rl.evaluation.sampling import device_of

        device_of(device)
