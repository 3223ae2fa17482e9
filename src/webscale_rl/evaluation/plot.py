"""Bars with error bars: one group for each benchmark, one bar for each result, and what others published."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from webscale_rl.errors import TrainingError
from webscale_rl.evaluation.results import Evaluated
from webscale_rl.evaluation.sampling import NEEDS
from webscale_rl.evaluation.statistics import NORMAL_95, Mean
from webscale_rl.files import replace_whole

Bars = list[tuple[str, list[Mean | None]]]


def plot(path: Path, results: Sequence[Evaluated]) -> None:
    """Write the picture, whole or not at all; none if nothing was scored. Raises TrainingError without matplotlib."""
    names = list(dict.fromkeys(row.name for result in results for row in result.rows if row.mean is not None))
    if not names:
        return
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrainingError(f"the plot needs {NEEDS} ({error.name} is missing)") from None
    bars = _bars(results, names)
    figure = Figure(figsize=(max(4.0, 1.2 + 0.28 * len(names) * (len(bars) + 1)), 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    width = 0.8 / len(bars)
    for place, (label, means) in enumerate(bars):
        known = [(at, mean) for at, mean in enumerate(means) if mean is not None]
        axes.bar(
            [at + (place - (len(bars) - 1) / 2) * width for at, _ in known],
            [100 * mean.value for _, mean in known],
            width,
            yerr=[100 * NORMAL_95 * (mean.stderr or 0.0) for _, mean in known],
            capsize=2,
            label=label.replace("$", r"\$").lstrip("_"),
            color=f"C{place}" if place < len(results) else str(0.5 + 0.4 * (place - len(results)) / len(bars)),
        )
    axes.set_xticks(range(len(names)), [name.replace("$", r"\$") for name in names], rotation=20, ha="right")
    axes.set_ylabel("score, %; bars: 95 %")
    axes.set_ylim(0, None)
    axes.legend(fontsize="small")
    with replace_whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)


def _bars(results: Sequence[Evaluated], names: Sequence[str]) -> Bars:
    bars: Bars = []
    for result in results:
        of = {row.name: row.mean for row in result.rows}
        bars.append((result.folder.name if len(results) > 1 else result.model, [of.get(name) for name in names]))
    published: dict[str, dict[str, float]] = {}
    for row in results[0].rows:
        for model, value in row.published.items():
            published.setdefault(model, {})[row.name] = value
    for model, values in published.items():
        bars.append((model, [Mean(values[name] / 100, None, 0) if name in values else None for name in names]))
    return bars
