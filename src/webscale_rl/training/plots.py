"""The curves of a training, one picture: plots/training.png. Without matplotlib there is none, and a note says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from webscale_rl.training.books import Books, read_metrics

PLOT = Path("plots") / "training.png"


class _Panel(NamedTuple):
    title: str
    key: str
    spread: str | None = None


_PANELS = (
    _Panel("loss", "loss"),
    _Panel("mean reward ± its standard deviation", "reward", "reward_std"),
    _Panel("questions without signal (share)", "frac_reward_zero_std"),
    _Panel("responses without a verdict (share)", "rewards/undecided"),
    _Panel("response length (tokens)", "completions/mean_length"),
    _Panel("clipped responses (share)", "completions/clipped_ratio"),
    _Panel("entropy", "entropy"),
    _Panel("gradient norm", "grad_norm"),
    _Panel("learning rate", "learning_rate"),
)


def draw(folder: Path, books: Books) -> None:
    """Draw what the metrics hold."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        books.note("no plots: matplotlib is missing (pip install 'webscale-rl[train]')")
        return
    lines = read_metrics(books.metrics)
    panels = [panel for panel in _PANELS if _points(lines, panel.key)[0]]
    if not panels:
        return
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.5 * columns, 3.0 * rows))
    figure.subplots_adjust(left=0.06, right=0.98, bottom=0.18 / rows, top=1 - 0.15 / rows, hspace=0.4, wspace=0.22)
    FigureCanvasAgg(figure)
    for place, panel in enumerate(panels, 1):
        _draw(figure.add_subplot(rows, columns, place), lines, panel)
    path = folder / PLOT
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def _draw(axes: Any, lines: Sequence[dict[str, Any]], panel: _Panel) -> None:
    steps, values = _points(lines, panel.key)
    axes.plot(steps, values, linewidth=1.2)
    if panel.spread is not None:
        spread = dict(zip(*_points(lines, panel.spread), strict=True))
        points = list(zip(steps, values, strict=True))
        low = [max(0.0, value - spread.get(step, 0.0)) for step, value in points]  # a reward is 0 to 1
        high = [min(1.0, value + spread.get(step, 0.0)) for step, value in points]
        axes.fill_between(steps, low, high, alpha=0.2, linewidth=0)
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.3)


def _points(lines: Sequence[dict[str, Any]], key: str) -> tuple[list[int], list[float]]:
    found = [(line["step"], line[key]) for line in lines if isinstance(line.get(key), (int, float))]
    return [step for step, _ in found], [value for _, value in found]
