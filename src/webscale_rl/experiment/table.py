"""The table of an experiment, as Markdown, and what it says in a few lines that are worked out from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webscale_rl.evaluation.statistics import Mean
from webscale_rl.experiment.statistics import REFERENCE, TOKENS, Point, reaches

HEAD = ("arm", "documents", *(f"{name} tokens" for name in TOKENS), "skill, %", "facts, %", "CPU s")
NAMES = {
    "base": "base model, untrained",
    "continue": "continual pretraining",
    "qurating": "... after QuRating",
    "prox": "... after ProX",
    "gdr": "... after GDR",
    "sft": "SFT on the pairs",
    "rationales": "SFT on rationales",
    "reject": "rejection fine-tuning",
    "grpo": "GRPO",
}


def table(points: Sequence[Point]) -> str:
    """One row for each arm and size, the sizes of an arm together. After ± stands the standard error over the seeds."""
    order = {arm: place for place, arm in enumerate(NAMES)}
    rows = [HEAD, tuple("---" if at < 1 else "--:" for at in range(len(HEAD)))]
    rows += [_row(point) for point in sorted(points, key=lambda point: (order[point.arm], point.size))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(point: Point) -> tuple[str, ...]:
    tokens = (f"{point.tokens[name]:,.0f}" for name in TOKENS)
    shown = (_percent(point.panels[panel]) for panel in ("skill", "facts"))
    return (NAMES[point.arm], str(point.size), *tokens, *shown, f"{point.cpu_s:.1f}")


def _percent(found: Mean) -> str:
    error = "" if found.stderr is None else f" ± {100 * found.stderr:.1f}"
    return f"{100 * found.value:.1f}{error}"


def findings(points: Sequence[Point]) -> list[str]:
    """What the table says of the question that the experiment asks, whatever it says."""
    told = []
    for panel, found in reaches(points).items():
        told.append(
            f"{panel}: the base model has {100 * found['base']:.1f} %; {NAMES[REFERENCE]} comes to"
            f" {100 * found['score']:.1f} % at best, with {found['size']} documents."
        )
        above = [(full_name(arm), size) for arm, size in found["passed_by"].items()]
        ahead = ", ".join(f"{name} with {size}" for name, size in above if size is not None)
        behind = ", ".join(name for name, size in above if size is None)
        told.append(f"{panel}: clearly above that, with the fewest documents that did it: {ahead or 'nothing'}.")
        if behind:
            told.append(f"{panel}: not clearly above that at any size: {behind}.")
    return told


def full_name(arm: str) -> str:
    """What an arm is called where none stands above it."""
    return NAMES[arm].replace("...", NAMES[REFERENCE])


def page(name: str, points: Sequence[Point], told: dict[str, Any]) -> str:
    """The Markdown file: the table, and what follows from it."""
    head = f"# Token efficiency, recipe {name}\n\n"
    made = f"{told['seeds']} seeds, device {told['device']}, made with webscale-rl {told['webscale_rl']}."
    lines = "".join(f"- {line}\n" for line in findings(points))
    return f"{head}{made}\n\n{table(points)}\n{lines}"
