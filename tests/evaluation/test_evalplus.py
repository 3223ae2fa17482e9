"""EvalPlus executes code: never unasked, and what it tells is read as it tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from webscale_rl.evaluation import evalplus
from webscale_rl.evaluation.evalplus import passes
from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.results import RowFailed
from webscale_rl.evaluation.suites import SuiteRow

ROW = SuiteRow(name="MBPP", evalplus="mbpp", tests="base")


def test_without_leave_no_code_runs_and_the_row_is_no_zero(tmp_path: Path) -> None:
    result = evalplus.evaluate(ROW, "m", Options(), tmp_path)
    assert (result.status, result.score) == ("not_run", None)
    assert "--allow-code-execution" in result.why
    assert list(tmp_path.iterdir()) == []


def test_with_a_limit_it_is_not_run_either(tmp_path: Path) -> None:
    result = evalplus.evaluate(ROW, "m", Options(allow_code=True, limit=5), tmp_path)
    assert result.status == "not_run"
    assert "--limit" in result.why


def test_where_it_is_not_installed_the_row_fails_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evalplus.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    with pytest.raises(RowFailed, match="pip install evalplus"):
        evalplus.evaluate(ROW, "m", Options(allow_code=True), tmp_path)


def test_a_program_passes_the_tests_that_are_asked_for() -> None:
    program = {"base_status": "pass", "plus_status": "fail"}
    whole = {"base_status": "pass", "plus_status": "pass"}
    told = {
        "eval": {"t/1": [program], "t/2": [whole, program], "t/3": [{"base_status": "timeout", "plus_status": None}]}
    }
    assert passes(told, "base") == {"t/1": 1.0, "t/2": 1.0, "t/3": 0.0}
    assert passes(told, "plus") == {"t/1": 0.0, "t/2": 0.5, "t/3": 0.0}
