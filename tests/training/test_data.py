from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.tiny import write_rows
from webscale_rl.errors import TrainingError, UserError
from webscale_rl.training.data import HELD_OUT, read_questions, read_texts, read_turns, source_texts


def run_of(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A run directory with this dataset."""
    (folder / "dataset").mkdir(parents=True)
    (folder / "run.yaml").write_text("config: {}\ndigests: {}\n")
    pq.write_table(pa.Table.from_pylist(rows), folder / "dataset" / "part-00000.parquet")
    return folder


def example(at: int, **more: Any) -> dict[str, Any]:
    return {
        "question": f"How many is {at}?",
        "answer": str(at),
        "reference": f'{{"answer":"{at}","type":"number"}}',
        "answer_type": "number",
        "document_id": f"doc-{at // 2}",
        "pretrain_text": f"The text of document {at // 2}.",
        "difficulty": at / 10,
    } | more


def test_a_run_directory_is_questions_for_grpo_turns_for_sft_and_documents_for_continue(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [example(at) for at in range(4)])
    asked = read_questions(run, None, None)
    assert [row.question for row in asked.rows] == [f"How many is {at}?" for at in range(4)]
    assert asked.rows[1].truth == '{"answer":"1","type":"number"}'
    assert read_turns(run, None).rows[1].answer == "1"
    assert [row.text for row in read_texts(run).rows] == ["The text of document 0.", "The text of document 1."]


def test_the_documents_behind_the_rows_are_counted_once_and_only_those_that_are_used(tmp_path: Path) -> None:
    taken = read_questions(run_of(tmp_path / "run", [example(at) for at in range(6)]), None, None)
    used = taken._replace(rows=taken.rows[:3])
    assert [text for texts in source_texts(used) for text in texts] == [
        "The text of document 0.",
        "The text of document 1.",
    ]


def test_documents_that_the_warm_up_learns_are_left_out_of_rl(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [example(at) for at in range(6)])
    (run / HELD_OUT).parent.mkdir()
    pq.write_table(pa.Table.from_pylist([{"id": "x", "document_id": "doc-1"}]), run / HELD_OUT)
    taken = read_questions(run, None, None)
    assert [row.document for row in taken.rows] == ["doc-0", "doc-0", "doc-2", "doc-2"]
    assert taken.left_out == {"held_out": 2}
    assert len(read_turns(run, None).rows) == 6


def test_only_questions_within_the_difficulty_are_taken(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [*(example(at) for at in range(10)), example(10, difficulty=None)])
    taken = read_questions(run, None, (0.2, 0.4))
    assert [row.question for row in taken.rows] == [f"How many is {at}?" for at in (2, 3, 4)]
    assert taken.left_out == {"difficulty": 7, "difficulty_not_measured": 1}


def test_a_difficulty_that_was_never_measured_says_what_measures_it(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [example(at, difficulty=None) for at in range(3)])
    with pytest.raises(TrainingError, match="webscale-rl difficulty"):
        read_questions(run, None, (0.1, 0.9))


def test_messages_prompt_and_completion_or_question_and_answer_are_learned_alike(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ann"}]
    files = {
        "messages": {"messages": talk},
        "pair": {"prompt": "Who?", "completion": "Ann"},
        "chat": {"prompt": talk[:1], "completion": talk[1:]},
        "question": {"question": "Who?", "answer": "Ann"},
    }
    for name, row in files.items():
        (turn,) = read_turns(write_rows(tmp_path / f"{name}.jsonl", [row]), "Be brief.").rows
        assert [dict(message) for message in turn.asked] == [{"role": "system", "content": "Be brief."}, talk[0]], name
        assert turn.answer == "Ann"


def test_an_export_for_trl_is_read_as_it_is(tmp_path: Path) -> None:
    row = {"prompt": [{"role": "user", "content": "Who?"}], "ground_truth": "Ann", "answer_type": "person"}
    write_rows(tmp_path / "export" / "train.jsonl", [row])
    write_rows(tmp_path / "export" / "test.jsonl", [row, row])
    (question,) = read_questions(tmp_path / "export", None, None).rows
    assert (question.question, question.truth, question.answer_type) == ("Who?", "Ann", "person")


def test_a_question_without_a_ground_truth_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        {"question": "Who?", "answer": "Ann"},
        {"question": "When?", "answer": " "},
        {"question": "", "answer": "1"},
    ]
    taken = read_questions(write_rows(tmp_path / "rows.jsonl", rows), None, None)
    assert (len(taken.rows), taken.seen, taken.left_out) == (1, 3, {"no_ground_truth": 1, "no_question": 1})


def test_a_wrong_column_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"query": "Who?", "label": "Ann"}])
    with pytest.raises(TrainingError, match=r"no column question or prompt.*it has label, query"):
        read_questions(path, None, None)
    with pytest.raises(TrainingError, match=r"sft needs the column messages.*it has label, query"):
        read_turns(path, None)
    with pytest.raises(TrainingError, match=r"no column text or pretrain_text.*it has label, query"):
        read_texts(path)
    path = write_rows(tmp_path / "rows.jsonl", [{"question": "Who?", "label": "Ann"}])
    with pytest.raises(TrainingError, match="no ground truth: it needs one of the columns reference, ground_truth"):
        read_questions(path, None, None)


def test_data_without_a_row_to_learn_is_an_error_that_says_why(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"question": "Who?", "answer": ""}] * 3)
    with pytest.raises(TrainingError, match="nothing to train on, of 3 rows: no_ground_truth 3"):
        read_questions(path, None, None)
    empty = tmp_path / "empty.parquet"
    pq.write_table(pa.table({"question": pa.array([], pa.string()), "answer": pa.array([], pa.string())}), empty)
    with pytest.raises(TrainingError, match="nothing to train on, of 0 rows"):
        read_turns(empty, None)
    blank = write_rows(tmp_path / "blank.jsonl", [])
    with pytest.raises(UserError, match="empty"):
        read_turns(blank, None)


def test_a_run_without_a_dataset_says_so(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("config: {}\n")
    with pytest.raises(TrainingError, match="the run has no dataset yet"):
        read_turns(tmp_path, None)
    with pytest.raises(TrainingError, match="no such file or folder"):
        read_turns(tmp_path / "nowhere", None)


def test_a_line_that_is_no_row_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [{"question": "Who?", "answer": "Ann"}])
    path.write_text(path.read_text() + "{broken\n")
    with pytest.raises(TrainingError, match="line 2: corrupt_line"):
        read_turns(path, None)
