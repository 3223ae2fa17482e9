"""From results to means, findings, the table, and what is left to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from webscale_rl.errors import ChangedError, ConfigError, TrainingError
from webscale_rl.experiment import efficiency
from webscale_rl.experiment.efficiency import claim, require
from webscale_rl.experiment.jobs import BASE, Answers, Laboratory, Result
from webscale_rl.experiment.recipe import load
from webscale_rl.experiment.statistics import points, reaches
from webscale_rl.experiment.table import HEAD, findings, table
from webscale_rl.ledger import Ledger


def result(arm: str, size: int, seed: int, skill: float, facts: float = 0.0) -> Result:
    panels = {"skill": Answers(skill, skill, 10, 0), "facts": Answers(facts, facts, 10, 0)}
    return Result(arm, size, seed, panels, Ledger(source=size * 100, trained=size * 10 + seed), 1.5)


def seeds(arm: str, size: int, *skills: float) -> list[Result]:
    return [result(arm, size, seed, skill) for seed, skill in enumerate(skills)]


def test_a_point_is_the_mean_over_seeds_with_its_standard_error() -> None:
    (point,) = points(seeds("grpo", 16, 0.2, 0.4, 0.6))
    assert point.panels["skill"].value == pytest.approx(0.4)
    assert point.panels["skill"].stderr == pytest.approx(0.2 / 3**0.5)
    assert (point.seeds, point.tokens["source"], point.tokens["every"]) == (3, 1600, 161)


def test_one_seed_has_no_error() -> None:
    (point,) = points(seeds("grpo", 16, 0.2))
    assert point.panels["skill"].stderr is None


def test_an_arm_passes_continual_pretraining_with_the_smallest_corpus_that_is_clearly_above_its_best() -> None:
    found = points(
        seeds("continue", 16, 0.10, 0.12, 0.11)
        + seeds("continue", 48, 0.20, 0.22, 0.21)
        + seeds("grpo", 16, 0.10, 0.22, 0.40)  # higher in the mean, but within its error
        + seeds("grpo", 48, 0.50, 0.52, 0.54)
        + seeds("sft", 16, 0.21, 0.22, 0.20)
        + seeds("reject", 16, 0.25, 0.26, 0.27)  # above in every seed
    )
    told = reaches(found)["skill"]
    assert (told["score"], told["size"]) == (pytest.approx(0.21), 48)
    assert told["passed_by"] == {"grpo": 48, "sft": None, "reject": 16}


def test_findings_say_so_when_nothing_is_better() -> None:
    found = points(seeds("base", 16, 0.1) + seeds("continue", 16, 0.3) + seeds("grpo", 16, 0.2))
    assert "skill: the base model has 10.0 %; continual pretraining comes to 30.0 % at best, with 16 documents." in (
        findings(found)
    )
    assert any("nothing" in line for line in findings(found))


def test_the_table_has_a_row_for_each_point_and_a_cell_for_each_column() -> None:
    found = points(seeds("grpo", 48, 0.5, 0.7) + seeds("grpo", 16, 0.1, 0.2) + seeds("base", 16, 0.1, 0.1))
    rows = [line.strip("| \n").split(" | ") for line in table(found).splitlines()]
    assert {len(row) for row in rows} == {len(HEAD)}
    assert [(row[0], row[1]) for row in rows[2:]] == [("base model, untrained", "16"), ("GRPO", "16"), ("GRPO", "48")]
    assert "60.0 ± 10.0" in rows[-1]


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(load("smoke"), tmp_path, "cpu")


def test_every_arm_and_the_base_model_is_a_job_of_every_size_and_seed(laboratory: Laboratory) -> None:
    jobs = laboratory.jobs()
    recipe = laboratory.recipe
    assert len(set(jobs)) == len(jobs) == (len(recipe.arms) + 1) * len(recipe.sizes) * recipe.seeds
    assert len({task.label for task in jobs}) == len(jobs)
    assert {task.arm for task in jobs} == {BASE, *recipe.arms}


def test_a_job_is_done_when_its_result_is_there_and_only_then(laboratory: Laboratory) -> None:
    task = laboratory.jobs()[1]
    (laboratory.folder(task) / "training").mkdir(parents=True)
    assert not laboratory.done(task)
    found = result(task.arm, task.size, task.seed, 0.5)
    (laboratory.folder(task) / "result.json").write_bytes(msgspec.json.encode(found))
    assert laboratory.done(task)
    assert list(laboratory.results()) == [found]


def test_a_directory_belongs_to_one_experiment(laboratory: Laboratory) -> None:
    claim(laboratory)
    claim(laboratory)
    other = laboratory.recipe.model_copy(update={"seeds": 2})
    with pytest.raises(ChangedError, match=r"recipe\.seeds"):
        claim(laboratory._replace(recipe=other))


def test_a_directory_of_something_else_is_left_alone(laboratory: Laboratory) -> None:
    (laboratory.out / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        claim(laboratory)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficiency, "NEEDED", ("no_such_package",))
    with pytest.raises(TrainingError, match=r"webscale-rl\[train\].*no_such_package"):
        require("cpu")


def test_a_device_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficiency, "NEEDED", ())
    with pytest.raises(TrainingError, match="cpu or cuda"):
        require("tpu")


def test_arms_are_compared_seed_by_seed() -> None:
    found = points(seeds("continue", 16, 0.1, 0.3, 0.5) + seeds("grpo", 16, 0.2, 0.41, 0.6))  # the seeds differ more
    assert reaches(found)["skill"]["passed_by"] == {"grpo": 16}
