"""EvalPlus: programs for HumanEval and MBPP, judged by running them (Liu et al. 2023, arXiv 2305.01210).

It executes what a model wrote. So it runs only where a user allowed it, and in processes of its own: EvalPlus's command
writes the programs and tests them under its own limits of time and memory. That guards against accidents, not against
hostile code: run it in a container.

Its data come from its releases on GitHub, or from its cache.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from webscale_rl.evaluation.options import Options
from webscale_rl.evaluation.results import Result, RowFailed
from webscale_rl.evaluation.statistics import mean
from webscale_rl.evaluation.suites import SuiteRow
from webscale_rl.ledger import Ledger

NOT_ALLOWED = "executes code that the model wrote; --allow-code-execution runs it"
_PASS = "pass"
_NOISE = re.compile(r"\x1b\[[0-9;]*m")


def evaluate(row: SuiteRow, name: str, options: Options, folder: Path) -> Result:
    """The row's result; not run unless code may be executed. Raises RowFailed."""
    if not options.allow_code:
        return Result(row.name, row.kind, "not_run", why=NOT_ALLOWED)
    if options.limit is not None:
        return Result(row.name, row.kind, "not_run", why="EvalPlus runs as a whole or not at all; leave out --limit")
    if importlib.util.find_spec("evalplus") is None:
        raise RowFailed("needs EvalPlus: pip install evalplus==0.3.1")
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{row.slug}.log"
    with log.open("ab") as out:
        done = subprocess.run(
            _command(row, name, options, folder), stdout=out, stderr=out, env=_env(options), check=False
        )
    if done.returncode != 0:
        raise RowFailed(f"evalplus.evaluate ended with {done.returncode}: {_last(log)}; all of it: {log}")
    kept = sorted((folder / str(row.evalplus)).glob("*_eval_results.json"))
    if len(kept) != 1:
        raise RowFailed(f"evalplus.evaluate left {len(kept)} results in {folder / str(row.evalplus)}; see {log}")
    passed = passes(orjson.loads(kept[0].read_bytes()), row.tests)
    found = mean(list(passed.values()))
    if found is None:
        raise RowFailed(f"{kept[0]}: no program in it")
    return Result(
        row.name,
        row.kind,
        "done",
        score=found.value,
        stderr=found.stderr,
        count=found.count,
        metric=f"pass@1, {row.tests} tests",
        shots=0,
        ledger=Ledger(
            rollout=_tokens(kept[0]), usd=None if options.base_url else 0.0, seconds=time.monotonic() - started
        ),
        questions=passed,
    )


def passes(told: dict[str, Any], tests: str) -> dict[str, float]:
    """The share of each task's programs that passed: the original tests, or ("plus") those and the added ones."""
    needed = ("base_status",) if tests == "base" else ("base_status", "plus_status")
    return {
        task: sum(all(one[key] == _PASS for key in needed) for one in programs) / len(programs)
        for task, programs in told["eval"].items()
        if programs
    }


def _command(row: SuiteRow, name: str, options: Options, folder: Path) -> list[str]:
    given = ["--dataset", str(row.evalplus), "--model", name, "--greedy", "--root", str(folder)]
    if options.base_url is None:
        given += ["--backend", "hf"] + ([] if options.chat else ["--force_base_prompt"])
    else:
        given += ["--backend", "openai", "--base_url", options.base_url]
    return [sys.executable, "-m", "evalplus.evaluate", *given]


def _env(options: Options) -> dict[str, str]:
    """EvalPlus takes a GPU that it sees."""
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if options.device == "cpu" else {}
    return {**os.environ, **hidden}


def _tokens(results: Path) -> int:
    """About what was sampled: EvalPlus keeps the programs as text, a base model's with their prompts."""
    from webscale_rl.evaluation.harness import BYTES_PER_TOKEN

    raw = results.with_name(results.name.replace("_eval_results.json", ".raw.jsonl"))
    if not raw.exists():
        return 0
    with raw.open("rb") as file:
        sizes = (len(orjson.loads(line)["solution"].encode("utf-8", "replace")) for line in file if line.strip())
        return sum(-(-size // BYTES_PER_TOKEN) for size in sizes)


def _last(log: Path) -> str:
    """The last line of a log that says something, fit for a terminal."""
    lines = [line.strip() for line in _NOISE.sub("", log.read_text("utf-8", "replace")).splitlines() if line.strip()]
    shown = "".join(character if character.isprintable() else "?" for character in lines[-1]) if lines else "no output"
    return shown[:200]
