"""How much of a server's slot time a run uses, and how near it comes to the perfect client's wall time.

    python -m benchmarks.slot_use [--documents 1000] [--slots 64] [--latency 0.2] [--tail 0.01:40]
                                  [--concurrency 64 72] [--corpus FILES...]

64 slots, 200 ms a call, 1,000 documents through four stages; with `--tail 0.01:40`, 1 % of the calls take 40 times
longer. Slot time is counted by the server: from the start of its first call until the last document has started, and
over the whole run. In the end the chains of the last documents must leave slots empty, whoever the client is: how many,
`benchmarks/perfect.py` says, for the same calls. The calls' span is from the first to the last of them; the wall time
has the process's start and the writing of the dataset beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.llm_server.books import Entry
from benchmarks.llm_server.engine import Behaviour
from benchmarks.measure import corpus, measured, server
from benchmarks.perfect import ideal, slot_use


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--tail", default="0:1", help="FRACTION:FACTOR of calls that take longer")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[64, 72])
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    args = parser.parse_args()
    fraction, factor = map(float, args.tail.split(":"))
    behaviour = Behaviour(slots=args.slots, latency_s=args.latency, tail=(fraction, factor))
    with TemporaryDirectory() as folder:
        path = corpus(Path(folder) / "corpus.jsonl", args.corpus, args.documents, least=1500)
        best = ideal([str(path)], behaviour, args.slots)
        started, whole = best.slot_use(args.slots)
        print(
            f"{'':<16} {'calls':>7} {'span s':>8} {'of perfect':>10} {'wall s':>8}"
            f" {'until last start':>17} {'whole run':>10}"
        )
        row("perfect client", best.entries, best.wall_s, best.wall_s, (started, whole))
        for concurrency in args.concurrency:
            measure(Path(folder), path, args, concurrency, best.wall_s)


def measure(folder: Path, path: Path, args: argparse.Namespace, concurrency: int, best_s: float) -> None:
    """One run."""
    log = folder / f"server-{concurrency}.jsonl"
    asked = ("--slots", args.slots, "--latency", args.latency, "--tail", args.tail, "--log", log)
    with server(*map(str, asked)) as url:
        command = [sys.executable, "-m", "webscale_rl.cli", "run", str(path), "--out", f"{folder}/run-{concurrency}"]
        cost = measured([*command, "--base-url", url, "--model", "m", "--concurrency", str(concurrency)])
    entries = [Entry(**fields) for fields in map(json.loads, log.read_text().splitlines())]
    served = [entry for entry in entries if entry.started]
    last_start = max(entry.started for entry in served if entry.stage == "filter")
    end = max(entry.ended for entry in served)
    uses = slot_use(served, args.slots, last_start), slot_use(served, args.slots, end)
    row(f"--concurrency {concurrency}", served, best_s, cost.wall_s, uses)


def row(name: str, entries: list[Entry], best_s: float, wall_s: float, uses: tuple[float, float]) -> None:
    """One line of the table."""
    span = max(entry.ended for entry in entries) - min(entry.arrived for entry in entries)
    started, whole = (f"{100 * use:.2f} %" for use in uses)
    print(f"{name:<16} {len(entries):>7,} {span:>8.2f} {span / best_s:>10.3f} {wall_s:>8.2f} {started:>17} {whole:>10}")


if __name__ == "__main__":
    main()
