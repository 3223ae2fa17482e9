"""Peer: datatrove's InferenceRunner, one rollout per document that asks all stages.

Best settings: the endpoint server (its own small HTTP client, which it takes on loopback: the cheapest per call), 64
generations at once and 96 documents, so that slots stay filled while documents end; checkpoints and its request cache
switched on, and in a second row off. A rollout whose calls fail returns None, which loses the document; raised, it
would end the task.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.inference.types import GenerateFunction, InferenceError, ServerError
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

from benchmarks.peers import job
from benchmarks.peers.job import MODEL, Job, Messages


async def rollout(document: Document, generate: GenerateFunction, *, todo: Job) -> list[dict[str, str]] | None:
    async def ask(stage: str, messages: Messages) -> dict[str, Any]:
        body = {"messages": messages, "response_format": todo.response_format(stage), **todo.sampling[stage]}
        reply: dict[str, Any] = json.loads((await generate(body)).text)
        return reply

    async def pair(domain: str, persona: str) -> list[dict[str, str]]:
        made = (await ask("generate", todo.generate(text, domain, persona)))["pairs"]
        if not made:
            return []
        verdict = await ask("check", todo.check(text, made[0]["question"], made[0]["answer"]))
        return [job.kept({"id": document.id}, persona, made[0])] if job.passes(verdict) else []

    text = document.text
    try:
        if not job.wanted(await ask("filter", todo.filter(text))):
            return None
        named = await ask("classify", todo.classify(text))
        flows = [pair(named["domain"], persona) for persona in job.personas(named)]
        return [found for pairs in await asyncio.gather(*flows) for found in pairs]
    except (InferenceError, ServerError, ValueError, KeyError, TypeError) as error:
        print(f"{document.id}: {type(error).__name__}")
        return None


def main() -> None:
    given = job.arguments()
    todo: Job = given.job
    out: Path = given.out
    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=given.url.removesuffix("/v1"),
        model_name_or_path=MODEL,
        max_concurrent_generations=given.concurrency,
        max_concurrent_documents=given.concurrency * 3 // 2,
        request_timeout=given.timeout,
        metric_interval=600,
    )
    runner = InferenceRunner(
        rollout_fn=rollout,
        config=config,
        output_writer=JsonlWriter(
            str(out / "output"), output_filename="${rank}_chunk_${chunk_index}.jsonl", compression=None
        ),
        shared_context={"todo": todo},
        checkpoints_local_dir=str(out / "checkpoints") if given.checkpoints else None,
        records_per_chunk=500,
    )
    corpus = Path(todo.corpus)
    reader = JsonlReader(str(corpus.parent), glob_pattern=corpus.name)
    LocalPipelineExecutor(pipeline=[reader, runner], logging_dir=str(out / "logs"), tasks=1).run()
    pairs: dict[str, list[dict[str, str]]] = {}
    for path in sorted((out / "output").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            pairs[row["id"]] = row["metadata"]["rollout_results"][0]
    job.write(out, [pair for found in pairs.values() for pair in found])


if __name__ == "__main__":
    main()
