"""Law 7: memory does not grow with the corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runs import COMMAND

BACKEND = """
import orjson
from webscale_rl.backend import BackendOptions, Reply


class Local:
    name, paid, Options = "local", True, BackendOptions

    def __init__(self, options, context):
        pass

    async def reply(self, request):
        document, stage = request.slots["document"], request.stage
        evidence = document[:80]
        asked = f"What is {document[:24]} made of, asks {request.slots.get('persona')}?"
        pair = {"evidence": evidence, "question": asked}
        pair |= {"answer": f"{document[13:16]}x iron", "answer_type": "phrase"}
        check = {"evidence": evidence, "own_answer": "iron", "answer_correct": True, "has_context": True}
        said = {
            "filter": {"reason": "an article", "informative": True, "self_contained": True},
            "classify": {"domain": "Other", "personas": ["a mason", "a smith", "a teacher"]},
            "generate": {"pairs": [pair]},
            "check": check | {"leaks_answer": False},
        }
        return Reply(orjson.dumps(said[stage]).decode())

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None
"""


# In between stands a small process: a child's peak begins with that of the process that started it, and ours is large.
MEASURED = """
import resource, subprocess, sys
print(subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_mb(folder: Path, count: int) -> float:
    """The largest resident set of the real command over so many documents of 24 KB, every answer journalled. The
    dataset is written without their texts: a row group of them, which is bounded, would hide what grows."""
    path = folder / f"{count}.jsonl"
    letters = "abcdefghijklmnopqrstuvwxyz"  # no digits: the heuristics take tables of numbers for junk
    filler = " ".join(f"stone{letters[i % 26]}{letters[i // 26 % 26]}{letters[i // 676]}" for i in range(2700))
    with path.open("w") as file:
        for at in range(count):
            name = letters[at % 26] + letters[at // 26 % 26] + letters[at // 676]
            text = f"The tower of {name} was built of iron and stone by the masons of the town. {filler}"
            file.write(json.dumps({"id": f"d{at}", "text": text}) + "\n")
    config = folder / "run.yaml"
    config.write_text(
        "shard_size: 100\nbackend: {use: 'local_backend:Local', model: m}\ntraffic: {concurrency: 8}\n"
        "dataset: {pretrain_text: false}\n"
    )
    command = [*COMMAND, "run", str(path), "-c", str(config), "--out", str(folder / f"run-{count}")]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=True, env=environment
    )
    code, kilobytes = done.stdout.split()
    assert code == "0", done.stderr
    summary = json.loads((folder / f"run-{count}" / "summary.json").read_text())
    assert summary["documents"]["kept"] == count, "what is dropped at once takes no memory whatever the runner does"
    assert summary["pairs"]["kept"] >= count
    return int(kilobytes) / 1024


def test_eight_times_the_corpus_takes_no_more_memory(tmp_path: Path) -> None:
    (tmp_path / "local_backend.py").write_text(BACKEND)
    small, large = peak_mb(tmp_path, 200), peak_mb(tmp_path, 1600)
    # kept in memory, the 1,400 documents more would be 34 MB of text alone
    assert large - small < 25, f"{small:.0f} MB, then {large:.0f} MB"
