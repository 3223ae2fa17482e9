"""The whole experiment by its command, in the smoke recipe, and what happens when it was killed. Needs `.[train]`."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.runs import command, started
from webscale_rl.experiment.recipe import load

for needed in ("torch", "trl", "matplotlib"):
    pytest.importorskip(needed)

pytestmark = pytest.mark.timeout(600)
RECIPE = load("smoke")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("experiment") / "smoke"
    found = command("experiment", "efficiency", "--recipe", "smoke", "--out", out, "--jobs", "1", timeout=500)
    assert found.returncode == 0, found.stderr
    assert "| GRPO | 24 |" in found.stdout
    return out


def test_every_arm_is_trained_and_asked_at_every_size(done: Path) -> None:
    told = json.loads((done / "results.json").read_bytes())
    assert {(one["arm"], one["size"]) for one in told["results"]} == {
        (arm, size) for arm in ("base", *RECIPE.arms) for size in RECIPE.sizes
    }
    for one in told["results"]:
        trained = one["ledger"]["trained"]
        assert trained > 0 if one["arm"] != "base" else trained == 0
    total = json.loads((done / "ledger.json").read_bytes())
    assert total["source"] == sum(one["ledger"]["source"] for one in told["results"] if one["arm"] == "base")
    assert total["trained"] == sum(one["ledger"]["trained"] for one in told["results"] + told["base_models"])
    assert (done / "figure.png").stat().st_size > 10_000
    assert (done / "figure.svg").read_text().startswith("<?xml")
    assert "| GRPO |" in (done / "table.md").read_text()


def test_what_is_done_is_not_done_again_and_what_is_missing_comes_out_the_same(done: Path) -> None:
    jobs = sorted((done / "jobs").iterdir())
    lost = done / "jobs" / f"grpo-{RECIPE.sizes[0]}-0"
    before = {path: (path / "result.json").stat().st_mtime_ns for path in jobs if path != lost}
    result = json.loads((lost / "result.json").read_bytes())
    shutil.rmtree(lost)
    found = command("experiment", "efficiency", "--recipe", "smoke", "--out", done, "--json", timeout=300)
    assert found.returncode == 0, found.stderr
    assert {path: (path / "result.json").stat().st_mtime_ns for path in before} == before
    again = json.loads((lost / "result.json").read_bytes())
    assert (again["panels"], again["ledger"]["trained"]) == (result["panels"], result["ledger"]["trained"])
    assert json.loads(found.stdout)["recipe"] == "smoke"


def test_a_killed_experiment_leaves_no_process_and_goes_on(done: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    shutil.copytree(done, out)
    shutil.rmtree(out / "jobs")
    arguments = ("experiment", "efficiency", "--recipe", "smoke", "--out", out, "--jobs", "1")
    with started(*arguments) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "1 of" in line and "base-" in line:
                break
        process.send_signal(signal.SIGKILL)
    time.sleep(2)  # the worker sees that its parent is gone
    count = len(list((out / "jobs").glob("*/result.json")))
    time.sleep(3)
    assert len(list((out / "jobs").glob("*/result.json"))) == count
    found = command(*arguments, timeout=500)
    assert found.returncode == 0, found.stderr
    assert "done already" in found.stderr


def test_another_recipe_does_not_take_the_directory(done: Path) -> None:
    found = command("experiment", "efficiency", "--recipe", "smoke", "--seeds", "2", "--out", done)
    assert found.returncode == 2
    assert "recipe.seeds" in found.stderr


def test_the_tokenizer_has_one_token_for_each_character(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    from webscale_rl.experiment.vocabulary import save_tokenizer

    save_tokenizer(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(str(tmp_path))
    text = "Question: 7 + 8?\nAnswer: 15"
    ids = tokenizer(text)["input_ids"]
    assert (len(ids), ids[0]) == (len(text) + 1, tokenizer.bos_token_id)
    assert tokenizer.decode(ids, skip_special_tokens=True) == text
