"""Results tell what was measured, what was not, and how sure it is; nothing that a model wrote leaves its cell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webscale_rl.errors import ChangedError, ConfigError
from webscale_rl.evaluation.local import Question, graded
from webscale_rl.evaluation.report import compared, differences, markdown
from webscale_rl.evaluation.results import (
    Evaluated,
    Result,
    claim,
    join_samples,
    read_evaluated,
    read_row,
    write_results,
    write_row,
    write_samples,
)
from webscale_rl.evaluation.runner import local_result
from webscale_rl.evaluation.sampling import Completion
from webscale_rl.evaluation.statistics import Mean
from webscale_rl.evaluation.suites import SuiteRow
from webscale_rl.ledger import Ledger

ROW = SuiteRow(name="Facts", file="facts.jsonl")


def said(*texts: str, samples: int = 1, questions: int | None = None) -> tuple[Question, ...] | object:
    asked = tuple(Question(f"What is {n} plus 1?", str(n + 1)) for n in range(questions or len(texts) // samples))
    return graded(asked, [Completion(text, 3, cut=False) for text in texts], samples)


def done(name: str, value: float, questions: dict[str, float] | None = None, **more: object) -> Result:
    told = {"stderr": 0.01, "count": 100, "metric": "reward", "identity": "i", **more}
    return Result(name, "local", "done", score=value, questions=questions or {}, **told)


def test_undecided_answers_are_wrong_in_the_score_and_left_out_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from webscale_rl.evaluation import local
    from webscale_rl.reward import Verdict, reward

    def unsure(response: str, *rest: object) -> Verdict:
        return Verdict(None, "test/unsure") if response == "perhaps" else reward(response, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(local, "reward", unsure)
    found = said("1", "perhaps", "99", "4")
    result = local_result(ROW, found, Ledger(), 1)
    assert (result.score, result.undecided, result.count) == (0.5, 1, 4)
    assert result.decided is not None
    assert (result.decided.value, result.decided.count) == (pytest.approx(2 / 3), 3)
    page = markdown(Evaluated(Path("x"), "m", "s", (result,)))
    assert "the rules cannot tell of 1 answers, which count as wrong; without them the score is 66.7" in page


def test_samples_of_one_question_are_one_cluster_and_make_pass_at_k() -> None:
    found = said("1", "1", "9", "9", "2", "9", "9", "9", samples=4)
    result = local_result(ROW, found, Ledger(), 4)
    assert (result.score, result.count) == (0.375, 2)
    assert result.stderr == pytest.approx(0.125)
    assert {k: mean.value for k, mean in result.passes.items()} == pytest.approx({"2": (5 / 6 + 1 / 2) / 2, "4": 1.0})


def test_a_finished_row_is_kept_and_another_rows_is_not_taken_for_it(tmp_path: Path) -> None:
    claim(tmp_path / "out", {"model": "m"})
    row = done("Facts", 0.5, {"a": 1.0, "b": 0.0})
    write_row(tmp_path / "out", ROW.slug, row)
    assert read_row(tmp_path / "out", ROW.slug, "i") == row
    assert read_row(tmp_path / "out", ROW.slug, "other") is None
    (tmp_path / "out" / "rows" / f"{ROW.slug}.json").write_text("{", encoding="utf-8")
    assert read_row(tmp_path / "out", ROW.slug, "i") is None, "cut short: evaluated anew"


def test_a_folder_holds_one_evaluation(tmp_path: Path) -> None:
    claim(tmp_path / "out", {"model": "m", "limit": None})
    claim(tmp_path / "out", {"model": "m", "limit": None})
    with pytest.raises(ChangedError, match=r"limit: None before, 5 now"):
        claim(tmp_path / "out", {"model": "m", "limit": 5})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(ConfigError, match="holds something else"):
        claim(tmp_path / "full", {"model": "m"})


def test_the_table_stands_beside_the_published_figures_and_averages_the_same_rows(tmp_path: Path) -> None:
    rows = (
        done("A", 0.5, published={"base": 40.0}),
        done("B", 0.7, published={"base": 60.0}),
        Result("C", "evalplus", "not_run", why="executes code", published={"base": 10.0}),
        Result("D", "lm_eval", "failed", why="its data cannot be reached"),
    )
    page = markdown(Evaluated(tmp_path, "m", "paper", rows, "Qwen2.5-3B"))
    assert "| A | 50.0 ± 1.0 | 100 | 40.0 |" in page
    assert "| C | not run | - | 10.0 |" in page
    assert "| D | failed | - | - |" in page
    assert "| average of 2 of 4 | 60.0 ± 0.7 | - | 50.0 |" in page, "what was not run is no zero, in neither column"
    assert "D: its data cannot be reached" in page


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    claim(tmp_path, {"model": "m"})
    row = done("A", 0.5, {"q": 1.0}, passes={"2": Mean(0.6, 0.1, 3)}, ledger=Ledger(rollout=7, usd=None))
    write_row(tmp_path, "a-1", row)
    before = Evaluated(tmp_path, "m", "s", (row, Result("B", "lm_eval", "failed", why="w")))
    write_results(before)
    assert read_evaluated(tmp_path) == before
    assert before.plain()["ledger"]["every"] == 7
    with pytest.raises(ConfigError, match=r"holds no finished evaluation"):
        read_evaluated(tmp_path / "rows")


def test_two_results_are_paired_by_question(tmp_path: Path) -> None:
    names = [str(n) for n in range(100)]
    first = Evaluated(tmp_path / "one", "m", "s", (done("A", 0.5, {n: float(int(n) % 2) for n in names}),))
    second = Evaluated(tmp_path / "two", "m", "s", (done("A", 0.6, {n: float(int(n) % 2 or n < "2") for n in names}),))
    found = differences(first, second)["A"]
    assert found.count == 100
    assert found.value > 0
    assert found.sure
    page = "\n".join(compared([first, second]))
    assert f"| A | +{100 * found.value:.1f} ± {100 * found.stderr:.1f} * (n 100) |" in page
    other = Evaluated(tmp_path / "two", "m", "s", (done("A", 0.6, dict.fromkeys(names, 1.0), metric="other"),))
    assert differences(first, other) == {}, "another metric is another question"


def test_what_a_model_wrote_reaches_no_terminal_and_no_table(tmp_path: Path) -> None:
    claim(tmp_path, {"model": "m"})
    found = said("\x1b[31mred \u202e \ud800 | <b>", "2")
    write_samples(tmp_path, ROW.slug, ROW.name, found)
    join_samples(tmp_path, [ROW.slug, "none"])
    text = (tmp_path / "samples.jsonl").read_bytes()
    assert b"\x1b" not in text
    text.decode("ascii")
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows[0]["response"] == "\x1b[31mred \u202e \ud800 | <b>"
    assert [row["score"] for row in rows] == [0, 1]
    hostile = Result("A | <b>\x1b[0m", "local", "failed", why="line\n| x |")
    page = markdown(Evaluated(tmp_path, "m\n# h", "s", (hostile,)))
    assert "\x1b" not in page
    assert "\n# h" not in page
    assert "| A \\| &lt;b>" in page
