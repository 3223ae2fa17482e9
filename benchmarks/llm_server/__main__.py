"""The simulated server as a process: prints its base URL, then serves until it is killed."""

from __future__ import annotations

import argparse
import contextlib
import threading
from pathlib import Path

from benchmarks.llm_server.server import LLMServer


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="a chat completions server that answers by rule")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=1_000_000, help="requests served at a time; the others wait")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of service")
    parser.add_argument(
        "--prefill-rate", type=float, help="uncached prompt tokens per second and slot, added to --latency"
    )
    parser.add_argument("--decode-rate", type=float, help="tokens of the answer per second and slot, likewise")
    parser.add_argument("--cache-blocks", type=int, default=0, help="blocks of 16 tokens in the prefix cache")
    parser.add_argument("--tail", default="0:1", help="FRACTION:FACTOR of requests that take longer")
    parser.add_argument("--api-key")
    parser.add_argument("--models", default="", help="comma-separated; others are 404")
    parser.add_argument(
        "--unsupported", default="", help="json_schema,json_object_schema,json_object,temperature,max_tokens,top_p,seed"
    )
    parser.add_argument("--context-chars", type=int)
    parser.add_argument("--rpm", type=int, help="requests per minute, announced in x-ratelimit headers")
    parser.add_argument("--tpm", type=int, help="prompt tokens per minute, announced likewise")
    parser.add_argument("--rate-limit", help="COUNT:SECONDS, without headers")
    parser.add_argument("--reject-beyond", metavar="N[:STATUS]", help="429, or that status, beyond so many at once")
    parser.add_argument("--queue", type=int, help="503 beyond so many waiting")
    parser.add_argument("--stall", type=float, default=10.0, help="seconds that the fault stall takes")
    parser.add_argument("--retry-after", help="header of scripted 429 and 503, and of --reject-beyond")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=P")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="append every finished request as JSON")
    return parser.parse_args()


def main() -> None:
    """Serve until killed; the first line of stdout is the base URL."""
    given = _options()
    fraction, factor = given.tail.split(":")
    count, _, window = (given.rate_limit or "").partition(":")
    most, _, status = (given.reject_beyond or "").partition(":")
    server = LLMServer(
        port=given.port,
        log=given.log,
        slots=given.slots,
        latency_s=given.latency,
        prefill_rate=given.prefill_rate,
        decode_rate=given.decode_rate,
        cache_blocks=given.cache_blocks,
        rpm=given.rpm,
        tpm=given.tpm,
        reject_beyond=(int(most), int(status or 429)) if most else None,
        tail=(float(fraction), float(factor)),
        api_key=given.api_key,
        models=tuple(filter(None, given.models.split(","))),
        unsupported=frozenset(filter(None, given.unsupported.split(","))),
        context_chars=given.context_chars,
        rate_limit=(int(count), float(window)) if count else None,
        queue=given.queue,
        stall_s=given.stall,
        retry_after=given.retry_after,
        faults={kind: float(share) for kind, _, share in (fault.partition("=") for fault in given.fault)},
        seed=given.seed,
    )
    with server, contextlib.suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
