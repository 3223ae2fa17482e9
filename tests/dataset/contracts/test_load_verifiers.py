"""verifiers loads the export as tasks, with their system prompt, and scores them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.dataset.exported import SYSTEM, exported, words
from tests.reward.hooks.trainers import need

pytestmark = pytest.mark.filterwarnings("default")


async def test_verifiers_loads_every_row_as_a_task_that_can_be_scored(tmp_path: Path) -> None:
    need("verifiers")
    pytest.importorskip("verifiers.v1")
    hook = importlib.import_module("webscale_rl.reward.verifiers")
    written = exported(tmp_path, "verifiers")
    assert words(written)[:3] == ["vf-eval", "my-questions", "--env.taskset.dataset"]
    for name, path in written.files.paths.items():
        tasks = list(hook.WebscaleTaskset(hook.WebscaleConfig(dataset=path)).load())
        assert len(tasks) == written.files.rows[name]
        for task in tasks:
            assert task.data.system_prompt == SYSTEM
            assert task.data.prompt.startswith(task.data.question)
            answer = task.data.ground_truth.split('"')[3]
            assert await task.correct(task.data, SimpleNamespace(last_reply=f"Answer: {answer}", info={})) == 1.0


def test_verifiers_command_line_takes_the_command(tmp_path: Path) -> None:
    need("verifiers")
    program = shutil.which("vf-eval", path=str(Path(sys.executable).parent))
    assert program is not None
    (tmp_path / "my_questions.py").write_text(
        "from webscale_rl.reward.verifiers import WebscaleTaskset\n__all__ = ['WebscaleTaskset']\n"
    )
    command = [program, *words(exported(tmp_path / "a folder", "verifiers"))[1:], "--dry-run"]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
