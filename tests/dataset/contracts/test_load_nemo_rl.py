"""NeMo RL is on no index: its documented data set and processor, as far as they read a line, and our environment."""

from __future__ import annotations

import shlex
from pathlib import Path

import orjson

from tests.dataset.exported import HOSTILE, SYSTEM, example, exported
from webscale_rl.reward import reward


def test_a_line_has_input_and_output_and_nothing_that_would_take_their_place(tmp_path: Path) -> None:
    written = exported(tmp_path, "nemo-rl")
    rows = [orjson.loads(line) for path in written.files.paths.values() for line in path.read_bytes().splitlines()]
    assert {tuple(row) for row in rows} == {("input", "output", "id")}, "a column named messages is read instead"
    answers = {row["id"]: row["answer"] for row in map(example, range(48))}
    for row in rows:
        assert row["input"].startswith(SYSTEM + "\n\n")
        assert reward(f"Answer: {answers[row['id']]}", row["output"]).score == 1
    assert any(row["input"].endswith(HOSTILE) for row in rows)


def test_a_column_of_dates_stays_text_when_datasets_reads_the_lines(tmp_path: Path) -> None:
    """Its JSON reader makes timestamps of a column whose values all look like dates."""
    import datasets

    written = exported(tmp_path, "nemo-rl")
    loaded = datasets.load_dataset("json", data_files=str(written.files.train_path), cache_dir=str(tmp_path / "cache"))
    assert {str(feature.dtype) for feature in loaded["train"].features.values()} == {"string"}


def test_the_command_names_both_files_and_the_environment(tmp_path: Path) -> None:
    written = exported(tmp_path, "nemo-rl")
    given = dict(word.split("=", 1) for word in shlex.split(written.following[-1]) if "=" in word)
    assert given["++data.train.data_path"] == str(written.files.train_path)
    assert given["++data.validation.data_path"] == str(written.files.held_out_path)
    assert given["++data.default.env_name"] == "webscale"
    assert given["++env.webscale"] == "{}"
