"""Results over seeds: means, standard errors, and how far a small corpus gets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from webscale_rl.evaluation.statistics import Mean, mean, paired
from webscale_rl.experiment.jobs import BASE, PANELS, Result

REFERENCE = "continue"
TOKENS = ("source", "generated", "judged", "rollout", "trained", "every")


class Point(msgspec.Struct, frozen=True):
    """An arm at a size: the mean over its seeds of each panel, with the standard error of that mean, and of the tokens
    that it took. `scores` are each panel's by seed."""

    arm: str
    size: int
    seeds: int
    panels: dict[str, Mean]
    any_right: dict[str, float]
    scores: dict[str, dict[str, float]]
    tokens: dict[str, float]
    cpu_s: float


def points(results: Iterable[Result]) -> list[Point]:
    """One point for each arm and size, in the order of the results."""
    groups: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        groups.setdefault((result.arm, result.size), []).append(result)
    return [_point(arm, size, group) for (arm, size), group in groups.items()]


def _point(arm: str, size: int, group: Sequence[Result]) -> Point:
    panels = {panel: _mean([result.panels[panel].score for result in group]) for panel in PANELS}
    any_right = {panel: _mean([result.panels[panel].any_right for result in group]).value for panel in PANELS}
    scores = {panel: {str(result.seed): result.panels[panel].score for result in group} for panel in PANELS}
    tokens = {name: _mean([float(getattr(result.ledger, name)) for result in group]).value for name in TOKENS}
    cpu_s = _mean([result.cpu_s for result in group]).value
    return Point(arm, size, len(group), panels, any_right, scores, tokens, cpu_s)


def _mean(values: Sequence[float]) -> Mean:
    found = mean(values)
    assert found is not None  # a group is never empty
    return found


def by_arm(found: Iterable[Point]) -> dict[str, list[Point]]:
    """The points of each arm, by size; the untrained base model apart."""
    arms: dict[str, list[Point]] = {}
    for point in found:
        if point.arm != BASE:
            arms.setdefault(point.arm, []).append(point)
    return {arm: sorted(of, key=lambda point: point.size) for arm, of in arms.items()}


def untrained(found: Iterable[Point], panel: str) -> float:
    """What the base model scores, over all sizes; 0 if it was not asked."""
    scores = [point.panels[panel].value for point in found if point.arm == BASE]
    return sum(scores) / len(scores) if scores else 0.0


def reaches(found: Sequence[Point]) -> dict[str, dict[str, Any]]:
    """For each panel, the best that continual pretraining on the documents as they are comes to, at which size, and the
    smallest corpus with which each other arm is clearly above that; None if none is."""
    arms = by_arm(found)
    if REFERENCE not in arms:
        return {}
    told: dict[str, dict[str, Any]] = {}
    for panel in PANELS:
        best = max(arms[REFERENCE], key=lambda point: (point.panels[panel].value, -point.size))
        told[panel] = {
            "score": best.panels[panel].value,
            "size": best.size,
            "source": best.tokens["source"],
            "base": untrained(found, panel),
            "passed_by": {
                arm: next((point.size for point in of if above(point, best, panel)), None)
                for arm, of in arms.items()
                if arm != REFERENCE
            },
        }
    return told


def above(one: Point, other: Point, panel: str) -> bool:
    """Whether an arm is above another by more than two standard errors of their difference, seed by seed: the worlds
    and base models of the seeds differ more than most arms do.

    With three seeds that is a word for what can be seen in the figure, and no test.
    """
    found = paired(other.scores[panel], one.scores[panel])
    return found is not None and found.value > 2 * (found.stderr or 0.0)
