"""The recipe of an experiment: sizes of the corpus, seeds, the base model, and how each arm is trained.

A YAML file, a packaged one (`tiny`, `smoke`, `large`) or a user's; unknown keys are refused with the nearest known one.
What an arm says of its training are keys of a training recipe (docs/train.md), laid over `training.NAME`.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from webscale_rl.config import explain, read_yaml
from webscale_rl.errors import ConfigError
from webscale_rl.training import load_recipe

Arm = Literal["continue", "qurating", "prox", "gdr", "sft", "rationales", "reject", "grpo"]
ARMS: tuple[Arm, ...] = get_args(Arm)
"""In the order of the table: continual pretraining on the documents, and on refined ones; SFT on the pairs, and on
rationales; rejection fine-tuning; GRPO."""
METHODS: dict[Arm, str] = {
    "continue": "continue",
    "qurating": "continue",
    "prox": "continue",
    "gdr": "continue",
    "sft": "sft",
    "rationales": "sft",
    "reject": "reject",
    "grpo": "grpo",
}
"""The training method of each arm."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseOptions(_Section):
    """The model that all arms start from."""

    width: int = Field(64, ge=8, description="of the hidden state")
    layers: int = Field(2, ge=1, description="of the transformer")
    heads: int = Field(4, ge=1, description="of attention; must divide the width")
    steps: int = Field(2000, ge=1, description="optimiser steps from scratch")
    batch: int = Field(32, ge=1, description="texts of one step")
    learning_rate: float = Field(3e-3, gt=0, description="of AdamW, at its peak")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    towns: int = Field(24, ge=1, description="towns that its text speaks of; the corpus speaks of others")


class PanelOptions(_Section):
    """What the trained models are asked."""

    skill: int = Field(64, ge=2, le=400, description="sums that no document tells")
    facts: int = Field(96, ge=2, description="most facts of the arm's documents")
    samples: int = Field(4, ge=1, description="answers to each question, at temperature 1")
    max_tokens: int = Field(64, ge=4, description="most tokens of an answer")


class ArmOptions(_Section):
    """How an arm is trained, and what was tried to find it out."""

    training: dict[str, Any] = Field(default_factory=dict, description="keys of a training recipe")
    grid: dict[str, list[Any]] = Field(default_factory=dict, description="values that `experiment tune` tries")


class Recipe(_Section):
    """One experiment, but for the seeds' number and the machine."""

    name: str = Field(min_length=1, description="what the figure calls it")
    sizes: tuple[int, ...] = Field(min_length=1, description="documents of each corpus, ascending")
    seeds: int = Field(3, ge=1, description="experiments, each with a world, a base model and an order of its own")
    base: BaseOptions = Field(default_factory=BaseOptions, description="the model that all arms start from")
    panels: PanelOptions = Field(default_factory=PanelOptions, description="what the models are asked")
    pipeline: dict[str, Any] = Field(default_factory=dict, description="keys of a Run, for the pairs")
    refining: dict[str, Any] = Field(default_factory=dict, description="keys of a Run, for the refined documents")
    replay: float = Field(
        1.0,
        ge=0,
        description="texts of the base model's kind in continual pretraining, for each character of documents",
    )
    training: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="keys of a training recipe, by its method, for all arms of that method"
    )
    arms: dict[Arm, ArmOptions] = Field(description="what is compared")
    tuning_seed: int = Field(1000, ge=0, description="the world that settings are tuned on; none of the experiment's")
    tuning_size: int = Field(64, ge=8, description="documents that settings are tuned on")

    @field_validator("sizes")
    @classmethod
    def _ascending(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if list(sizes) != sorted(set(sizes)) or sizes[0] < 8:
            raise ValueError("ascending numbers of documents, each at least 8")
        return sizes

    def settings(self, arm: Arm) -> dict[str, Any]:
        """The keys of an arm's training recipe."""
        return {**self.training.get(METHODS[arm], {}), **self.arms[arm].training}


def load(name_or_path: str) -> Recipe:
    """A packaged recipe, or a YAML file. Raises ConfigError that names the key and what to do."""
    if name_or_path in packaged():
        with resources.as_file(resources.files("webscale_rl.experiment") / "recipes" / f"{name_or_path}.yaml") as path:
            return _made(read_yaml(path), name_or_path)
    if not Path(name_or_path).is_file():
        known = ", ".join(packaged())
        raise ConfigError(f"{name_or_path}: no such recipe; packaged: {known}; or name a .yaml file")
    return _made(read_yaml(name_or_path), name_or_path)


def packaged() -> list[str]:
    """The names of the packaged recipes."""
    folder = resources.files("webscale_rl.experiment") / "recipes"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def _made(values: dict[str, Any], origin: str) -> Recipe:
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        raise ConfigError(explain(error, Recipe, origin)) from None
    for arm in recipe.arms:  # what is wrong with a setting is told before an hour was spent on the others
        judge = getattr(load_recipe("tiny", METHODS[arm], **recipe.settings(arm)), "judge", None)
        if getattr(judge, "model", None) is not None:
            raise ConfigError(f"{origin}: arms.{arm}: judge: the experiment's rewards are by rule; leave it out")
    return recipe
