from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from tests.training.fakes import Characters
from webscale_rl.reward import trl, verl
from webscale_rl.reward.rollout import decide
from webscale_rl.training.data import Question, Text, Turn
from webscale_rl.training.encode import Encoded
from webscale_rl.training.prompting import messages
from webscale_rl.training.recipe import METHODS, GrpoRecipe, load_recipe
from webscale_rl.training.stock import hydra, rows_for_trl, rows_for_verl, verl_overrides, write_stock

QUESTIONS = [
    Question("2 + 2?", messages("2 + 2?", "Be brief."), "4", "number", "a"),
    Question("Who's {next}?", messages("Who's {next}?"), '{"answer":"Ann","type":"person"}', None, "b"),
]
ROWS: dict[str, list[Any]] = {
    "continue": [Text("A text.", "a")],
    "sft": [Turn(messages("Who?"), "Ann", "a")],
    "reject": [Turn(messages("Who?"), "Ann", "a")],
    "grpo": QUESTIONS,
}


@pytest.mark.parametrize("template", [True, False])
def test_the_rows_for_trl_are_graded_by_its_hook_as_ours_are(template: bool) -> None:
    rows = rows_for_trl(QUESTIONS, Characters(template=template))
    columns = {name: [row[name] for row in rows] for name in rows[0] if name != "prompt"}
    graded = trl.reward([row["prompt"] for row in rows], ["4", "It was Ann."], **columns)
    assert graded == [1.0, 1.0]


def test_the_rows_for_verl_are_graded_by_its_hook_as_ours_are() -> None:
    for row, said in zip(rows_for_verl(QUESTIONS), ("4", "It was Ann."), strict=True):
        scores = verl.compute_score(
            row["data_source"], said, row["reward_model"]["ground_truth"], extra_info=row["extra_info"]
        )
        assert (scores["score"], scores["undecided"]) == (1.0, 0.0)
        assert row["prompt"][-1]["role"] == "user"


def test_ground_truths_of_several_forms_share_a_column() -> None:
    several = [QUESTIONS[0], QUESTIONS[0]._replace(truth=["4", "four"])]
    for row in rows_for_trl(several, Characters()):
        (read,) = trl.rollouts([row["prompt"]], ["four"], {"ground_truth": [row["ground_truth"]]})
        assert read is not None
        assert decide(read).score == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_directory_has_the_stock_command_its_arguments_and_its_rows(tmp_path: Path, method: str) -> None:
    recipe = load_recipe("paper", method)
    write_stock(tmp_path, recipe, "my model", Encoded({}, ROWS[method]), Characters(template=True), True)
    stock = tmp_path / "stock"
    commands = (stock / "commands.sh").read_text()
    script = "grpo" if method == "grpo" else "sft"
    assert f"trl {script} --config {shlex.quote(str(stock / 'trl.yaml'))}\n" in commands
    arguments = yaml.safe_load((stock / "trl.yaml").read_text())
    assert arguments["dataset_name"] == str(stock / "data")
    assert arguments["learning_rate"] == recipe.learning_rate
    whole = arguments["per_device_train_batch_size"] * arguments["gradient_accumulation_steps"]
    assert whole == recipe.step_sequences
    assert len(pq.read_table(stock / "data" / "train.parquet")) == len(ROWS[method])
    assert ("verl" in commands) == (method == "grpo")


def test_verl_is_told_the_papers_numbers(tmp_path: Path) -> None:
    recipe = load_recipe("paper/grpo", judge={"model": "judge-1"})
    assert isinstance(recipe, GrpoRecipe)
    told = verl_overrides(recipe, "m", tmp_path)
    assert told["data.train_batch_size"] == told["actor_rollout_ref.actor.ppo_mini_batch_size"] == 256
    assert told["actor_rollout_ref.rollout.n"] == 16
    assert told["data.max_response_length"] == 2560
    assert told["actor_rollout_ref.actor.optim.lr"] == 5e-6
    assert told["actor_rollout_ref.actor.loss_agg_mode"] == "token-mean"
    assert told["+reward.custom_reward_function.reward_kwargs.judge_model"] == "judge-1"


def test_a_model_without_a_chat_template_has_no_command_for_verl_and_is_told_why(tmp_path: Path) -> None:
    write_stock(tmp_path, load_recipe("paper/grpo"), "m", Encoded({}, QUESTIONS), Characters(), True)
    assert "verl asks by a chat template" in (tmp_path / "stock" / "commands.sh").read_text()


def test_values_are_written_as_hydra_reads_them() -> None:
    assert hydra(None) == "null"
    assert hydra(True) == "true"
    assert hydra([0.9, 0.999]) == "[0.9,0.999]"
    assert hydra("token-mean") == "'token-mean'"
    assert hydra("it's") == r"'it\'s'"
    assert hydra("vllm") == "vllm"


@pytest.mark.skipif(find_spec("verl") is None, reason="verl is not installed: make test-training has it")
def test_every_key_that_verl_is_told_is_a_key_of_its_configuration(tmp_path: Path) -> None:
    spec = find_spec("verl")
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).parent / "trainer" / "config" / "_generated_ppo_trainer.yaml"
    config = yaml.safe_load(file.read_text())
    recipe = load_recipe("paper/grpo", beta=0.1)
    assert isinstance(recipe, GrpoRecipe)
    for key in verl_overrides(recipe, "m", tmp_path):
        place = config
        for name in key.split("."):
            assert name in place, key
            place = place[name]
        assert not isinstance(place, dict), key
