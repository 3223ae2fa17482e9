from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import write_rows
from webscale_rl.errors import ChangedError, ConfigError
from webscale_rl.training.data import read_turns
from webscale_rl.training.directory import TRAINING_FILE, Record, claim
from webscale_rl.training.recipe import load_recipe


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def record(folder: Path, *, answer: str = "Ann", weights: str = "w", **values: Any) -> Record:
    model = folder / "model"
    model.mkdir(exist_ok=True)
    (model / "model.safetensors").write_text(weights)
    data = write_rows(folder / "rows.jsonl", [{"question": "Who?", "answer": answer}])
    return Record.of(load_recipe("tiny/sft", **values), model, data, read_turns(data, None))


def finish(out: Path) -> None:
    (out / "ledger.json").write_text("{}")


def test_the_same_training_goes_on_and_what_only_tells_of_it_may_differ(tmp_path: Path, out: Path) -> None:
    claim(out, record(tmp_path))
    finish(out)
    claim(out, record(tmp_path))
    claim(out, record(tmp_path, log_steps=7, save_steps=3, plots=False, log_to=["tensorboard"]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"learning_rate": 0.5}, r"recipe.learning_rate: was 0.001, is 0.5"),
        ({"answer": "Bob"}, r"data: was .*rows.jsonl \(1 rows\).*with other rows"),
        ({"weights": "v"}, r"model: was .*with other weights"),
    ],
)
def test_another_recipe_model_or_data_is_refused_and_named(
    tmp_path: Path, out: Path, change: dict[str, Any], told: str
) -> None:
    claim(out, record(tmp_path))
    finish(out)
    with pytest.raises(ChangedError, match=told):
        claim(out, record(tmp_path, **change))


def test_a_training_that_got_nowhere_may_be_begun_otherwise(tmp_path: Path, out: Path) -> None:
    claim(out, record(tmp_path))
    claim(out, record(tmp_path, learning_rate=0.5))
    assert "learning_rate: 0.5" in (out / TRAINING_FILE).read_text()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, out: Path) -> None:
    (out / "thesis.tex").write_text("")
    with pytest.raises(ConfigError, match="is not empty and holds no training"):
        claim(out, record(tmp_path))


def test_no_key_of_the_environment_is_written(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    claim(out, record(tmp_path))
    assert "sk-secret" not in (out / TRAINING_FILE).read_text()
