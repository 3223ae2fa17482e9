from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import yaml

from webscale_rl.errors import ConfigError
from webscale_rl.training.recipe import METHODS, load_recipe, packaged

TABLE_4 = {
    "paper/continue": {"batch": 256, "learning_rate": 1e-5, "max_tokens": 4096, "optimizer": "adamw_torch"},
    "paper/sft": {"batch": 128, "learning_rate": 5e-6, "max_tokens": 4096, "optimizer": "adamw_torch"},
    "paper/grpo": {
        "batch": 256,
        "learning_rate": 5e-6,
        "samples": 16,
        "max_completion_tokens": 2560,
        "optimizer": "adamw_torch",
    },
}


def test_every_method_has_a_recipe_of_the_paper_and_a_tiny_one() -> None:
    assert packaged() == sorted(f"{folder}/{method}" for folder in ("paper", "tiny") for method in METHODS)
    for name in packaged():
        assert load_recipe(name).method == name.partition("/")[2]


@pytest.mark.parametrize("name", TABLE_4)
def test_the_papers_recipes_have_the_numbers_of_its_table_4(name: str) -> None:
    recipe = load_recipe(name)
    assert {key: getattr(recipe, key) for key in TABLE_4[name]} == TABLE_4[name]


@pytest.mark.parametrize("name", [name for name in packaged() if name.startswith("paper/")])
def test_every_key_of_the_papers_recipes_says_whether_the_paper_or_we_chose_it(name: str) -> None:
    text = (resources.files("webscale_rl") / "recipes" / f"{name}.yaml").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "method:"))]
    for line in lines:
        comment = line.partition("#")[2].strip()
        assert comment.startswith(("table 4", "ours")), line
    told = {line.partition(":")[0] for line in lines if "# table 4" in line}
    if name in TABLE_4:
        assert told == set(TABLE_4[name])


def test_the_papers_steps_can_be_cut_to_what_fits_in_memory() -> None:
    for method in METHODS:
        recipe = load_recipe("paper", method)
        assert recipe.micro_batch is not None
        assert recipe.step_sequences % recipe.micro_batch == 0


def test_an_unknown_key_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tiny/grpo: temprature: unknown key; did you mean 'temperature'\?"):
        load_recipe("tiny/grpo", temprature=0.5)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"method": "grpo", "judge": {"modle": "m"}}))
    with pytest.raises(ConfigError, match=r"mine.yaml: judge.modle: unknown key; did you mean 'model'\?"):
        load_recipe(str(path))


def test_a_key_of_another_method_is_unknown() -> None:
    with pytest.raises(ConfigError, match="samples: unknown key"):
        load_recipe("tiny/sft", samples=8)


def test_a_value_out_of_its_range_is_refused_by_its_key() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        load_recipe("tiny/sft", learning_rate=0)
    with pytest.raises(ConfigError, match="3 does not divide the 64 sequences of a step"):
        load_recipe("tiny/grpo", micro_batch=3)


def test_a_recipe_is_for_one_method() -> None:
    with pytest.raises(ConfigError, match="tiny/sft: is a recipe for sft, not for grpo"):
        load_recipe("tiny/sft", "grpo")
    with pytest.raises(ConfigError, match="no such recipe; packaged: paper/continue, "):
        load_recipe("huge/sft")


def test_a_file_without_a_method_takes_that_of_the_command(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("batch: 3\n")
    assert (
        load_recipe(str(path), "sft", seed=4).model_dump().items() >= {"batch": 3, "seed": 4, "method": "sft"}.items()
    )
    with pytest.raises(ConfigError, match="method: missing"):
        load_recipe(str(path))


def test_recipes_are_read_without_torch() -> None:
    code = (
        "import sys; from webscale_rl.training import load_recipe; load_recipe('paper/grpo');"
        "assert not {'torch', 'trl', 'transformers', 'datasets', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
