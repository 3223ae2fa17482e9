from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from webscale_rl.errors import TrainingError
from webscale_rl.training.books import Books, read_metrics
from webscale_rl.training.grading import Grader
from webscale_rl.training.recipe import GrpoRecipe, JudgeOptions
from webscale_rl.training.watch import WatchedReward


class Watched:
    """A watched reward and what it told."""

    def __init__(self, folder: Path, **values: Any) -> None:
        self.books = Books(folder, None)
        recipe = GrpoRecipe(batch=2, samples=2, **values)
        self.reward = WatchedReward(recipe, self.books, Grader(JudgeOptions(), folder))

    def step(self, completions: list[str], truth: Any = "4") -> list[float | None]:
        return self.reward(
            prompts=["2 + 2?"] * len(completions),
            completions=completions,
            completion_ids=[[1] * len(text) for text in completions],
            ground_truth=[truth] * len(completions),
            question=["2 + 2?"] * len(completions),
        )

    @property
    def notes(self) -> list[str]:
        return [line["note"] for line in read_metrics(self.books.metrics)]


def test_a_reward_is_1_or_0_and_the_sampled_tokens_are_counted(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert watched.step(["4", "5", "It is 4", "6"]) == [1.0, 0.0, 1.0, 0.0]
    assert watched.books.counts.rollout == 1 + 1 + 7 + 1


def test_rewards_that_are_none_for_all_rows_stop_the_training_with_their_reasons(tmp_path: Path) -> None:
    watched = Watched(tmp_path, undecided_steps=2)
    watched.step(["4"] * 4, truth=" ")
    with pytest.raises(TrainingError, match=r"2 steps in a row.*reference/empty \(8\).*judge.model=M"):
        watched.step(["4"] * 4, truth=" ")


def test_a_single_verdict_is_enough_to_go_on(tmp_path: Path) -> None:
    watched = Watched(tmp_path, undecided_steps=2)
    for _ in range(3):
        watched.step(["4"] * 4, truth=" ")
        watched.step(["4"] * 4)


def test_a_column_without_a_ground_truth_is_an_error(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    with pytest.raises(ValueError, match="no ground truth: the dataset needs a column"):
        watched.reward(prompts=["a"], completions=["b"], completion_ids=[[1]], label=["c"])


def test_steps_without_an_advantage_are_told_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path, flat_steps=3)
    for _ in range(5):
        watched.step(["4", "4", "5", "5"])  # the groups differ, and within each there is nothing to prefer
    assert len(watched.notes) == 1
    assert "no signal: for 3 steps" in watched.notes[0]
    assert "mean 0.50" in watched.notes[0]


def test_a_step_with_an_advantage_begins_the_count_anew(tmp_path: Path) -> None:
    watched = Watched(tmp_path, flat_steps=2)
    for _ in range(3):
        watched.step(["4", "4", "4", "4"])
        watched.step(["4", "5", "4", "4"])
    assert watched.notes == []
