"""Deduplication of questions: speed, memory, and how many planted edits are found.

    python -m benchmarks.dedup [--questions 100000 1000000] [--words zipf|uniform]

Questions of 25 words, drawn from 50,000 by Zipf's law (as in language) or uniformly. Of every ten, one is a copy of its
neighbour with one or two words replaced, removed or added, and with the same answer: those should go, and nothing else.
Each size runs in a process of its own; its peak is the largest resident set. What making the questions takes is
measured by itself, and taken off.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 50_000
WORDS = 25
BATCH = 1000
PLANT_EVERY = 10


class Planted:
    """Questions as a sieve reads them, the same each time."""

    def __init__(self, count: int, words: str) -> None:
        self._count = count
        chance = random.Random(1)
        letters = "abcdefghijklmnopqrstuvwxyz"
        self._vocabulary = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(VOCABULARY)]
        share = 1 / np.arange(1, VOCABULARY + 1)
        self._share = share / share.sum() if words == "zipf" else None

    def batches(self, columns: tuple[str, ...]) -> Iterator[tuple[list[int], Any]]:
        """Batches of question, answer, id and document_id, whatever is asked for."""
        import pyarrow as pa

        from webscale_rl.dataset import arrow

        numbers, chance = np.random.default_rng(1), random.Random(1)
        for start in range(0, self._count, BATCH):
            drawn = numbers.choice(VOCABULARY, size=(BATCH, WORDS), p=self._share)
            questions = [[self._vocabulary[at] for at in row] for row in drawn]
            answers = [self._vocabulary[at] for at in numbers.integers(0, VOCABULARY, BATCH)]
            for at in range(1, BATCH, PLANT_EVERY):
                questions[at] = self._edited(questions[at - 1], chance)
                answers[at] = answers[at - 1]
            ids = [f"{start + at:032x}" for at in range(BATCH)]
            values = {
                "question": [" ".join(one) for one in questions],
                "answer": answers,
                "id": ids,
                "document_id": ids,
            }
            arrays = [arrow.column(values[name], pa.string()) for name in columns]
            yield list(range(start, start + BATCH)), pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def _edited(self, words: list[str], chance: random.Random) -> list[str]:
        edited = list(words)
        for _ in range(chance.choice((1, 2))):
            at, word = chance.randrange(len(edited)), chance.choice(self._vocabulary)
            edited[at : at + 1] = chance.choice(([word], [], [edited[at], word]))
        return edited


def measure(count: int, words: str) -> dict[str, float]:
    """One run in this process."""
    from webscale_rl.sieves.dedup import Dedup

    examples = Planted(count, words)
    began = time.process_time()
    for _ in examples.batches(("question", "answer", "id", "document_id")):
        pass
    making = time.process_time() - began
    began, wall = time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        gone = {found.row for found in Dedup(Dedup.Options()).judge(examples, Path(scratch))}
    found = sum(1 for at in range(1, count, PLANT_EVERY) if at in gone or at - 1 in gone)
    return {
        "questions": count,
        "wall_s": time.monotonic() - wall - making,
        "cpu_s": time.process_time() - began - making,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "recall": found / (count // PLANT_EVERY),
        "wrong": sum(1 for row in gone if row % PLANT_EVERY > 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--words", choices=["zipf", "uniform"], default="zipf")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.questions[0], given.words)))
        return
    print(
        f"{'questions':>12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'recall':>8} {'wrong':>6} {'per CPU second':>15}"
    )
    for count in given.questions:
        command = [sys.executable, "-m", "benchmarks.dedup", "--questions", str(count), "--words", given.words, "--one"]
        row = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        print(
            f"{row['questions']:>12,} {row['wall_s']:>8.1f} {row['cpu_s']:>8.1f} {row['peak_mb']:>8.0f}"
            f" {row['recall']:>8.4f} {row['wrong']:>6} {row['questions'] / row['cpu_s']:>15,.0f}"
        )


if __name__ == "__main__":
    main()
