"""The labelled cases of tests/reward/cases, scored by our rules and by what others use as a reward.

    python -m benchmarks.reward_peers --venv DIR [--make-venv] [--json FILE] [NAME...]

DIR is an environment with Math-Verify and verl (its graders alone, without its dependencies); --make-venv makes it.
Each grader sees the responses as they are, and in a second row (*) our extracted answer in the form that it wants most:
in a box, behind "####" or "Answer:", in <answer> tags. A verdict of None counts as not right. Decisions per second of
CPU time, one process; the first pass over the cases, so nothing of a case is cached, after some that import what is
imported late.

Exact match after SQuAD's normalisation: lower case, no punctuation, no articles, single spaces (Rajpurkar et al. 2016).
"""

from __future__ import annotations

import argparse
import json
import re
import string
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import graders
from webscale_rl.reward import reward

CASES = Path(__file__).parents[1] / "tests" / "reward" / "cases"
REQUIRES = ("math-verify[antlr4_11_0]==0.9.0", "pylatexenc==2.10", "numpy", "packaging")
"""SymPy's own reader of LaTeX, which verl's prime_math uses, knows this version of antlr4 alone."""
WITHOUT_DEPENDENCIES = ("verl==0.9.1",)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
WRAPPED: dict[str, Callable[[str], str]] = {
    "Math-Verify": lambda answer: f"\\boxed{{{answer}}}",
    "verl math_reward": lambda answer: f"\\boxed{{{answer}}}",
    "verl math_dapo": lambda answer: f"Answer: {answer}",
    "verl prime_math": lambda answer: f"\\boxed{{{answer}}}",
    "verl gsm8k": lambda answer: f"#### {answer}",
    "verl search_r1 EM": lambda answer: f"<answer>x</answer><answer>{answer}</answer>",
}
"""The last is given two answers, for verl's function takes the first for one of the prompt."""


@dataclass(frozen=True)
class Case:
    kind: str
    question: str
    truths: tuple[str, ...]
    response: str
    answer_type: str | None
    label: int


@dataclass(frozen=True)
class Row:
    """How a grader did on some cases."""

    grader: str
    kind: str
    cases: int
    precision: float
    recall: float
    false_positives: float
    per_second: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def normalised(text: str) -> str:
    """SQuAD's form of an answer."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(response: str, truth: str) -> bool:
    return normalised(response) == normalised(truth)


def load(names: Sequence[str]) -> list[Case]:
    found = []
    for path in sorted(CASES.glob("*.jsonl")):
        if names and path.stem not in names:
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            truth = row["ground_truth"]
            truths = (truth,) if isinstance(truth, str) else tuple(truth)
            found.append(
                Case(path.stem, row["question"], truths, row["response"], row.get("answer_type"), row["label"])
            )
    return found


def ours(cases: Sequence[Case]) -> tuple[list[int], list[str], float]:
    """Our verdicts, what was extracted, and the time."""
    for kind in {case.kind: case for case in cases}.values():  # imports
        reward("Answer: x", list(kind.truths), kind.question, kind.answer_type)
    began = time.process_time()
    verdicts = [reward(case.response, list(case.truths), case.question, case.answer_type) for case in cases]
    seconds = time.process_time() - began
    return [int(verdict.score == 1) for verdict in verdicts], [verdict.extracted for verdict in verdicts], seconds


class Peers:
    """The graders of another environment, in one process there."""

    def __init__(self, venv: Path) -> None:
        python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        command = [str(python), str(Path(graders.__file__))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Peers:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def score(self, grader: str, responses: Sequence[str], cases: Sequence[Case]) -> tuple[list[int], float] | None:
        """Its verdicts and the time; None if it cannot be imported there."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"grader": grader, "responses": list(responses), "truths": [case.truths for case in cases]}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "missing" in answer:
            print(f"{grader}: not there ({answer['missing']})", file=sys.stderr)
            return None
        return answer["scores"], answer["seconds"]


def rows(grader: str, cases: Sequence[Case], scores: Sequence[int], seconds: float) -> list[Row]:
    """One row for all cases but the attacks, and one for each kind."""
    per_second = len(cases) / seconds
    kinds = ["all", *sorted({case.kind for case in cases})]
    return [_row(grader, kind, cases, scores, per_second) for kind in kinds]


def _row(grader: str, kind: str, cases: Sequence[Case], scores: Sequence[int], per_second: float) -> Row:
    of_kind = [kind == case.kind or (kind == "all" and case.kind != "attacks") for case in cases]
    pairs = [(case.label, score) for case, score, wanted in zip(cases, scores, of_kind, strict=True) if wanted]
    right, called = sum(label for label, _ in pairs), sum(score for _, score in pairs)
    both = sum(label and score for label, score in pairs)
    wrong = len(pairs) - right
    return Row(
        grader=grader,
        kind=kind,
        cases=len(pairs),
        precision=both / called if called else 1.0,
        recall=both / right if right else 1.0,
        false_positives=(called - both) / wrong if wrong else 0.0,
        per_second=per_second,
    )


def measure(cases: Sequence[Case], venv: Path) -> list[Row]:
    scores, extracted, seconds = ours(cases)
    found = rows("webscale-rl", cases, scores, seconds)
    for name, responses in (("exact match", [case.response for case in cases]), ("exact match *", extracted)):
        truths = [case.truths for case in cases]
        found += rows(name, cases, *graders.scored(exact_match, responses, truths))
    with Peers(venv) as peers:
        for grader, wrap in WRAPPED.items():
            given = {grader: [case.response for case in cases], f"{grader} *": [wrap(answer) for answer in extracted]}
            for name, responses in given.items():
                result = peers.score(grader, responses, cases)
                if result is not None:
                    found += rows(name, cases, *result)
    return found


def tables(found: Sequence[Row]) -> str:
    """All graders over all cases; then precision and recall by kind."""
    names = list(dict.fromkeys(row.grader for row in found))
    kinds = [kind for kind in dict.fromkeys(row.kind for row in found) if kind != "all"]
    at = {(row.grader, row.kind): row for row in found}
    lines = ["| | precision | recall | F1 | false positives | decisions/s |", "|---|---|---|---|---|---|"]
    for name in names:
        row = at[name, "all"]
        shares = f"{row.precision:.1%} | {row.recall:.1%} | {row.f1:.3f} | {row.false_positives:.1%}"
        lines.append(f"| {name} | {shares} | {row.per_second:,.0f} |")
    lines += ["", "| precision / recall, % | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for kind in kinds:
        cells = [f"{100 * at[name, kind].precision:.0f} / {100 * at[name, kind].recall:.0f}" for name in names]
        if all(case == 1.0 for case in (at[name, kind].recall for name in names)) and kind == "attacks":
            cells = [f"{at[name, kind].false_positives:.0%} fooled" for name in names]
        lines.append(f"| {kind} ({at[names[0], kind].cases}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def make(venv: Path) -> None:
    """The environment. Raises CalledProcessError where pip fails."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, *REQUIRES], check=True)
    subprocess.run([*pip, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="files of cases, all by default")
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--make-venv", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.make_venv:
        make(given.venv)
    found = measure(load(given.names), given.venv)
    print(tables(found))
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(row) for row in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
