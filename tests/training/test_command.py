from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.training.tiny import write_rows
from webscale_rl.cli import main


class Command:
    """The command in this process: its exit code, and what it complained of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *words: str) -> tuple[int, str]:
        self._monkeypatch.setattr("sys.argv", ["webscale-rl", "train", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, self._capsys.readouterr().err


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed here")
def test_without_torch_the_command_names_the_extra(tmp_path: Path, train: Command) -> None:
    data = write_rows(tmp_path / "rows.jsonl", [{"question": "Who?", "answer": "Ann"}])
    ended = train("sft", str(data), "--model", "m", "--out", str(tmp_path / "out"), "--recipe", "tiny")
    assert ended == (2, "webscale-rl: training needs torch: pip install 'webscale-rl[train]'\n")
    assert not (tmp_path / "out").exists()


def test_a_mistake_is_a_line_and_exit_code_2(tmp_path: Path, train: Command) -> None:
    out = str(tmp_path / "out")
    for words, told in (
        (("rl", "rows.jsonl"), "rl: no such method; one of continue, sft, grpo, reject"),
        (("sft", "rows.jsonl", "--set", "batch"), "--set batch: write key=value"),
        (("sft", "rows.jsonl", "--recipe", "tiny", "--set", "bach=1"), "unknown key; did you mean 'batch'?"),
        (("sft", "rows.jsonl"), "rows.jsonl: no such file or folder"),
        (("sft", "rows.jsonl", "--log-to", "paper"), "log_to.0: input should be 'tensorboard' or 'wandb'"),
    ):
        code, complaint = train(*words, "--model", "m", "--out", out)
        assert code == 2, words
        assert told in complaint
        assert complaint.count("\n") == 1
