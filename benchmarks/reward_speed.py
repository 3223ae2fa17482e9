r"""How fast the reward's rules decide: free text, marked answers, and responses made to be slow. CPU time of one core.

python -m benchmarks.reward_speed [--cases FOLDER] [--profile]

Free text is every labelled case as it is, but those that are marked. Marked answers are the short ones of these as
`\boxed{...}` behind four sentences of reasoning. Every reference was graded before, as in
training, where a question is sampled many times; no response was.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.reward.test_rule import ANSWERS, HOSTILE
from webscale_rl.reward import Reference, reward

CASES = Path(__file__).parent.parent / "tests" / "reward" / "cases"
MARKS = ("<answer>", "\\boxed", "\\fbox", "####", "nswer:", "answer is", '"answer"')
SHORT = 60
"""Characters. What a model puts into a box is short."""
REASONING = (
    "Let me think about this step by step. The question asks for one thing only. I recall what I know of it and weigh"
    " what could speak against it. So I am confident.\n\n"
)


class Asked(NamedTuple):
    """One call of `reward`."""

    response: str
    ground_truth: str | list[str]
    question: str


class Times(NamedTuple):
    """Seconds of one decision each."""

    seconds: list[float]

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        per_second = len(ordered) / sum(ordered)
        shown = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
        p50, p99 = shown
        return f"{per_second:>8,.0f}/s   p50 {p50:6.3f} ms   p99 {p99:6.2f} ms   max {ordered[-1] * 1e3:6.1f} ms"


def read(folder: Path) -> tuple[list[Asked], list[Asked]]:
    """Free text, and marked answers."""
    rows = [
        msgspec.json.decode(line)
        for path in sorted(folder.glob("*.jsonl"))
        if path.stem != "attacks"
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]
    free = [row for row in rows if not any(mark in row["response"] for mark in MARKS)]
    return (
        [Asked(row["response"], row["ground_truth"], row["question"]) for row in free],
        [
            Asked(f"{REASONING}\\boxed{{{row['response']}}}", row["ground_truth"], row["question"])
            for row in free
            if len(row["response"]) <= SHORT
        ],
    )


def timed(calls: Sequence[Asked]) -> Times:
    """Times of all calls, each made once: no response was seen before, every reference was."""
    for call in calls:
        reward("Nothing of the kind.", call.ground_truth, call.question)
    return Times([_seconds(partial(reward, *call)) for call in calls])


def hostile() -> list[tuple[str, str, float]]:
    """The slowest type for every response that was made to be slow."""
    references = [Reference(answer, name) for name, answer in ANSWERS.items()]  # type: ignore[arg-type]
    found = []
    for name, response in HOSTILE.items():
        took = {reference.type: _decided_in(response, reference) for reference in references}
        worst = max(took, key=took.__getitem__)
        found.append((name, worst, took[worst]))
    return sorted(found, key=lambda one: -one[2])


def _decided_in(response: str, reference: Reference) -> float:
    """The better of two times: the first may be that of an import."""
    return min(_seconds(partial(reward, response, reference, "What is it?")) for _ in range(2))


def _seconds(work: Callable[[], object]) -> float:
    before = time.thread_time()
    work()
    return time.thread_time() - before


def import_seconds(times: int = 5) -> float:
    """What `import webscale_rl.reward` takes a new process: the best of a few."""
    code = "import time; before = time.thread_time(); import webscale_rl.reward; print(time.thread_time() - before)"
    command = [sys.executable, "-c", code]
    return min(float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument("--profile", action="store_true", help="where the time goes on free text, instead")
    args = parser.parse_args()
    free, marked = read(args.cases)
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(timed, free)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    print(f"free text, {len(free):,} cases       {timed(free)}")
    print(f"marked answers, {len(marked):,} cases  {timed(marked)}")
    for name, kind, seconds in hostile():
        print(f"  {name:<18} {len(HOSTILE[name]):>8,} characters {seconds * 1e3:>8.1f} ms  ({kind})")
    print(f"import webscale_rl.reward {import_seconds() * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
