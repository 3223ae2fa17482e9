"""One job: train a copy of a base model on an arm's data, and ask both panels.

    DIR/base/SEED/                         the base model, with its ledger
    DIR/jobs/ARM-SIZE-SEED/training/       the training's own directory
    DIR/jobs/ARM-SIZE-SEED/result.json     written last: with it the job is done, and never done again

The arm `base` is not trained: what the panels say before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from webscale_rl.experiment.base import make_base
from webscale_rl.experiment.material import Place, make_material, make_world
from webscale_rl.experiment.recipe import METHODS, Arm, Recipe
from webscale_rl.files import replace_folder, write_text
from webscale_rl.ledger import LEDGER_FILE, Ledger, write_ledger

RESULT_FILE = "result.json"
BASE = "base"
PANELS = ("skill", "facts")


class Answers(msgspec.Struct, frozen=True):
    """What a panel found: the share of right answers, and of questions that one of the samples answers; questions; and
    answers of which the rules could not tell, which count as wrong."""

    score: float
    any_right: float
    questions: int
    undecided: int


class Result(msgspec.Struct, frozen=True):
    """A job that is done. `ledger` has the corpus as its source, and all that its data took; the panels' answers are no
    part of it."""

    arm: str
    size: int
    seed: int
    panels: dict[str, Answers]
    ledger: Ledger
    cpu_s: float


class Task(NamedTuple):
    """Something that one process does: `kind` is "base", "material" or "job". `tried` are settings laid over those of
    the arm, when they are looked for."""

    kind: str
    arm: str
    size: int
    seed: int
    tried: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        """For people, and the name of a job's folder."""
        if self.kind == BASE:
            return f"base model of seed {self.seed}"
        if self.kind == "material":
            return f"data of {self.size} documents, seed {self.seed}"
        tried = "".join(f"-{name}={value}" for name, value in self.tried)
        return f"{self.arm}-{self.size}-{self.seed}{tried}"


class Laboratory(NamedTuple):
    """Where an experiment is made, and of what. Goes to the worker processes."""

    recipe: Recipe
    out: Path
    device: str

    def base(self, seed: int) -> Path:
        """The folder of a seed's base model."""
        return self.out / BASE / str(seed)

    def place(self, size: int, seed: int) -> Place:
        """The data of a size and a seed."""
        return Place(self.out / "data" / f"{seed}-{size}")

    def folder(self, task: Task) -> Path:
        """The folder of a job."""
        return self.out / "jobs" / task.label

    def preparations(self) -> list[Task]:
        """What must be there before jobs can be done: the long ones first."""
        seeds = range(self.recipe.seeds)
        bases = [Task(BASE, BASE, 0, seed) for seed in seeds]
        return bases + [Task("material", "", size, seed) for seed in seeds for size in self.recipe.sizes]

    def jobs(self) -> list[Task]:
        """Every job of the experiment, a seed after the other."""
        return [
            Task("job", arm, size, seed)
            for seed in range(self.recipe.seeds)
            for size in self.recipe.sizes
            for arm in (BASE, *self.recipe.arms)
        ]

    def done(self, task: Task) -> bool:
        """Whether nothing is left to do."""
        if task.kind == BASE:
            return (self.base(task.seed) / LEDGER_FILE).exists()
        if task.kind == "material":
            return (self.place(task.size, task.seed).folder / "material.json").exists()
        return (self.folder(task) / RESULT_FILE).exists()

    def results(self) -> Iterator[Result]:
        """The results of all jobs that are done, in the order of `jobs`."""
        for task in self.jobs():
            path = self.folder(task) / RESULT_FILE
            if path.exists():
                yield msgspec.json.decode(path.read_bytes(), type=Result)


def perform(laboratory: Laboratory, task: Task) -> None:
    """Do a task to its end, or go on with it. Raises UserError, and RunStopped after a signal."""
    if laboratory.done(task):
        return
    recipe, seed = laboratory.recipe, task.seed
    if task.kind == BASE:
        _base(laboratory, seed)
    elif task.kind == "material":
        make_material(recipe, seed, task.size, laboratory.place(task.size, seed).folder)
    else:
        _job(laboratory, task)


def _base(laboratory: Laboratory, seed: int) -> None:
    recipe, folder = laboratory.recipe, laboratory.base(seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replace_folder(folder) as half:
        ledger = make_base(make_world(recipe, seed, 0), recipe.base, half, _device(laboratory.device))
        write_ledger(half, ledger)


def _job(laboratory: Laboratory, task: Task) -> None:
    began = time.process_time()
    folder, place = laboratory.folder(task), laboratory.place(task.size, task.seed)
    folder.mkdir(parents=True, exist_ok=True)
    if task.arm == BASE:
        model, ledger = laboratory.base(task.seed), Ledger()
    else:
        model, ledger = _trained(laboratory, task)
    panels = _asked(laboratory, model, place, task.seed)
    ledger = msgspec.structs.replace(ledger, source=place.material.source)
    result = Result(task.arm, task.size, task.seed, panels, ledger, round(time.process_time() - began, 2))
    write_ledger(folder, ledger)
    write_text(folder / RESULT_FILE, msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n")


def _trained(laboratory: Laboratory, task: Task) -> tuple[Path, Ledger]:
    """The trained model, and what it cost with the whole of its data: also of pairs that a few steps did not reach."""
    from webscale_rl.training import load_recipe, train

    arm: Arm = task.arm  # type: ignore[assignment]  # a job's arm is the recipe's, or BASE
    place = laboratory.place(task.size, task.seed)
    settings = {
        "plots": False,
        "log_steps": 10,
        "seed": task.seed,
        **laboratory.recipe.settings(arm),
        **dict(task.tried),
    }
    recipe = load_recipe("tiny", METHODS[arm], **settings)
    trained = train(
        recipe,
        laboratory.base(task.seed),
        place.data(arm),
        laboratory.folder(task) / "training",
        device=laboratory.device,
    )
    own, made = trained.ledger, place.made(arm)
    return trained.model, msgspec.structs.replace(own, generated=made.generated, judged=made.judged)


def _asked(laboratory: Laboratory, model: Path, place: Place, seed: int) -> dict[str, Answers]:
    from webscale_rl.evaluation.local import grade, read_questions
    from webscale_rl.evaluation.sampling import Sampler, load

    options = laboratory.recipe.panels
    loaded, tokenizer = load(model, laboratory.device)
    sampler = Sampler(samples=options.samples, temperature=1.0, max_tokens=options.max_tokens, seed=seed)
    found = {}
    for panel in PANELS:
        graded = grade(loaded, tokenizer, read_questions(place.folder / f"{panel}.jsonl"), sampler)
        one_of_them = graded.pass_at(options.samples)
        assert one_of_them is not None  # a suite without questions cannot be read
        found[panel] = Answers(graded.score, one_of_them.value, len(graded.questions), graded.undecided)
    return found


def _device(device: str) -> str:
    from webscale_rl.evaluation.sampling import device_of

    return device_of(device)
