"""The contract of verifiers (and prime-rl): tasks from a taskset, a reward for the last reply of a trace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llm_server import LLMServer
from tests.reward.hooks.trainers import IN_OTHER_WORDS, hook, need

ROWS = [
    {"id": "a", "question": "What is 6 times 7?", "answer": "42", "answer_type": "number", "domain": "x"},
    {
        "id": "b",
        "question": "How do plants feed themselves?",
        "answer": IN_OTHER_WORDS[1],
        "answer_type": None,
        "domain": "x",
    },
]


def test_without_verifiers_the_error_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install 'verifiers>=0\.4'"), hook("verifiers", {"verifiers": {}}):
        raise AssertionError("the import went through")


@pytest.fixture
def taskset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the taskset as verifiers does: by the name of a user's module of two lines."""
    need("verifiers.v1")
    import pyarrow as pa
    import pyarrow.parquet as pq
    import verifiers.v1 as vf

    (tmp_path / "my_questions.py").write_text(
        'from webscale_rl.reward.verifiers import WebscaleTaskset\n\n__all__ = ["WebscaleTaskset"]\n', encoding="utf-8"
    )
    dataset = tmp_path / "dataset"
    dataset.mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS), dataset / "part-00000.parquet")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("my_questions", None)

    def make(**task: Any) -> Any:
        given = {"id": "my-questions", "dataset": str(dataset), "task": task}
        return vf.load_taskset(vf.taskset_config_type("my-questions").model_validate(given))

    return make


async def scored(task: Any, reply: str) -> Any:
    """A trace of the task that ended in this reply, after verifiers scored it."""
    import verifiers.v1 as vf

    trace = vf.Trace(task=vf.TraceTask(type=type(task).__name__, data=task.data), agent=vf.AgentInfo(config={}))
    trace.root_reply = reply
    await task.score(trace)
    return trace


@pytest.mark.filterwarnings("default")
async def test_verifiers_loads_the_rows_and_scores_the_reply(taskset: Any) -> None:
    tasks = list(taskset())
    assert [(task.data.id, task.data.ground_truth) for task in tasks] == [("a", "42"), ("b", IN_OTHER_WORDS[1])]
    assert tasks[0].data.prompt.startswith("What is 6 times 7?\n\n")
    right, wrong = await scored(tasks[0], "Answer: 42"), await scored(tasks[0], "Answer: 41")
    assert (right.reward, wrong.reward) == (1.0, 0.0)
    assert right.info["webscale"].keys() == {"how", "extracted"}


@pytest.mark.filterwarnings("default")
async def test_no_verdict_is_an_error_of_the_trace_and_no_zero(taskset: Any) -> None:
    import verifiers.v1 as vf

    with pytest.raises(vf.TaskError) as raised:
        await scored(list(taskset())[1], IN_OTHER_WORDS[0])
    assert type(raised.value.__cause__).__name__ == "Undecided"


@pytest.mark.filterwarnings("default")
async def test_the_judge_is_named_in_the_tasks_configuration(taskset: Any) -> None:
    with LLMServer() as server:
        tasks = list(taskset(judge_model="judge", judge_base_url=server.url))
        assert (await scored(tasks[1], IN_OTHER_WORDS[0])).reward in (0.0, 1.0)


@pytest.mark.filterwarnings("default")
async def test_another_taskset_plugs_the_reward_in_by_its_path() -> None:
    need("verifiers.v1")
    import verifiers.v1 as vf

    plugged = {"webscale": {"fn": "webscale_rl.reward.verifiers:reward", "weight": 0.5}}
    data = vf.WireTaskData(prompt="What is 6 times 7?", answer="42")
    task = vf.Task(data, vf.TaskConfig.model_validate({"rewards": plugged}))
    trace = await scored(task, "Answer: 42")
    assert {name: one.value for name, one in trace.rewards.items()} == {"webscale": 0.5}
