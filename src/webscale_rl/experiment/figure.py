"""The figure of an experiment: two panels over two accounts of tokens, the mean and its standard error over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from webscale_rl.errors import TrainingError
from webscale_rl.experiment.jobs import PANELS
from webscale_rl.experiment.statistics import Point, by_arm, untrained
from webscale_rl.experiment.table import NAMES, full_name
from webscale_rl.files import replace_whole

TITLES = {"skill": "a skill that the base model can sample", "facts": "facts that it cannot"}
AXES = {
    "source": "tokens of the source documents (the paper's account)",
    "every": "all tokens generated, judged, sampled and trained",
}
_MARKS = dict(
    zip(("continue", "qurating", "prox", "gdr", "sft", "rationales", "reject", "grpo"), "ovs^DPX*", strict=True)
)


def draw(folder: Path, points: Sequence[Point]) -> None:
    """Write figure.png and figure.svg. Raises TrainingError without matplotlib."""
    try:
        from matplotlib import rc_context
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise TrainingError(f"the figure needs pip install 'webscale-rl[train]' ({error.name} is missing)") from None
    with rc_context({"svg.hashsalt": "webscale-rl"}):  # the same points, the same bytes
        figure = Figure(figsize=(11, 8), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(len(PANELS), len(AXES), sharey="row")
        for row, panel in zip(grid, PANELS, strict=True):
            for axes, account in zip(row, AXES, strict=True):
                _panel(axes, points, panel, account)
            row[0].set_ylabel(f"right answers, %\n{TITLES[panel]}")
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
        for ending, told in (("png", {"dpi": 150}), ("svg", {"metadata": {"Date": None}})):
            with replace_whole(folder / f"figure.{ending}") as temporary:
                figure.savefig(temporary, format=ending, **told)


def _panel(axes: Any, points: Sequence[Point], panel: str, account: str) -> None:
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.axhline(100 * untrained(points, panel), color="0.5", linestyle="--", label=NAMES["base"])
    for at, (arm, of) in enumerate(by_arm(points).items()):
        axes.errorbar(
            [point.tokens[account] for point in of],
            [100 * point.panels[panel].value for point in of],
            yerr=[100 * (point.panels[panel].stderr or 0.0) for point in of],
            marker=_MARKS[arm],
            color=f"C{at}",
            capsize=2,
            linewidth=1.2,
            label=full_name(arm),
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(bottom=0)
    axes.set_xlabel(AXES[account])
    axes.grid(visible=True, alpha=0.3)
