"""What an arm learns from: the documents of a seed and a size, made into pairs, refined documents and rationales by the
package's own `run`, `refine` and `rationales`.

    DIR/data/SEED-SIZE/documents.jsonl    the corpus
    DIR/data/SEED-SIZE/run/               its pairs
    DIR/data/SEED-SIZE/answered/          the same run with rationales for all pairs. A copy, for questions with
                                          rationales are held out of a run's reinforcement learning
    DIR/data/SEED-SIZE/qurating/ ...      refined
    DIR/data/SEED-SIZE/read/ARM.jsonl     what an arm of continual pretraining reads: its documents, and as much again
                                          of texts such as the base model has read, lest it forget how to answer
    DIR/data/SEED-SIZE/skill.jsonl facts.jsonl    the panels' questions
    DIR/data/SEED-SIZE/material.json      written last: how much there is
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import orjson

from webscale_rl import api
from webscale_rl.config import Run, merge
from webscale_rl.dataset import arrow
from webscale_rl.experiment import corpus
from webscale_rl.experiment.answering import USE
from webscale_rl.experiment.recipe import METHODS, Arm, Recipe
from webscale_rl.files import write_text
from webscale_rl.ledger import Ledger, of_summary, read_ledger

MATERIAL_FILE = "material.json"
REFINED = ("qurating", "prox", "gdr")
_FREE = {"price": {"input": 0, "output": 0}, "backend": {"use": USE}, "events": False}


class Material(msgspec.Struct, frozen=True):
    """How much a seed and a size have: documents, their tokens (characters), pairs, and questions of the panels."""

    documents: int
    source: int
    pairs: int
    skill: int
    facts: int


class Place(NamedTuple):
    """The data of one seed and size."""

    folder: Path

    @property
    def run(self) -> Path:
        """The run directory with the pairs."""
        return self.folder / "run"

    @property
    def material(self) -> Material:
        """How much there is."""
        return msgspec.json.decode((self.folder / MATERIAL_FILE).read_bytes(), type=Material)

    def data(self, arm: Arm) -> Path:
        """What the arm is trained on."""
        if METHODS[arm] == "continue":
            return self.folder / "read" / f"{arm}.jsonl"
        return self.folder / "answered" / "rationales" / "dataset" if arm == "rationales" else self.run

    def made(self, arm: Arm) -> Ledger:
        """What was generated and judged for the arm's data."""
        if METHODS[arm] == "continue":
            return read_ledger(self.folder / arm) if arm in REFINED else Ledger()
        pairs = of_summary(orjson.loads((self.run / "summary.json").read_bytes()))
        return pairs.plus(read_ledger(self.folder / "answered" / "rationales")) if arm == "rationales" else pairs


def make_world(recipe: Recipe, seed: int, largest: int) -> corpus.World:
    """The world of a seed, with documents for the largest corpus."""
    return corpus.make_world(seed, largest, recipe.base.towns, recipe.panels.skill)


def make_material(recipe: Recipe, seed: int, size: int, folder: Path) -> Place:
    """The data of a seed and a size; what is there already is not made again."""
    place = Place(folder)
    if (folder / MATERIAL_FILE).exists():
        return place
    folder.mkdir(parents=True, exist_ok=True)
    world = make_world(recipe, seed, max(*recipe.sizes, recipe.tuning_size))
    documents = corpus.documents(world, size)
    skill = corpus.skill_questions(world, recipe.panels.skill)
    facts = corpus.fact_questions(world, size, recipe.panels.facts)
    path = folder / "documents.jsonl"
    _write_rows(path, ({"id": one.id, "text": one.text, "source": one.source} for one in documents))
    _write_rows(folder / "skill.jsonl", skill)
    _write_rows(folder / "facts.jsonl", facts)
    pairs = _pairs(recipe, path, place.run)
    _rationales(place)
    for method in REFINED:
        if method in recipe.arms:
            api.refine(path, folder / method, method=method, settings=merge(_FREE, recipe.refining))
            _to_read(place, method, list(_refined(folder / method / "refined")), world, recipe.replay)
    _to_read(place, "continue", [one.text for one in documents], world, recipe.replay)
    told = Material(size, sum(len(one.text) for one in documents), pairs, len(skill), len(facts))
    write_text(folder / MATERIAL_FILE, msgspec.json.encode(told).decode())
    return place


def _pairs(recipe: Recipe, documents: Path, out: Path) -> int:
    values = {"inputs": [str(documents)], "out": str(out)}
    result = api.run(Run.make(merge(merge(_FREE, recipe.pipeline), values), "experiment"))
    return sum(1 for _ in result.examples())


def _rationales(place: Place) -> None:
    """Chains of thought for all pairs, in a copy of the run."""
    copy = place.folder / "answered"
    if not copy.exists():
        half = place.folder / ".answered"
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(place.run, half)
        half.rename(copy)
    api.rationales(copy, share=1.0)


def _refined(folder: Path) -> Iterator[str]:
    """The texts that a refining left."""
    for path in sorted(folder.glob("part-*.parquet")):
        yield from arrow.read(path, ["text"]).column("text").to_pylist()


def _to_read(place: Place, arm: str, texts: list[str], world: corpus.World, replay: float) -> None:
    """Write the documents with so many times their characters of replayed text."""
    draw = random.Random(f"replay {world.seed} {arm}")
    left = replay * sum(map(len, texts))
    rows = [{"text": text} for text in texts]
    while left > 0:
        rows.append({"text": corpus.base_text(world, draw)})
        left -= len(rows[-1]["text"])
    (place.folder / "read").mkdir(exist_ok=True)
    _write_rows(place.folder / "read" / f"{arm}.jsonl", rows)


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(orjson.dumps(row).decode() + "\n" for row in rows))
