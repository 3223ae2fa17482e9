"""EvalPlus's own command, on two programs of our making: no data are downloaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("evalplus")

from tests.evaluation.tiny import saved
from webscale_rl.evaluation import Options, evaluate


def test_programs_are_run_once_allowed_and_a_finished_row_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": f'def f{number}(x):\n    """Give {result}."""\n',
            "canonical_solution": f"    return {result}\n",
            "entry_point": f"f{number}",
            "base_input": [[1], [2]],
            "plus_input": [[3]],
            "atol": 0,
            "contract": "",
            "test": "",
        }
        for number, result in enumerate(["x", "None"])
    ]
    data = tmp_path / "problems.jsonl"
    data.write_text("".join(json.dumps(problem) + "\n" for problem in problems), encoding="utf-8")
    monkeypatch.setenv("HUMANEVAL_OVERRIDE_PATH", str(data))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = saved(tmp_path / "model", mute=True, width=32, layers=1, context=1024)
    suite = tmp_path / "suite.yaml"
    suite.write_text("rows: [{name: Plus, evalplus: humaneval}]", encoding="utf-8")
    before = evaluate(model, suite, tmp_path / "out", device="cpu")
    assert [row.status for row in before.rows] == ["not_run"]
    assert before.average is None
    allowed = Options(allow_code=True)
    (row,) = evaluate(model, suite, tmp_path / "out", device="cpu", options=allowed).rows
    assert row.status == "done", row.why
    assert row.questions == {"HumanEval/0": 0.0, "HumanEval/1": 1.0}, "a function without a body gives None"
    assert (row.score, row.count, row.metric) == (0.5, 2, "pass@1, plus tests")
    data.unlink()
    assert evaluate(model, suite, tmp_path / "out", device="cpu", options=allowed).rows == (row,)
