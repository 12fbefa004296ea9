"""Charts of the evaluation as PNG files, the same bytes from run to run.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart. Every
chart takes `warning`, the text of a red banner (empty: none), because a picture is often seen without its report.
"""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ser.files import written

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
COLORS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK)
DASHES = ("-", "--", ":", "-.")  # one more style each time the colours are used up
RED = "#C00000"
DPI = 100


def confusion_chart(
    shares: pd.DataFrame, counts: pd.DataFrame, path: Path | str, *, title: str, warning: str = ""
) -> None:
    """Draw a confusion matrix: colour and percent are the share of the actual class, the small number its clips.

    Parameters
    ----------
    shares, counts : pd.DataFrame, shape (classes, classes)
        As `ser.scoring.confusion` returns them.
    path : Path
        The PNG file.
    title, warning : str
    """
    side = 2.6 + 0.62 * len(shares)
    figure = _figure(side + 0.9, side, warning)
    axes = figure.add_subplot()
    image = axes.imshow(shares.to_numpy(), cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        text = "–" if np.isnan(share) else f"{100 * share:.0f} %\n{counts.iat[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if share > 0.7 else "black")
    axes.set_xticks(range(len(shares)), shares.columns, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(shares)), shares.index)
    axes.set(xlabel="predicted emotion", ylabel="actual emotion", title=title)
    figure.colorbar(image, ax=axes, label="share of the actual emotion's clips", fraction=0.046, pad=0.03)
    _save(figure, path)


def roc_chart(curves: dict[str, pd.DataFrame], areas: dict[str, float], path: Path | str, *, warning: str = "") -> None:
    """Draw one ROC curve a model, the largest area first in the legend.

    Parameters
    ----------
    curves : dict of str to pd.DataFrame
        By model: ``fpr, tpr``, rates from 0 to 1.
    areas : dict of str to float
        Area under the curve by model, for the legend.
    path : Path
        The PNG file.
    warning : str
    """
    figure = _figure(7.6, 5.2, warning)
    axes = figure.add_subplot()
    for position, model in enumerate(sorted(areas, key=areas.get, reverse=True)):
        color, dash = COLORS[position % len(COLORS)], DASHES[position // len(COLORS) % len(DASHES)]
        curve = curves[model]
        axes.plot(curve["fpr"], curve["tpr"], dash, color=color, lw=1.6, label=f"{model}  {areas[model]:.3f}")
    axes.plot([0, 1], [0, 1], ":", color="gray", lw=1, label="chance  0.500")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title="ROC, mean of the emotions one-vs-rest")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right center", title="model, area under the curve", frameon=False, fontsize=9)
    _save(figure, path)


def score_chart(uar: dict[str, float], chance: float, path: Path | str, *, warning: str = "") -> None:
    """Draw the UAR (0 to 1) of every model as a labelled bar, the best on top, and a line at chance level."""
    figure = _figure(7.6, 1.6 + 0.36 * len(uar), warning)
    axes = figure.add_subplot()
    models = sorted(uar, key=uar.get, reverse=True)[::-1]  # bars go up
    bars = axes.barh(models, [uar[model] for model in models], color=BLUE, height=0.7)
    axes.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    axes.axvline(chance, color=VERMILION, lw=1.4, ls="--", label=f"chance level {chance:.3f}")
    axes.set(xlim=(0, 1), xlabel="unweighted average recall (UAR), all test clips", ylim=(-0.6, len(uar) - 0.4))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower right", frameon=False, fontsize=9)
    _save(figure, path)


def training_chart(training: pd.DataFrame, chance: float, path: Path | str, *, warning: str = "") -> None:
    """Draw loss and scores against epochs, a row a model: each fold faint, their mean bold.

    Parameters
    ----------
    training : pd.DataFrame
        ``model, fold, epoch, loss, accuracy, validation_loss, validation_accuracy, validation_uar``; losses in nats.
    chance : float
        Chance level of the UAR, 0 to 1.
    path : Path
        The PNG file.
    warning : str
    """
    models = sorted(training["model"].unique())
    losses = {"loss": ("training", BLUE), "validation_loss": ("validation", ORANGE)}
    shares = {
        "accuracy": ("training (left: loss, right: accuracy)", BLUE),
        "validation_accuracy": ("validation", ORANGE),
        "validation_uar": ("validation, UAR", GREEN),
    }
    figure = _figure(9.0, 1.0 + 2.3 * len(models), warning)
    grid = figure.subplots(len(models), 2, squeeze=False)
    for (left, right), model in zip(grid, models, strict=True):
        rows = training[training["model"] == model]
        _curves(left, rows, losses)
        _curves(right, rows, shares)
        right.axhline(chance, color="gray", lw=1, ls=":", label="chance level")
        left.set(ylabel="loss (nats)", ylim=(0, None), title=model)
        right.set(ylabel="score", ylim=(0, 1), title=model)
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    handles, labels = grid[0][1].get_legend_handles_labels()  # the losses have the colours of the accuracies
    style = {"loc": "outside lower center", "frameon": False, "fontsize": 9, "title_fontsize": 9}
    figure.legend(handles, labels, ncols=len(labels), title="bold: mean of the folds, faint: each fold", **style)
    _save(figure, path)


def mean_over_folds(rows: pd.DataFrame, series: str) -> pd.Series:
    """Return the mean of a series by epoch, as far as at least half of the folds have got.

    Folds stop at different epochs; a mean over the one or two that are left would jump.
    """
    by_epoch = rows.dropna(subset=series).groupby("epoch")[series]
    return by_epoch.mean()[by_epoch.size() * 2 >= rows["fold"].nunique()]


def _curves(axes: Axes, rows: pd.DataFrame, styles: dict[str, tuple[str, str]]) -> None:
    """Draw series of one model; `styles` holds the label and the colour of each."""
    for series, (label, color) in styles.items():
        for _, fold in rows.groupby("fold"):
            axes.plot(fold["epoch"], fold[series], color=color, lw=0.7, alpha=0.3)
        mean = mean_over_folds(rows, series)
        axes.plot(mean.index, mean, color=color, lw=2, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)


def _figure(width: float, height: float, warning: str) -> Figure:
    """Return an empty figure, inches, with its banner; not pyplot's, which keeps figures and picks a backend."""
    lines = textwrap.wrap(warning, int(11 * width))
    figure = Figure(figsize=(width, height + 0.2 * len(lines)), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    FigureCanvasAgg(figure)
    if warning:
        figure.suptitle("\n".join(lines), color=RED, fontsize=10, fontweight="bold")
    return figure


def _save(figure: Figure, path: Path | str) -> None:
    with written(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})  # else it names Matplotlib's version
