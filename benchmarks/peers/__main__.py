"""The same job done by us and by our peers, on the same simulated server, one after another.

    python -m benchmarks.peers --venvs DIR --make-venvs          environments of pinned versions (needs an index)
    python -m benchmarks.peers --venvs DIR [--documents 1000] [--only NAME...] [--json FILE]

Four stages (filter, classify, three times generate and check) over the same documents with the same prompts, 64 calls
in flight, a server with 64 slots and 200 ms a call. For each tool four runs: 4 documents (what starting costs), all
documents, all documents killed with SIGKILL when half of the calls are answered and started again, and all documents
with 5 % faults: connections reset, 503, 429, answers that take 8 s where the client waits 5, malformed bodies,
truncated replies. A script of this folder says in its first lines how its tool was set up.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.llm_server.engine import Behaviour
from benchmarks.measure import corpus, server
from benchmarks.peers import runs, venvs
from benchmarks.peers.job import Job
from benchmarks.perfect import ideal

OURS = "webscale-rl"
FAULTS = ("reset", "503", "429", "stall", "bad_json", "cut")
FAULT_SHARE = 0.05
TIMEOUT_S = 5
STALL_S = 8
FEW = 4
"""Documents of the run that shows what starting and ending cost; Data Designer cannot do with one."""
CACHE_BLOCKS = 16_384
"""Of 16 tokens: what a card of 80 GB has left for the cache of a model of 8 billion parameters, about."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table. None: not measured, or not to be had."""

    name: str
    start_s: float
    wall_s: float | None
    over_perfect: float | None
    span_over_perfect: float | None
    cpu_ms: float | None
    peak_mb: float | None
    prefilled: int
    calls: int
    paid_twice: int | None
    in_service: int | None
    lost: int | None
    faulty_wall: float | None


class Bench:
    """All runs of all tools, over the same documents."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.jobs = {}
        for name, count in (("few", FEW), ("all", given.documents)):
            documents = corpus(folder / name / "corpus.jsonl", given.corpus, count, least=1500)
            self.jobs[name] = (documents, folder / name / "job.json")
            Job.export(*self.jobs[name])
        self.settings = folder / "run.yaml"
        self.settings.write_text(f"backend: {{use: openai, timeout_s: {TIMEOUT_S}}}\n", encoding="utf-8")
        behaviour = Behaviour(slots=given.slots, latency_s=given.latency)
        inputs = [str(self.jobs["all"][0])]
        asked = ("filter", "classify", "generate", "check")
        self.perfect = {
            True: ideal(inputs, behaviour, given.slots).wall_s,
            False: ideal(inputs, behaviour, given.slots, pipeline=asked, sieves=()).wall_s,
        }

    def command(self, name: str, job: str, url: str, out: Path) -> list[str]:
        """A tool's command line."""
        given, (documents, path) = self.given, self.jobs[job]
        if name == OURS:
            ours = [sys.executable, "-m", "webscale_rl.cli", "run", str(documents), "--out", str(out)]
            ours += ["-c", str(self.settings), "--base-url", url, "--model", "m"]
            return [*ours, "--concurrency", str(given.concurrency)]
        peer = next(peer for peer in venvs.PEERS if peer.name == name)
        return peer.command(given.venvs, path, url, out, given.concurrency, TIMEOUT_S)

    def row(self, name: str) -> Row:
        """All runs of one tool."""
        folder = self.folder / name.replace(" ", "_")
        folder.mkdir()
        start, few = self._run(name, "few", folder / "few")
        plain, entries = self._run(name, "all", folder / "all")
        calls = len(entries)
        twice = in_service = lost = faulty_wall = None
        if "kill" in self.given.runs and plain.returncode in (0, 1):
            twice, in_service = self._killed(name, folder / "killed", entries)
        if "faults" in self.given.runs and plain.returncode in (0, 1):
            share = FAULT_SHARE / len(FAULTS)
            faults = [word for kind in FAULTS for word in ("--fault", f"{kind}={share}")]
            faulty, _ = self._run(name, "all", folder / "faults", *faults, "--stall", str(STALL_S))
            lost = runs.documents_lost(pairs(name, folder / "faults"), pairs(name, folder / "all"))
            faulty_wall = faulty.wall_s / plain.wall_s
        best = self.perfect[name == OURS]
        span = max((e.ended for e in entries), default=0) - min((e.arrived for e in entries), default=0)
        done = plain.returncode in (0, 1)
        return Row(
            name=name,
            start_s=start.wall_s,
            wall_s=plain.wall_s if done else None,
            over_perfect=plain.wall_s / best if done else None,
            span_over_perfect=span / best if done else None,
            cpu_ms=1000 * (plain.cpu_s - start.cpu_s) / max(1, calls - len(few)),
            peak_mb=plain.peak_mb,
            prefilled=sum(e.prompt_tokens - e.cached_tokens for e in entries),
            calls=calls,
            paid_twice=twice,
            in_service=in_service,
            lost=lost,
            faulty_wall=faulty_wall,
        )

    def _serving(self, log: Path) -> list[str]:
        given = self.given
        fixed = ["--slots", given.slots, "--latency", given.latency, "--cache-blocks", CACHE_BLOCKS, "--log", log]
        return [str(word) for word in fixed]

    def _run(self, name: str, job: str, folder: Path, *serving: str) -> tuple[runs.Run, list[Any]]:
        folder.mkdir()
        log = folder / "server.jsonl"
        with server(*self._serving(log), *serving) as url:
            tree = runs.Tree(self.command(name, job, url, folder / "out"), folder / "client.log")
            found = tree.end(self.given.limit)
        print(f"{name}, {folder.name}: {found}", file=sys.stderr, flush=True)
        return found, runs.books(log)

    def _killed(self, name: str, folder: Path, whole: list[Any]) -> tuple[int | None, int]:
        folder.mkdir()
        log = folder / "server.jsonl"
        with server(*self._serving(log)) as url:
            command = self.command(name, "all", url, folder / "out")
            second, in_service = runs.killed_at_half(
                lambda: runs.Tree(command, folder / "client.log"), log, len(whole) // 2, self.given.limit
            )
        entries = runs.books(log)
        print(f"{name}, killed: {second}, {in_service} in service", file=sys.stderr, flush=True)
        same = pairs(name, folder) == pairs(name, folder.parent / "all")
        return (runs.paid_twice(entries, whole) if second.returncode in (0, 1) and same else None), in_service


def pairs(name: str, folder: Path) -> list[dict[str, str]]:
    """The pairs that a run kept, in an order that does not depend on it; none if it left none."""
    if name != OURS:
        path = folder / "out" / "pairs.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    import pyarrow.parquet as pq

    found = []
    for path in sorted((folder / "out" / "dataset").glob("*.parquet")):
        for row in pq.read_table(path, columns=["document_id", "persona", "question", "answer"]).to_pylist():
            found.append({"id": row.pop("document_id"), **row})
    return sorted(found, key=json.dumps)


def table(rows: list[Row], perfect_s: float) -> str:
    """The rows as Markdown."""

    def shown(value: float | None, form: str) -> str:
        return "-" if value is None or math.isnan(value) else format(value, form)

    lines = [
        f"| perfect client: {perfect_s:.1f} s | start, s | wall time, s | over the perfect client's | calls alone"
        " | client CPU per call, ms | peak memory, MB | prefilled tokens, M | paid twice (in service at the kill)"
        " | documents lost to 5 % faults | wall time with faults |",
        "|" + "---|" * 11,
    ]
    for row in rows:
        twice = "-" if row.in_service is None else f"{shown(row.paid_twice, ',')} ({row.in_service})"
        cells = [
            row.name, shown(row.start_s, ".1f"), shown(row.wall_s, ".1f"), shown(row.over_perfect, ".3f"),
            shown(row.span_over_perfect, ".3f"), shown(row.cpu_ms, ".2f"), shown(row.peak_mb, ",.0f"),
            f"{row.prefilled / 1e6:.2f}", twice, shown(row.lost, ","), shown(row.faulty_wall, ".2f"),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venvs", type=Path, required=True, help="folder of the peers' environments")
    parser.add_argument("--make-venvs", action="store_true", help="make them first")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--corpus", nargs="+", default=["sample:"])
    parser.add_argument("--only", nargs="+", default=[OURS, *(peer.name for peer in venvs.PEERS)])
    parser.add_argument("--runs", nargs="*", default=["kill", "faults"], choices=["kill", "faults"])
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is given up")
    parser.add_argument("--json", type=Path, help="append the rows to this file")
    parser.add_argument("--folder", type=Path, help="keep all runs here")
    given = parser.parse_args()
    if given.make_venvs:
        venvs.make(given.venvs)
    with TemporaryDirectory() as temporary:
        bench = Bench(given, given.folder or Path(temporary))
        rows = []
        for name in given.only:
            rows.append(bench.row(name))
            if given.json:
                with given.json.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(dataclasses.asdict(rows[-1])) + "\n")
    print(table(rows, bench.perfect[True]))


if __name__ == "__main__":
    main()
