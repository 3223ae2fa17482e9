"""Client CPU per call and calls/s through all four stages, durable, against an instant local server.

    python -m benchmarks.client_cost --documents 2000 --concurrency 256 [--corpus FILES...]

The limit beside it is the raw transport: the same number of the same requests by the same HTTP client and nothing else
(no rendering, no parsing, no journal), in the same run against the same server.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import corpus, measured, server, stats


async def raw(url: str, count: int, concurrency: int, body: bytes) -> None:
    """`count` posts of the same body through aiohttp."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                    await answer.read()

        await asyncio.gather(*(worker() for _ in range(concurrency)))


def raw_cost(url: str, count: int, concurrency: int) -> tuple[float, float]:
    """CPU seconds and wall seconds of the raw transport."""
    import orjson
    import uvloop

    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "x" * 8000}]})
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    uvloop.run(raw(f"{url}/chat/completions", count, concurrency, body))
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
        before = stats(url)["answered"]
        cost = measured([*command, str(path), "--out", f"{folder}/run", "--concurrency", str(args.concurrency)])
        books = stats(url)
        calls = books["answered"] - before
        cpu, wall = raw_cost(url, calls, args.concurrency)
    own_cpu, own_wall = cost.cpu_s - idle.cpu_s, cost.wall_s - idle.wall_s
    print(f"calls {calls:,}, start and end of a run (taken off below): {idle.wall_s:.2f} s")
    print(f"{'':<14} {'calls/s':>9} {'CPU ms/call':>12} {'peak MB':>8}")
    print(f"{'webscale-rl':<14} {calls / own_wall:>9,.0f} {1000 * own_cpu / calls:>12.3f} {cost.peak_mb:>8.0f}")
    print(f"{'raw transport':<14} {calls / wall:>9,.0f} {1000 * cpu / calls:>12.3f}")
    print(f"ratio of CPU: {own_cpu / cpu:.2f}")


if __name__ == "__main__":
    main()
