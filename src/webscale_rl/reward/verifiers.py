"""verifiers and prime-rl: a reward for any taskset, and a taskset of our own rows (verifiers 0.4, `verifiers.v1`).

    [env.taskset.task.rewards.webscale]
    fn = "webscale_rl.reward.verifiers:reward"

A rollout that nobody can decide raises Undecided: verifiers books its trace as an error, which is no sample, rather
than as wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webscale_rl.reward import rollout
from webscale_rl.reward.rollout import JudgeAt, Rollout

try:
    import verifiers.v1 as vf
except ImportError as error:
    raise rollout.not_installed("verifiers", "pip install 'verifiers>=0.4'", error) from error


class Undecided(RuntimeError):
    """No verdict on a rollout. The message says why."""


class QuestionData(vf.TaskData):  # type: ignore[misc]
    """A row of the dataset: `prompt` is the question as the model sees it."""

    question: str
    ground_truth: Any
    answer_type: str | None = None


async def reward(task: Any, trace: Any) -> float:
    """1.0 or 0.0 for the last reply, by the rules.

    `task` has `ground_truth`, `answer`, `solution` or `expected_answer`, and may have `question` and `answer_type`.
    Raises ValueError without a ground truth, Undecided without a verdict.
    """
    return await _graded(task, trace, None)


async def _graded(task: Any, trace: Any, judge: JudgeAt | None) -> float:
    row = task.model_dump()
    asked = Rollout(
        response=trace.last_reply,
        ground_truth=rollout.ground_truth(row, "the task"),
        question=rollout.text_or_none(row.get("question")) or rollout.text_or_none(task.prompt_text),
        answer_type=rollout.text_or_none(row.get("answer_type")),
    )
    (verdict,) = await asyncio.to_thread(rollout.decide_all, [asked], judge)
    trace.info["webscale"] = {"how": verdict.how, "extracted": verdict.extracted}
    if verdict.score is None:
        raise Undecided(f"no verdict: {verdict.how}")
    return float(verdict.score)


class WebscaleTaskConfig(vf.TaskConfig):  # type: ignore[misc]
    """With a `judge_model`, a judge is asked about what the rules cannot tell: `--env.taskset.task.judge-model`."""

    judge_model: str | None = None
    judge_base_url: str | None = None


class WebscaleTask(vf.Task[QuestionData, vf.State, WebscaleTaskConfig]):  # type: ignore[misc]
    """One question, graded by its ground truth."""

    @vf.reward  # type: ignore[untyped-decorator]
    async def correct(self, task: QuestionData, trace: Any) -> float:
        """As `reward`, and by the judge if there is one."""
        return await _graded(task, trace, rollout.judge_at(self.config.judge_model, self.config.judge_base_url))


class WebscaleConfig(vf.TasksetConfig):  # type: ignore[misc]
    """Where the rows are: `--env.taskset.dataset`."""

    dataset: Path = Path("dataset")  # verifiers' command line builds this before it reads the option
    """A run directory's `dataset` folder, one of its Parquet files, or JSONL of the same columns."""
    instruction: str = "End with a line 'Answer:' and the final answer."
    """Stands below the question."""
    task: WebscaleTaskConfig = WebscaleTaskConfig()


class WebscaleTaskset(vf.Taskset[WebscaleTask, WebscaleConfig]):  # type: ignore[misc]
    """The rows of a dataset as tasks: columns `question`, and `ground_truth` or `answer`; `id`, `answer_type` and
    `system_prompt` if there are such. A module of yours exports it in `__all__`; that module's name is the taskset's
    id."""

    def load(self) -> Iterator[WebscaleTask]:
        """The tasks, one after another. Raises FileNotFoundError, and ValueError at a row without a ground truth."""
        for row in _rows(self.config.dataset.expanduser()):
            question = row["question"]
            yield WebscaleTask(
                QuestionData(
                    id=row.get("id"),
                    prompt=f"{question}\n\n{self.config.instruction}",
                    system_prompt=rollout.text_or_none(row.get("system_prompt")),
                    question=question,
                    ground_truth=rollout.ground_truth(row, "the dataset"),
                    answer_type=row.get("answer_type"),
                ),
                self.config.task,
            )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    import orjson
    import pyarrow.parquet as pq

    if not path.exists():
        raise FileNotFoundError(f"no dataset at {path}")
    files = [path] if path.is_file() else sorted(path.glob("*.parquet")) + sorted(path.glob("*.jsonl"))
    for file in files:
        if file.suffix == ".parquet":
            for batch in pq.ParquetFile(file).iter_batches():
                yield from batch.to_pylist()
        else:
            with file.open("rb") as lines:
                yield from (orjson.loads(line) for line in lines if line.strip())
