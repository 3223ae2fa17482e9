"""Peer: Bespoke Curator, one `curator.LLM` per stage, each over all rows of the stage before it.

Best settings: the openai backend, structured output by response_format, as many requests at once as the server has
slots, no limit by the minute, ten retries, the shortest pause that it allows after a rate limit, and no abort for what
fails (`require_all_responses=False`; by default one failed request ends the run). Its cache is its checkpoint.

It counts tokens with tiktoken, which downloads its vocabulary; where there is no network a byte-level one stands in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ |= {"TELEMETRY_ENABLED": "false", "CURATOR_DISABLE_RICH_DISPLAY": "1", "HF_HUB_OFFLINE": "1"}

from bespokelabs import curator

from benchmarks.peers import forms, job
from benchmarks.peers.job import MODEL, Job
from benchmarks.peers.offline import vocabulary

JOB: Job
Row = dict[str, Any]


class Filter(curator.LLM):
    response_format = forms.Filter

    def prompt(self, row: Row) -> Any:
        return JOB.filter(row["text"])

    def parse(self, row: Row, reply: forms.Filter) -> list[Row]:
        return [row] if job.wanted(reply.model_dump()) else []


class Classify(curator.LLM):
    response_format = forms.Classify

    def prompt(self, row: Row) -> Any:
        return JOB.classify(row["text"])

    def parse(self, row: Row, reply: forms.Classify) -> list[Row]:
        named = reply.model_dump()
        return [{**row, "domain": named["domain"], "persona": persona} for persona in job.personas(named)]


class Generate(curator.LLM):
    response_format = forms.Generate

    def prompt(self, row: Row) -> Any:
        return JOB.generate(row["text"], row["domain"], row["persona"])

    def parse(self, row: Row, reply: forms.Generate) -> list[Row]:
        return [{**row, "question": pair.question, "answer": pair.answer} for pair in reply.pairs[:1]]


class Check(curator.LLM):
    response_format = forms.Check

    def prompt(self, row: Row) -> Any:
        return JOB.check(row["text"], row["question"], row["answer"])

    def parse(self, row: Row, reply: forms.Check) -> list[Row]:
        return [job.kept({"id": row["id"]}, row["persona"], row)] if job.passes(reply.model_dump()) else []


def main() -> None:
    global JOB
    given = job.arguments()
    JOB = given.job
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    vocabulary()
    backend = {
        "base_url": given.url,
        "api_key": "none",
        "max_concurrent_requests": given.concurrency,
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 100_000_000_000,
        "max_retries": 10,
        "seconds_to_pause_on_rate_limit": 1,
        "request_timeout": given.timeout,
        "require_all_responses": False,
    }
    rows: Any = JOB.documents()
    for stage, kind in zip(job.STAGES, (Filter, Classify, Generate, Check), strict=True):
        asker = kind(model_name=MODEL, backend="openai", backend_params=backend, generation_params=JOB.sampling[stage])
        rows = asker(rows, working_dir=str(out / "cache")).dataset
    job.write(out, [json.loads(json.dumps(row)) for row in rows])


if __name__ == "__main__":
    main()
