"""Recipes of experiments: what they hold, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from webscale_rl.errors import ConfigError
from webscale_rl.experiment.recipe import ARMS, load, packaged
from webscale_rl.experiment.tuning import trials


@pytest.mark.parametrize("name", packaged())
def test_every_packaged_recipe_can_be_used(name: str) -> None:
    assert load(name).name == name


def test_the_tiny_recipe_compares_all_arms_at_four_sizes_and_three_seeds() -> None:
    recipe = load("tiny")
    assert (tuple(recipe.arms), len(recipe.sizes), recipe.seeds) == (ARMS, 4, 3)


def test_the_tuning_world_is_none_of_the_experiments() -> None:
    for name in packaged():
        assert load(name).tuning_seed >= load(name).seeds


def test_each_tuned_arm_has_as_many_trials_as_any_other_and_its_settings_are_among_them() -> None:
    recipe = load("tiny")
    tried = list(trials(recipe))
    tuned = [arm for arm in recipe.arms if recipe.arms[arm].grid]
    assert {sum(task.arm == arm for task in tried) for arm in tuned} == {6}
    for arm in tuned:
        assert recipe.arms[arm].training in [dict(task.tried) for task in tried if task.arm == arm]


def test_the_refined_arms_are_trained_as_the_documents_are() -> None:
    recipe = load("tiny")
    assert all(recipe.settings(arm) == recipe.settings("continue") for arm in ("qurating", "prox", "gdr"))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"seed": 3}, "seeds"),
        ({"sizes": [48, 16]}, "ascending"),
        ({"arms": {"grpo": {"training": {"learning_rat": 1}}}}, "learning_rate"),
        ({"arms": {"grp": {}}}, "grp"),
        ({"arms": {"grpo": {"training": {"judge": {"model": "m"}}}}}, "judge"),
    ],
)
def test_a_faulty_recipe_is_refused_by_the_name_of_its_key(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"name": "own", "sizes": [16], "arms": {"continue": {}}} | changes))
    with pytest.raises(ConfigError, match=word):
        load(str(path))


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="tiny"):
        load("tinny")
