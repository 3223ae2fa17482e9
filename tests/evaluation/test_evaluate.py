"""A model against questions of one's own: asked once, kept row by row, and never mixed with another model's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.evaluation.tiny import saved
from webscale_rl.errors import ChangedError, TrainingError
from webscale_rl.evaluation import Options, evaluate, read_evaluated, runner
from webscale_rl.ledger import read_ledger

QUICK = Options(answer_tokens=4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"), width=32, layers=1, context=128)


def asked(folder: Path, count: int = 6, name: str = "facts") -> Path:
    path = folder / f"{name}.jsonl"
    rows = [{"question": f"What is {n} plus 1 in {name}?", "answer": str(n + 1)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_of_questions_is_a_suite(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluated = evaluate(model, asked(tmp_path), out, limit=5, options=QUICK, device="cpu")
    (row,) = evaluated.rows
    assert (row.status, row.count) == ("done", 5)
    assert evaluated.average is not None
    samples = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert len(samples) == 5
    assert sum(one["score"] is None for one in samples) == row.undecided
    assert sum(one["score"] == 1 for one in samples) / 5 == row.score
    ledger = read_ledger(out)
    assert 5 <= ledger.rollout <= 20
    assert (ledger.usd, ledger.judged, ledger.trained) == (0.0, 0, 0)
    assert read_evaluated(out) == evaluated
    assert "| facts |" in (out / "results.md").read_text()
    pytest.importorskip("matplotlib")
    assert (out / "results.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_finished_is_not_asked_again(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        asked(tmp_path, 4, name)
    suite = tmp_path / "suite.yaml"
    suite.write_text("rows: [{name: One, file: one.jsonl}, {name: Two, file: two.jsonl}]", encoding="utf-8")
    calls: list[int] = []
    real = runner.grade

    def dies(*given: Any, **more: Any) -> Any:
        calls.append(len(given[2]))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(runner, "grade", dies)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, suite, tmp_path / "out", options=QUICK)
    assert not (tmp_path / "out" / "results.json").exists()
    first = evaluate(model, suite, tmp_path / "out", options=QUICK)
    assert len(calls) == 3, "the first row was done"
    assert evaluate(model, suite, tmp_path / "out", options=QUICK) == first
    assert len(calls) == 3
    asked(tmp_path, 5, "two")
    evaluate(model, suite, tmp_path / "out", options=QUICK)
    assert calls[3:] == [5], "a file that has changed is another row"
    whole = evaluate(model, suite, tmp_path / "fresh", options=QUICK)
    assert [row.score for row in whole.rows] == [row.score for row in read_evaluated(tmp_path / "out").rows]


def test_another_model_or_setting_needs_another_folder(model: Path, tmp_path: Path) -> None:
    suite = asked(tmp_path, 2)
    evaluate(model, suite, tmp_path / "out", options=QUICK)
    with pytest.raises(ChangedError, match="samples: 1 before, 2 now"):
        evaluate(model, suite, tmp_path / "out", samples=2, options=QUICK)
    other = saved(tmp_path / "other", width=32, layers=1, context=128, seed=1)
    with pytest.raises(ChangedError, match="weights"):
        evaluate(other, suite, tmp_path / "out", options=QUICK)


def test_a_folder_that_is_no_model_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="empty: no model that can be loaded"):
        evaluate(tmp_path / "empty", asked(tmp_path, 2), tmp_path / "out", options=QUICK)


def test_the_command_evaluates_and_puts_results_side_by_side(model: Path, tmp_path: Path) -> None:
    suite = asked(tmp_path, 4)
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}

    def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "webscale_rl.cli", "evaluate", *map(str, arguments)]
        return subprocess.run(line, capture_output=True, text=True, timeout=100, env=env, check=False)

    one, two = tmp_path / "one", tmp_path / "two"
    done = command(model, "--suite", suite, "--out", one, "--answer-tokens", "4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"][0]["count"], told["rows"][0]["metric"]) == (4, "reward")
    evaluate(model, suite, two, samples=3, options=Options(answer_tokens=4))
    side = command(one, two, "--compare", "--out", tmp_path / "both")
    assert side.returncode == 0, side.stderr
    assert "| benchmark | one | two |" in side.stdout
    assert (tmp_path / "both" / "compare.md").exists()
    assert (tmp_path / "both" / "compare.png").exists()
    for arguments, why in [
        ([model, "--suite", suite], "out: missing"),
        ([model, "--suite", suite, "--out", one, "--max-usd", "1"], "--max-usd: needs --base-url"),
        ([one, "--compare"], "name at least two folders"),
    ]:
        refused = command(*arguments)
        assert (refused.returncode, why in refused.stderr) == (2, True), refused.stderr
