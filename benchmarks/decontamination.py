"""What decontamination finds, what it takes for contaminated by mistake, and how fast it is; ours and others'.

    python -m benchmarks.decontamination BENCHMARKS DOCUMENTS... [--venv DIR [--make-venv]] [--json FILE]

BENCHMARKS is a folder of JSON Lines with `question` and `answer`, DOCUMENTS are JSON Lines with a `text`. DIR is an
environment with lm-evaluation-harness and datatrove; --make-venv makes it. Recall: 2,000 items drawn at random, as they
are and changed. Mistakes: the documents, whole and cut to 2,800 characters, and the questions that stand in them; some
may overlap a benchmark in truth. Speed: CPU time of one process, the best of three passes of ours, one of the others'.
Ours is fed in batches, as the command does it; the answers are kept back.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import decontaminators
from webscale_rl.sieves.benchmark import Benchmark
from webscale_rl.sieves.contamination import Index
from webscale_rl.sieves.matcher import Matcher

REQUIRES = ("lm_eval==0.4.13", "datatrove[processing]==0.10.1", "spacy")
SAMPLE = 2_000
CUT = 2_800

Items = list[tuple[str, str]]
Result = dict[str, dict[str, Any]]


def load(folder: Path) -> Items:
    found = []
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found += [(row["question"], row["answer"]) for row in map(json.loads, data.splitlines())]
    return found


def changes(items: Items, rng: random.Random) -> dict[str, Callable[[str], str]]:
    vocabulary = [word for question, _ in items[::10] for word in question.split()]

    def with_dash(text: str) -> str:
        words = text.split(" ")
        at = rng.randrange(1, len(words)) if len(words) > 1 else 0
        return " ".join([*words[:at], "-", *words[at:]])

    def replaced(text: str) -> str:
        words = text.split()
        for at in rng.sample(range(len(words)), max(1, round(len(words) / 5))):
            words[at] = rng.choice(vocabulary)
        return " ".join(words)

    return {
        "as they are": str,
        "upper case": str.upper,
        "no punctuation": lambda text: text.translate(str.maketrans("", "", string.punctuation)),
        "one lone dash": with_dash,
        "within a question": lambda text: f"Here is a question for you to think about: {text} Give only the result.",
        "a fifth replaced": replaced,
    }


def texts(items: Items, documents: Sequence[str]) -> dict[str, list[str]]:
    rng = random.Random(7)
    drawn = [question for question, _ in rng.sample(items, min(SAMPLE, len(items)))]
    found = {name: [change(text) for text in drawn] for name, change in changes(items, rng).items()}
    lines = [line.strip() for text in documents for line in re.split(r"(?<=[.?!])\s+|\n", text)]
    questions = [line for line in dict.fromkeys(lines) if line.endswith("?") and 4 <= len(line.split()) <= 60]
    found["documents"] = [*documents]
    found["pages"] = [text[:CUT] for text in documents if len(text) >= CUT]
    found["questions"] = questions
    return found


def ours(items: Items, given: dict[str, list[str]]) -> Result:
    matcher = Matcher(Index([Benchmark.of("all", items)]))
    told: Result = {}
    for name, some in given.items():
        seconds = []
        for _ in range(3):
            began = time.process_time()
            hits = matcher.find(some)
            seconds.append(time.process_time() - began)
        told[name] = {"flags": [hit is not None for hit in hits], "seconds": min(seconds)}
    return told


def theirs(name: str, venv: Path, items: Items, given: dict[str, list[str]]) -> Result | None:
    """What the peer says; None if it is not in the environment."""
    with tempfile.TemporaryDirectory() as folder:
        job, result = Path(folder) / "job.json", Path(folder) / "result.json"
        job.write_text(json.dumps({"items": items, "texts": given}), encoding="utf-8")
        python = venv / "bin" / "python"
        subprocess.run([python, decontaminators.__file__, name, job, result], check=True, stderr=subprocess.DEVNULL)
        told: Result = json.loads(result.read_text(encoding="utf-8"))
    if "missing" in told:
        print(f"{name}: not there ({told['missing']})", file=sys.stderr)
        return None
    return told


def table(results: dict[str, Result], given: dict[str, list[str]]) -> str:
    """Markdown: found of each kind, mistakes, texts a second."""

    def share(result: Result, name: str, digits: int) -> str:
        flags = result[name]["flags"]
        return f"{sum(flags) / max(1, len(flags)):.{digits}%}"

    wrong = ("documents", "pages", "questions")
    lines = ["| | " + " | ".join(results) + " |", "|---" * (len(results) + 1) + "|"]
    for name, some in given.items():
        digits, what = (2, "by mistake: ") if name in wrong else (1, "found: ")
        cells = " | ".join(share(result, name, digits) for result in results.values())
        lines.append(f"| {what}{name} ({len(some):,}) | {cells} |")
    for name, what in (("pages", f"documents of {CUT:,} characters"), ("questions", "questions")):
        rates = (len(given[name]) / result[name]["seconds"] for result in results.values())
        lines.append(f"| {what} a second | " + " | ".join(f"{rate:,.0f}" for rate in rates) + " |")
    return "\n".join(lines)


def make(venv: Path) -> None:
    """The environment. Raises CalledProcessError where pip fails."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-q", *REQUIRES], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", type=Path)
    parser.add_argument("documents", type=Path, nargs="+")
    parser.add_argument("--venv", type=Path)
    parser.add_argument("--make-venv", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    items = load(asked.benchmarks)
    documents = [json.loads(line)["text"] for path in asked.documents for line in path.read_bytes().splitlines()]
    given = texts(items, documents)
    results = {"webscale-rl": ours(items, given)}
    if asked.venv is not None:
        if asked.make_venv:
            make(asked.venv)
        for name in decontaminators.PEERS:
            if (told := theirs(name, asked.venv, items, given)) is not None:
                results[name] = told
    print(table(results, given))
    if asked.json is not None:
        asked.json.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
