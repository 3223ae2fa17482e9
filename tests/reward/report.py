# ruff: noqa: T201
"""How well the rules decide the labelled cases: per kind, precision, recall, share of None, and each case they get
wrong.

python -m tests.reward.report [FILE...] [--quiet] [--null]      files of tests/reward/cases, all by default
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from webscale_rl.reward import Verdict, reward

CASES = Path(__file__).parent / "cases"


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A response that a careful grader has labelled: would they call its final answer right?"""

    id: str
    question: str
    ground_truth: str | list[str]
    response: str
    label: int
    note: str
    answer_type: str | None = None


class Decided(NamedTuple):
    """A case of a file, and what the rules say."""

    file: str
    case: Case
    verdict: Verdict


class Score(NamedTuple):
    """Counts over decided cases. What is None was not called right."""

    cases: int
    right: int
    true_positives: int
    false_positives: int
    undecided: int

    @property
    def precision(self) -> float:
        called = self.true_positives + self.false_positives
        return self.true_positives / called if called else 1.0

    @property
    def recall(self) -> float:
        return self.true_positives / self.right if self.right else 1.0

    @property
    def false_positive_rate(self) -> float:
        wrong = self.cases - self.right
        return self.false_positives / wrong if wrong else 0.0


def files(names: Sequence[str] = ()) -> list[Path]:
    """The files of cases with these names, all by default."""
    return [path for path in sorted(CASES.glob("*.jsonl")) if not names or path.stem in names or str(path) in names]


def cases(path: Path) -> list[Case]:
    """Raises msgspec.ValidationError for a line that is no case."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [msgspec.json.decode(line, type=Case) for line in lines if line.strip()]


def decide(paths: Iterable[Path]) -> Iterator[Decided]:
    for path in paths:
        for case in cases(path):
            yield Decided(path.stem, case, reward(case.response, case.ground_truth, case.question, case.answer_type))


def score(decided: Sequence[Decided]) -> Score:
    return Score(
        cases=len(decided),
        right=sum(one.case.label for one in decided),
        true_positives=sum(one.verdict.score == 1 and one.case.label == 1 for one in decided),
        false_positives=sum(one.verdict.score == 1 and one.case.label == 0 for one in decided),
        undecided=sum(one.verdict.score is None for one in decided),
    )


def wrong(decided: Iterable[Decided]) -> list[Decided]:
    """Cases whose score is not their label; None for a wrong answer is no fault of a rule, but costs a judge."""
    return [
        one
        for one in decided
        if one.verdict.score != one.case.label and not (one.verdict.score is None and one.case.label == 0)
    ]


def told(one: Decided) -> str:
    """One case on one line."""
    case = one.case
    return (
        f"{one.file}/{case.id}: label {case.label}, score {one.verdict.score} by {one.verdict.how};"
        f" truth {case.ground_truth!r}, extracted {one.verdict.extracted[:100]!r}, question {case.question[-100:]!r}"
        f" ({case.note})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--quiet", action="store_true", help="no list of wrong ones")
    parser.add_argument("--null", action="store_true", help="list wrong answers that are left to a judge as well")
    args = parser.parse_args()
    decided = list(decide(files(args.files)))
    if not args.quiet:
        for one in wrong(decided):
            print(told(one))
        for one in decided if args.null else ():
            if one.verdict.score is None and one.case.label == 0:
                print(told(one))
    print(f"{'file':<14}{'n':>6}{'right':>7}{'precision':>11}{'recall':>8}{'FPR':>8}{'None':>7}")
    names = sorted({one.file for one in decided})
    for name in (*names, "all"):
        these = [one for one in decided if name in (one.file, "all") and (name != "all" or one.file != "attacks")]
        found = score(these)
        print(
            f"{name:<14}{found.cases:>6}{found.right:>7}{found.precision:>11.4f}{found.recall:>8.4f}"
            f"{found.false_positive_rate:>8.4f}{found.undecided / max(1, found.cases):>7.1%}"
        )


if __name__ == "__main__":
    main()
