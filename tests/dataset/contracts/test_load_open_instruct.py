"""open-instruct is on no index: what its RLVR transformation reads of a row, and our verifier's label."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.dataset.exported import example, exported, words
from webscale_rl.reward import reward


def test_a_row_ends_with_the_question_and_names_the_verifier(tmp_path: Path) -> None:
    written = exported(tmp_path, "open-instruct")
    table = pq.read_table(written.files.train_path)
    assert table.schema.field("messages").type == pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    answers = {row["id"]: row["answer"] for row in map(example, range(48))}
    for row in table.to_pylist():
        assert [turn["role"] for turn in row["messages"]] == ["system", "user"]
        assert (row["dataset"], type(row["ground_truth"])) == ("webscale", str)
        assert reward(f"Answer: {answers[row['id']]}", row["ground_truth"]).score == 1


def test_the_command_reads_local_files_by_the_one_split_that_they_have(tmp_path: Path) -> None:
    written = exported(tmp_path, "open-instruct")
    command = words(written)
    for option, path in (("list", written.files.train_path), ("eval_list", written.files.held_out_path)):
        at = command.index(f"--dataset_mixer_{option}")
        assert command[at + 1 : at + 3] == [str(path), "1.0"]
        assert command[command.index(f"--dataset_mixer_{option}_splits") + 1] == "train"
