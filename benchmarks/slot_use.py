"""How much of a server's slot time a run uses: 64 slots, 200 ms a call, 1,000 documents through four stages.

    python -m benchmarks.slot_use [--documents 1000] [--slots 64] [--latency 0.2] [--concurrency 64 72] [--corpus F...]

Slot time is counted by the server: from the start of its first call until the last document has started, and over the
whole run. In the end the chains of the last documents must leave slots empty, whoever the client is.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import corpus, measured, server


def slot_use(entries: list[dict[str, Any]], slots: int, until: float) -> float:
    """The share of slot time in service between the first start and `until`."""
    since = min(entry["started"] for entry in entries)
    busy = sum(max(0.0, min(entry["ended"], until) - entry["started"]) for entry in entries)
    return busy / (slots * (until - since))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 72])
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = corpus(Path(folder) / "corpus.jsonl", args.corpus, args.documents, least=1500)
        for concurrency in args.concurrency:
            measure(Path(folder), path, args, concurrency)


def measure(folder: Path, path: Path, args: argparse.Namespace, concurrency: int) -> None:
    """One run."""
    log = folder / f"server-{concurrency}.jsonl"
    with server("--slots", str(args.slots), "--latency", str(args.latency), "--log", str(log)) as url:
        command = [sys.executable, "-m", "webscale_rl.cli", "run", str(path), "--out", f"{folder}/run-{concurrency}"]
        cost = measured([*command, "--base-url", url, "--model", "m", "--concurrency", str(concurrency)])
    entries = [entry for entry in map(json.loads, log.read_text().splitlines()) if entry["started"]]
    last_start = max(entry["started"] for entry in entries if entry["stage"] == "filter")
    end = max(entry["ended"] for entry in entries)
    ideal = len(entries) * args.latency / args.slots
    print(f"concurrency {concurrency}: {len(entries):,} calls, ideal {ideal:.1f} s, wall {cost.wall_s:.1f} s in all")
    print(
        f"  slot time used until the last document has started: {100 * slot_use(entries, args.slots, last_start):.2f} %"
    )
    print(f"  slot time used over the whole run:                  {100 * slot_use(entries, args.slots, end):.2f} %")


if __name__ == "__main__":
    main()
