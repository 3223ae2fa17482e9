"""Peer: distilabel, a pipeline of four tasks through which batches of rows stream.

Best settings: batches of as many rows as the server has slots (a task asks all rows of a batch at once), structured
replies by `response_format`, retries raised from 6 to 8, neither raw inputs nor raw outputs kept, its cache on.
"""
# Without postponed annotations: distilabel reads those of `process` at run time.

import json
import os
from pathlib import Path
from typing import Any

os.environ["DISTILABEL_LOG_LEVEL"] = "WARNING"

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts, Step, StepInput
from distilabel.steps.tasks import Task
from pydantic import PrivateAttr

from benchmarks.peers import job
from benchmarks.peers.job import MODEL, Job


class Stage(Task):
    """A task that parses its reply and hands on the rows that come of it; a reply of no use drops its row."""

    job_path: str
    _todo: Any = PrivateAttr(None)

    def load(self) -> None:
        super().load()
        self._todo = Job.load(self.job_path)

    @property
    def outputs(self) -> list[str]:
        return ["reply"]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:
        return {"reply": output}

    def process(self, inputs: StepInput) -> Any:  # type: ignore[override]
        # a batch that failed arrives from the stage before as rows of None
        whole = [row for row in inputs if all(row[name] is not None for name in self.inputs)]
        for rows in super().process(whole) if whole else [[]]:
            yield [made for row in rows for made in self._read(row)]

    def _read(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            made = self.follow(json.loads(row["reply"]))
            # the same columns as a failed batch has, or distilabel cannot put their files together
            return [{**row, "reply": "", **more} for more in made]
        except (ValueError, KeyError, TypeError):
            return []

    def follow(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        """What each row that comes of the reply has more."""
        raise NotImplementedError


class Filter(Stage):
    @property
    def inputs(self) -> list[str]:
        return ["id", "text"]

    def format_input(self, input: dict[str, Any]) -> Any:
        return self._todo.filter(input["text"])

    def follow(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        return [{}] if job.wanted(reply) else []


class Classify(Stage):
    @property
    def inputs(self) -> list[str]:
        return ["id", "text"]

    @property
    def outputs(self) -> list[str]:
        return ["reply", "domain", "persona"]

    def format_input(self, input: dict[str, Any]) -> Any:
        return self._todo.classify(input["text"])

    def follow(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"domain": reply["domain"], "persona": persona} for persona in job.personas(reply)]


class Generate(Stage):
    @property
    def inputs(self) -> list[str]:
        return ["id", "text", "domain", "persona"]

    @property
    def outputs(self) -> list[str]:
        return ["reply", "question", "answer"]

    def format_input(self, input: dict[str, Any]) -> Any:
        return self._todo.generate(input["text"], input["domain"], input["persona"])

    def follow(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"question": pair["question"], "answer": pair["answer"]} for pair in reply["pairs"][:1]]


class Check(Stage):
    @property
    def inputs(self) -> list[str]:
        return ["id", "text", "persona", "question", "answer"]

    def format_input(self, input: dict[str, Any]) -> Any:
        return self._todo.check(input["text"], input["question"], input["answer"])

    def follow(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        return [{}] if job.passes(reply) else []


class Whole(Step):
    """Drops what a failed batch left: distilabel cannot put a file of nothing but None beside others."""

    @property
    def inputs(self) -> list[str]:
        return ["id", "persona", "question", "answer", "reply"]

    def process(self, inputs: StepInput) -> Any:  # type: ignore[override]
        yield [row for row in inputs if row["reply"] is not None]


def main() -> None:
    given = job.arguments()
    todo: Job = given.job
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    job_path = str(out / "job.json")
    Path(job_path).write_text(json.dumps(vars(todo)), encoding="utf-8")

    def asks(stage: str) -> OpenAILLM:
        sampling = todo.sampling[stage]
        return OpenAILLM(
            model=MODEL,
            base_url=given.url,
            api_key="none",
            max_retries=8,
            timeout=given.timeout,
            generation_kwargs={
                "temperature": sampling["temperature"],
                "max_new_tokens": sampling["max_tokens"],
                "extra_body": {"response_format": todo.response_format(stage)},
            },
        )

    with Pipeline(name="peers", cache_dir=out / "cache") as pipeline:
        previous: Any = LoadDataFromDicts(data=todo.documents(), batch_size=given.concurrency)
        for stage, kind in zip(job.STAGES, (Filter, Classify, Generate, Check), strict=True):
            task = kind(
                name=stage,
                llm=asks(stage),
                job_path=job_path,
                input_batch_size=given.concurrency,
                add_raw_input=False,
                add_raw_output=False,
            )
            previous >> task
            previous = task
        previous >> Whole(name="whole", input_batch_size=given.concurrency)
    found = pipeline.run(use_cache=True)
    rows = found["default"]["train"]
    job.write(out, [job.kept(row, row["persona"], row) for row in rows])


if __name__ == "__main__":
    main()
