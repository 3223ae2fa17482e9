"""A suite says what is asked; what it does not say right is told before a model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from webscale_rl.errors import UserError
from webscale_rl.evaluation.local import read_questions
from webscale_rl.evaluation.suites import identity, load_suite
from webscale_rl.reward import infer, to_json


def written(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_papers_suite_has_its_seven_benchmarks_shots_and_figures() -> None:
    rows = {row.name: row for row in load_suite("paper").rows}
    assert list(rows) == ["MMLU-Pro", "BigBench", "GPQA-D", "MATH500", "GSM8K", "MBPP", "EvalPlus"]
    assert [rows[name].shots for name in ("MMLU-Pro", "BigBench", "GPQA-D", "MATH500", "GSM8K")] == [5, 0, 0, 0, 8]
    averages = {
        "base": 47.6,
        "continual pretraining": 48.3,
        "QuRating": 48.3,
        "ProX": 48.4,
        "GDR": 48.7,
        "Webscale-RL": 52.1,
    }
    for model, average in averages.items():
        figures = [row.published[model] for row in rows.values()]
        assert sum(figures) / 7 == pytest.approx(average, abs=0.051), f"the paper's own average of {model}"


def test_a_suite_joins_files_beside_it_and_tasks(tmp_path: Path) -> None:
    written(tmp_path, '{"question": "q", "answer": "a"}\n', "facts.jsonl")
    (tmp_path / "tasks").mkdir()
    path = written(
        tmp_path,
        "include: tasks\nrows:\n  - {name: Facts, file: facts.jsonl}\n  - {name: Mine, task: my_task, shots: 3}\n",
    )
    suite = load_suite(path)
    assert [row.kind for row in suite.rows] == ["local", "lm_eval"]
    assert suite.rows[0].file == str(tmp_path / "facts.jsonl")
    assert suite.include == str(tmp_path / "tasks")
    alone = load_suite(tmp_path / "facts.jsonl")
    assert [(row.name, row.kind) for row in alone.rows] == [("facts", "local")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rows: [{name: a, task: t, shot: 3}]", "rows.0.shot: unknown key"),
        ("rows: [{name: a}]", "needs one of file, task and evalplus"),
        (
            "rows: [{name: a, task: t, evalplus: mbpp}]",
            r"needs one of file, task and evalplus \(it has task, evalplus\)",
        ),
        ("rows: [{name: a, evalplus: mbpp, shots: 1}]", "shots: goes with a task of lm-eval only"),
        ("rows: [{name: a, task: t}, {name: a, task: u}]", "two rows are named 'a'"),
        ("rows: [{name: a, file: gone.jsonl}]", "gone.jsonl: no such file"),
        ("rows: []", "rows: "),
    ],
)
def test_a_suite_that_cannot_be_used_names_the_key(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load_suite(written(tmp_path, text))


def test_an_unknown_suite_names_the_nearest() -> None:
    with pytest.raises(UserError, match="there is no 'papers'; did you mean 'paper'"):
        load_suite("papers")
    with pytest.raises(UserError, match="packaged: paper"):
        load_suite("xyz")


def test_a_row_is_another_when_what_it_asks_is_another(tmp_path: Path) -> None:
    path = written(tmp_path, '{"question": "q", "answer": "a"}\n', "facts.jsonl")
    (row,) = load_suite(path).rows
    before = identity(row)
    assert identity(row.model_copy(update={"name": "Other", "published": {"x": 1.0}})) == before
    assert identity(row.model_copy(update={"max_tokens": 3})) != before
    written(tmp_path, '{"question": "q", "answer": "b"}\n', "facts.jsonl")
    assert identity(row) != before
    (tmp_path / "tasks").mkdir()
    task = load_suite(written(tmp_path, "rows: [{name: a, task: t}]")).rows[0]
    first = identity(task, str(tmp_path / "tasks"))
    written(tmp_path / "tasks", "task: t", "t.yaml")
    assert identity(task, str(tmp_path / "tasks")) != first


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"answer": "a"}', "line 2: no question; a row has question and answer"),
        ('{"question": "q"}', "line 2: no answer"),
        ('{"question": "q", "answer": "  "}', "line 2: the answer is empty"),
        ('{"question": "q", "answer": true}', "line 2: no answer"),
        (
            '{"question": "q", "answer": "a", "reference": {"type": "x", "answer": "a"}}',
            "line 2: type: there is no 'x'",
        ),
        ("not JSON", "line 2: cannot be read"),
    ],
)
def test_a_row_that_is_no_question_is_named(tmp_path: Path, line: str, why: str) -> None:
    path = written(tmp_path, '{"question": "q", "answer": "a"}\n' + line + "\n", "facts.jsonl")
    with pytest.raises(UserError, match=why):
        read_questions(path)
    assert len(read_questions(path, limit=1)) == 1


def test_a_truth_is_text_a_number_several_texts_or_typed(tmp_path: Path) -> None:
    stored = to_json(infer("330 metres"))
    rows = [
        '{"question": "How many?", "answer": 7}',
        '{"question": "Who?", "answer": ["Ada Lovelace", "Countess of Lovelace"]}',
        '{"question": "How tall?", "answer": "330 metres", "reference": ' + stored + "}",
    ]
    found = read_questions(written(tmp_path, "\n".join(rows), "facts.jsonl"))
    said = ("The answer is 7.", "Answer: the Countess of Lovelace", "<answer>0.33 km</answer>")
    assert [question.verdict(text).score for question, text in zip(found, said, strict=True)] == [1, 1, 1]


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no questions in it"):
        read_questions(written(tmp_path, "\n", "facts.jsonl"))
