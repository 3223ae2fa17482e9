"""What is counted of each document: records at each stage, pairs by value, questions that the other run has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from webscale_rl.report.compare.chance import Finding, Resamples, ratio, total_variation
from webscale_rl.report.compare.overlap import Shared
from webscale_rl.report.compare.sample import Asked, Sampled, Taken, joined

COLUMNS = ("domain", "answer_type", "persona")
MOST_VALUES = 60
"""Values of a column that are told apart; the rest are one."""
REST = "(all others)"
SIEVES = "sieves"


class Column(NamedTuple):
    """How the pairs are distributed over the values of a column, and how far the two runs lie apart."""

    finding: Finding
    in_sample: float
    by_chance: float
    values: list[tuple[str, float, float]]


class Counts(NamedTuple):
    """All findings that are sums over documents."""

    yields: list[Finding]
    columns: dict[str, Column]
    overlap: list[Finding]
    shared_documents: int


def counted(a: Sampled, b: Sampled, shared: Shared, seed: int) -> Counts:
    """Compare what is counted. `shared` are the questions of each run that the other has, too."""
    units = joined(a, b)
    stages = _stages(a), _stages(b)
    values = {column: _values(column, a.pairs, b.pairs) for column in COLUMNS}
    features = _Features([*dict.fromkeys((*stages[0], *stages[1]))], values)
    first, second = (
        np.array([features.row(unit[side], stages[side], shared) for unit in units], np.float64).reshape(
            len(units), features.count
        )
        for side in (0, 1)
    )
    in_a, in_b = (np.array([unit[side] is not None for unit in units], bool) for side in (0, 1))
    resamples = Resamples(first, second, in_a & in_b, in_a, seed)
    at = features.places
    yields = [
        resamples.compared(f"kept by {stage}", ratio(at[f"{stage} kept"], at[f"{stage} seen"]))
        for stage in (*features.stages, SIEVES)
    ]
    yields.append(resamples.compared("pairs per document", ratio(at["pairs"], at["documents"])))
    columns = {}
    for column, named in values.items():
        place = slice(at[column], at[column] + len(named))
        found = resamples.apart(column, total_variation(place))
        shares = [sums[place] / max(1.0, sums[place].sum()) for sums in (resamples.a, resamples.b)]
        columns[column] = Column(*found, [*zip(named, *(part.tolist() for part in shares), strict=True)])
    overlap = [
        resamples.single(f"{word} in the other run", ratio(at[word], at["pairs"])) for word in ("equal", "near", "same")
    ]
    return Counts(yields, columns, overlap, int(np.count_nonzero(in_a & in_b)))


def jensen_shannon(values: Sequence[tuple[str, float, float]]) -> float:
    """The Jensen-Shannon divergence of two distributions in bits, 0 to 1 (J. Lin 1991)."""
    found = 0.0
    for _, one, other in values:
        middle = (one + other) / 2
        found += sum(part / 2 * float(np.log2(part / middle)) for part in (one, other) if part > 0)
    return found


class _Features:
    """The columns of the matrix, and how a document fills its row."""

    def __init__(self, stages: Sequence[str], values: Mapping[str, Sequence[str]]) -> None:
        self.stages = stages
        self._values = {column: {value: at for at, value in enumerate(named)} for column, named in values.items()}
        names = ["documents", "pairs", "equal", "near", "same"]
        names += [f"{stage} {word}" for stage in (*stages, SIEVES) for word in ("seen", "kept")]
        self.places = {name: at for at, name in enumerate(names)}
        self.count = len(names)
        for column, named in values.items():
            self.places[column] = self.count
            self.count += len(named)

    def row(self, document: Taken | None, stages: Mapping[str, str], shared: Shared) -> list[float]:
        """What is counted of a document of a run with these stages; nothing of one that it has not."""
        row = [0.0] * self.count
        if document is None:
            return row
        at, order = self.places, [*stages]
        row[at["documents"]] = 1.0
        row[at["pairs"]] = row[at[f"{SIEVES} kept"]] = len(document.pairs)
        for end in document.ends:
            # what ended before the first stage could not be read
            last = len(order) if end.stage is None else order.index(end.stage) if end.stage in stages else -1
            for place, stage in enumerate(order[: last + end.seen]):
                if stages[stage] == end.unit:
                    row[at[f"{stage} seen"]] += 1
                    row[at[f"{stage} kept"]] += place < last
            row[at[f"{SIEVES} seen"]] += end.unit == "pair" and end.stage is None
        for pair in document.pairs:
            for word, found in zip(("equal", "near", "same"), shared.of(pair), strict=True):
                row[at[word]] += found
            for column, places in self._values.items():
                value = str(getattr(pair, column))
                row[at[column] + places.get(value, len(places) - 1)] += 1
        return row


def _stages(run: Sampled) -> dict[str, str]:
    """The stages of a run in their order, and the units of their records."""
    units = {row["stage"]: row["unit"] for row in run.summary["funnel"]}
    return {stage: units[stage] for stage in run.record["config"]["stages"] if stage in units}


def _values(column: str, *runs: Sequence[Asked]) -> list[str]:
    """The values of a column by falling share, both runs weighing the same, and what stands for the rest."""
    shares: Counter[str] = Counter()
    for pairs in runs:
        for value, count in Counter(str(getattr(pair, column)) for pair in pairs).items():
            shares[value] += count / len(pairs)  # type: ignore[assignment]
    ordered = sorted(shares, key=lambda value: (-shares[value], value))
    return [*ordered[: MOST_VALUES - 1], REST]
