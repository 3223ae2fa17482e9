"""Client CPU per call and calls/s through all four stages, durable, against an instant local server.

    python -m benchmarks.client_cost --documents 2000 --concurrency 256 [--corpus FILES...]

The limits beside it are raw transports: as many requests of the mean length by our HTTP client and nothing else (no
rendering, no parsing, no journal), and by aiohttp, in the same run against the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import corpus, measured, server, stats

HEADERS = {"Content-Type": "application/json"}
Client = Callable[[str, int, int, bytes], Coroutine[Any, Any, None]]


async def raw(url: str, count: int, concurrency: int, body: bytes) -> None:
    """`count` posts of the same body through our own client."""
    from webscale_rl.backends.transport import Http

    async with Http(300.0, 10.0) as client:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                await client.send("POST", url, HEADERS, body)

        await asyncio.gather(*(worker() for _ in range(concurrency)))


async def raw_aiohttp(url: str, count: int, concurrency: int, body: bytes) -> None:
    """The same through aiohttp."""
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                async with session.post(url, data=body, headers=HEADERS) as answer:
                    await answer.read()

        await asyncio.gather(*(worker() for _ in range(concurrency)))


def raw_cost(client: Client, url: str, count: int, concurrency: int, letters: int) -> tuple[float, float]:
    """CPU seconds and wall seconds of a raw transport with prompts of so many letters."""
    import orjson
    import uvloop

    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * letters}]})
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    uvloop.run(client(f"{url}/chat/completions", count, concurrency, body))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    args = parser.parse_args()
    with TemporaryDirectory() as folder, server() as url:
        path = corpus(Path(folder) / "corpus.jsonl", args.corpus, args.documents, least=1500)
        command = [sys.executable, "-m", "webscale_rl.cli", "run", "--base-url", url, "--model", "m"]
        idle = measured([*command, "sample:", "--limit", "1", "--out", f"{folder}/warm"])
        before = stats(url)
        cost = measured([*command, str(path), "--out", f"{folder}/run", "--concurrency", str(args.concurrency)])
        books = stats(url)
        calls = books["answered"] - before["answered"]
        letters = 4 * (books["prompt_tokens"] - before["prompt_tokens"]) // calls  # the server's tokens have four
        limits = {
            "raw transport": raw_cost(raw, url, calls, args.concurrency, letters),
            "raw aiohttp": raw_cost(raw_aiohttp, url, calls, args.concurrency, letters),
        }
    own_cpu, own_wall = cost.cpu_s - idle.cpu_s, cost.wall_s - idle.wall_s
    print(f"calls {calls:,}, start and end of a run (taken off below): {idle.wall_s:.2f} s")
    print(f"{'':<14} {'calls/s':>9} {'CPU ms/call':>12} {'peak MB':>8}")
    print(f"{'webscale-rl':<14} {calls / own_wall:>9,.0f} {1000 * own_cpu / calls:>12.3f} {cost.peak_mb:>8.0f}")
    for name, (cpu, wall) in limits.items():
        print(f"{name:<14} {calls / wall:>9,.0f} {1000 * cpu / calls:>12.3f}")


if __name__ == "__main__":
    main()
