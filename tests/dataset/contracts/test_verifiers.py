"""verifiers loads the export as tasks, with their system prompt, and scores them."""

from __future__ import annotations

import importlib
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
