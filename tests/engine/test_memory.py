"""Law 7: memory does not grow with the corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runs import COMMAND, documents

BACKEND = """
import orjson
from benchmarks.llm_server import replies
from webscale_rl.backend import BackendOptions, Reply


class Local:
    name, paid, Options = "local", True, BackendOptions

    def __init__(self, options, context):
        pass

    async def reply(self, request):
        asked = replies.understand({"messages": request.messages()}, request.stage)
        return Reply(orjson.dumps(replies.answer(asked)).decode())

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
    """The largest resident set of the real command over so many documents of 12 KB, every answer journalled."""
    path = folder / f"{count}.jsonl"
    letters = "abcdefghijklmnopqrstuvwxyz"  # no digits: the heuristics take tables of numbers for junk
    filler = " ".join(f"stone{letters[i % 26]}{letters[i // 26 % 26]}{letters[i // 676]}" for i in range(1300))
    with path.open("w") as file:
        for document in documents(count):
            text = f"{document['text']}\n\n{filler} {document['id']}"
            file.write(json.dumps(document | {"text": text}) + "\n")
    config = folder / "run.yaml"
    config.write_text("shard_size: 100\nbackend: {use: 'local_backend:Local', model: m}\ntraffic: {concurrency: 8}\n")
    command = [*COMMAND, "run", str(path), "-c", str(config), "--out", str(folder / f"run-{count}")]
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], capture_output=True, text=True, check=True, env=environment
    )
    code, kilobytes = done.stdout.split()
    assert code == "0", done.stderr
    kept = json.loads((folder / f"run-{count}" / "summary.json").read_text())["documents"]["kept"]
    assert kept == count, "what is dropped at once takes no memory whatever the runner does"
    return int(kilobytes) / 1024


def test_ten_times_the_corpus_takes_no_more_memory(tmp_path: Path) -> None:
    (tmp_path / "local_backend.py").write_text(BACKEND)
    small, large = peak_mb(tmp_path, 300), peak_mb(tmp_path, 3000)
    # kept in memory, the 2,700 documents more would be 32 MB of text alone, and their pairs and answers as much again
    assert large - small < 20, f"{small:.0f} MB, then {large:.0f} MB"
