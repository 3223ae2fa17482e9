"""Peer: a plain script with asyncio and the `openai` client, as most people write it first.

Best settings: uvloop, the client's aiohttp transport (its fastest), its own retries raised from 2 to 8, a semaphore,
and a document that goes through all its stages on its own (no barrier between them). It keeps no checkpoint.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import uvloop
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAIError

from benchmarks.peers import job
from benchmarks.peers.job import MODEL, Job, Messages


async def main() -> None:
    given = job.arguments()
    todo: Job = given.job
    slots = asyncio.Semaphore(given.concurrency)
    http = DefaultAioHttpClient(timeout=given.timeout)
    async with AsyncOpenAI(
        base_url=given.url, api_key="none", max_retries=8, timeout=given.timeout, http_client=http
    ) as client:

        async def ask(stage: str, messages: Messages) -> dict[str, Any]:
            async with slots:
                completion: Any = await client.chat.completions.create(
                    model=MODEL,
                    messages=messages,  # type: ignore[arg-type]
                    response_format=todo.response_format(stage),  # type: ignore[arg-type]
                    **todo.sampling[stage],
                )
            reply: dict[str, Any] = json.loads(completion.choices[0].message.content)
            return reply

        async def pair(document: dict[str, str], domain: str, persona: str) -> list[dict[str, str]]:
            text = document["text"]
            made = (await ask("generate", todo.generate(text, domain, persona)))["pairs"]
            if not made:
                return []
            verdict = await ask("check", todo.check(text, made[0]["question"], made[0]["answer"]))
            return [job.kept(document, persona, made[0])] if job.passes(verdict) else []

        async def carry(document: dict[str, str]) -> list[dict[str, str]]:
            try:
                if not job.wanted(await ask("filter", todo.filter(document["text"]))):
                    return []
                named = await ask("classify", todo.classify(document["text"]))
                flows = [pair(document, named["domain"], persona) for persona in job.personas(named)]
                return [found for pairs in await asyncio.gather(*flows) for found in pairs]
            except (OpenAIError, ValueError, KeyError, TypeError) as error:
                print(f"{document['id']}: {type(error).__name__}: {error}")
                return []

        results = await asyncio.gather(*map(carry, todo.documents()))
    job.write(given.out, [found for pairs in results for found in pairs])


if __name__ == "__main__":
    uvloop.run(main())
