"""The chart of a pull request: how much each model's UAR has changed, and how sure that is."""

from pathlib import Path

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg

from ser.evaluation.comparisons import BETTER, WORSE
from ser.lettering.picture_letters import Lettering
from ser.lettering.plain_matplotlib import Figure
from ser.storage.whole_files import written

COLORS = {BETTER: "#009E73", WORSE: "#D55E00"}  # colour-blind safe (Okabe & Ito); all others grey
DPI = 100


def difference_chart(models: pd.DataFrame, path: Path | str, *, confidence: float) -> None:
    """Draw the differences of the UAR with their intervals, a row a model, in the order of the table.

    Parameters
    ----------
    models : pd.DataFrame
        ``model, difference, low, high, verdict``; see `ser.review.pull_request.compare_metrics`.
    path : Path
        The PNG file.
    confidence : float
        Of the intervals.
    """
    rows = models.dropna(subset=["difference"]).iloc[::-1]  # upwards
    figure = Figure(figsize=(7.6, 1.4 + 0.34 * len(rows)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for height, row in enumerate(rows.itertuples()):
        color = COLORS.get(row.verdict, "#555555")
        axes.hlines(height, row.low, row.high, color=color, lw=2)
        axes.plot(row.difference, height, "o", color=color, ms=6)
    axes.axvline(0, color="black", lw=1)
    axes.set_yticks(range(len(rows)), rows["model"])
    axes.set(ylim=(-0.6, len(rows) - 0.4), xlabel=f"change of the UAR, {confidence:.0%} interval (right is better)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", alpha=0.25)
    lettering = Lettering()
    lettering.make_legible(figure)
    if lettering.note():
        print(lettering.note())
    with written(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
