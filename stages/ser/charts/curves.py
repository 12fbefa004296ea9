"""Charts of curves: ROC, precision-recall, reliability, coverage and training; each takes a table of `reports/`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ser.charts.figures import BLUE, GREEN, GREY, HIGHLIGHTED, ORANGE, VERMILION, new_figure, short_name, styles, tidy

MACRO = "macro average"
LONGEST = 21  # characters of a model in a legend and above a small panel
PANELS = 6  # models of a reliability diagram
AREA_OF_A_DOT = 160.0  # points squared, if it held all clips


def roc_chart(roc: pd.DataFrame, scores: pd.DataFrame) -> Figure:
    """Draw the mean ROC curve of every model; the models with the highest UAR in colour.

    Parameters
    ----------
    roc : pd.DataFrame
        ``model, emotion, fpr, tpr``, rates from 0 to 1; the rows of the emotion `MACRO` are drawn.
    scores : pd.DataFrame
        ``model, score, value``; gives the order of the models and their areas, ``auc_macro``.
    """
    by_model = scores.pivot_table(index="model", columns="score", values="value", sort=False)
    by_model = by_model[by_model.index.isin(roc["model"])].sort_values("uar", ascending=False, kind="stable")
    figure = new_figure(5.0, 5.3)
    axes = tidy(figure.add_subplot())
    _macro_curves(axes, roc, ("fpr", "tpr"), by_model["auc_macro"], drawstyle="default")
    axes.plot([0, 1], [0, 1], ":", color=GREY, lw=1, label="chance  0.500")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    _legend(figure, "model, area under the curve")
    return figure


def precision_recall_chart(precision_recall: pd.DataFrame, *, highlight: Sequence[str] = ()) -> Figure:
    """Draw the mean precision-recall curve of every model.

    Parameters
    ----------
    precision_recall : pd.DataFrame
        ``model, emotion, recall, precision``, 0 to 1; the rows of the emotion `MACRO` are drawn.
    highlight : sequence of str
        Models in colour, the best first; by default those with the largest areas.
    """
    macro = precision_recall[precision_recall["emotion"] == MACRO]
    areas = {
        model: np.trapezoid(curve["precision"], curve["recall"])
        for model, curve in macro.sort_values("recall", kind="stable").groupby("model")
    }
    areas = _ordered(pd.Series(areas), highlight)
    figure = new_figure(5.0, 5.3)
    axes = tidy(figure.add_subplot())
    _macro_curves(axes, precision_recall, ("recall", "precision"), areas)
    # the precision of guessing is the share of the emotion, and the shares of all emotions sum to 1
    prevalence = 1 / max(precision_recall.loc[precision_recall["emotion"] != MACRO, "emotion"].nunique(), 1)
    axes.axhline(prevalence, color=GREY, ls=":", lw=1, label=f"chance  {prevalence:.3f}")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", xlabel="recall", ylabel="precision")
    _legend(figure, "model, area under the curve")
    return figure


def reliability_chart(reliability: pd.DataFrame, models: Sequence[str]) -> Figure:
    """Draw accuracy against confidence, a panel a model, before and after temperature scaling.

    The area of a dot is its share of the clips: a dot far from the diagonal matters as much as it is large.

    Parameters
    ----------
    reliability : pd.DataFrame
        ``model, probabilities, confidence, accuracy, clips``, a row a bin.
    models : sequence of str
        The first `PANELS` of them are drawn; none: those of the table.
    """
    models = list(models or sorted(reliability["model"].unique()))[:PANELS]
    columns = min(3, len(models))
    rows = -(-len(models) // columns)
    figure = new_figure(0.45 + 1.65 * columns, 0.8 + 1.75 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    looks = {"as predicted": (VERMILION, "o", "none"), "temperature-scaled": (BLUE, "s", BLUE)}
    for axes, model in zip(grid.flat, models, strict=False):
        tidy(axes).plot([0, 1], [0, 1], ":", color=GREY, lw=1)
        axes.set(xlim=(0, 1.03), ylim=(0, 1.03), aspect="equal")
        axes.set_title(short_name(model, LONGEST), fontsize=9)
        axes.tick_params(labelsize=8)
        for name, (color, marker, face) in looks.items():
            bins = reliability[(reliability["model"] == model) & (reliability["probabilities"] == name)]
            area = AREA_OF_A_DOT * bins["clips"] / max(bins["clips"].sum(), 1)
            axes.scatter(bins["confidence"], bins["accuracy"], area, marker=marker, edgecolors=color, facecolors=face,
                         alpha=0.85, linewidths=1.4, label=name)  # fmt: skip
    for axes in grid.flat[len(models) :]:
        axes.set_visible(False)
    figure.supxlabel("probability of the predicted emotion", fontsize=10)
    figure.supylabel("share that is right", fontsize=10)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    for handle in legend.legend_handles:
        handle.set_sizes([36])
    return figure


def coverage_chart(coverage: pd.DataFrame, *, highlight: Sequence[str] = ()) -> Figure:
    """Draw the accuracy over the clips that a model is most certain of against their share.

    Parameters
    ----------
    coverage : pd.DataFrame
        ``model, coverage, accuracy, uar``, 0 to 1.
    highlight : sequence of str
        Models in colour, the best first; by default those with the highest UAR over all clips.
    """
    everything = coverage[coverage["coverage"] == coverage["coverage"].max()].set_index("model")
    order = _ordered(everything["uar"], highlight).index
    figure = new_figure(5.0, 4.4)
    axes = tidy(figure.add_subplot())
    looks = styles(order)
    for model in order[::-1]:
        curve = coverage[coverage["model"] == model].sort_values("coverage")
        label = (
            f"{short_name(model, LONGEST)}  {everything.at[model, 'accuracy']:.3f}"
            if model in order[:HIGHLIGHTED]
            else None
        )
        axes.plot(curve["coverage"], curve["accuracy"], label=label, **looks[model])
    if len(order) > HIGHLIGHTED:
        axes.plot([], [], color=GREY, lw=0.8, label=f"{len(order) - HIGHLIGHTED} other models")
    lowest = coverage["accuracy"].min()
    axes.set(xlim=(0, 1.01), ylim=(min(0.5, np.floor(10 * lowest) / 10), 1.01))
    axes.set(xlabel="share of the clips that the model decides", ylabel="accuracy on these")
    axes.xaxis.set_major_formatter(PercentFormatter(1, 0))
    handles, labels = axes.get_legend_handles_labels()
    names = [short_name(model, LONGEST) for model in order]
    ranks = sorted(range(len(labels)), key=lambda i: _rank(labels[i], names))
    figure.legend(
        [handles[i] for i in ranks], [labels[i] for i in ranks], title="model, accuracy over all clips", **_FOOT
    )
    return figure


def training_chart(training: pd.DataFrame, chance: float) -> Figure:
    """Draw loss and scores against epochs, a row a model: each fold faint, their mean bold.

    Parameters
    ----------
    training : pd.DataFrame
        ``model, fold, epoch, loss, accuracy, validation_loss, validation_accuracy, validation_uar``; losses in nats.
    chance : float
        Chance level of the UAR, 0 to 1.
    """
    models = sorted(training["model"].unique())
    losses = {"loss": ("training", BLUE, "-"), "validation_loss": ("validation", ORANGE, "--")}
    shares = {
        "accuracy": ("training (left: loss, right: accuracy)", BLUE, "-"),
        "validation_accuracy": ("validation", ORANGE, "--"),
        "validation_uar": ("validation, UAR", GREEN, ":"),
    }
    figure = new_figure(8.0, 1.0 + 1.9 * len(models))
    grid = figure.subplots(len(models), 2, squeeze=False)
    for (left, right), model in zip(grid, models, strict=True):
        rows = training[training["model"] == model]
        _folds(left, rows, losses)
        _folds(right, rows, shares)
        right.axhline(chance, color=GREY, lw=1, ls="-.", label="chance level")
        left.set(ylabel="loss (nats)", ylim=(0, None))
        right.set(ylabel="score", ylim=(0, 1))
        left.set_title(short_name(model, 2 * LONGEST), loc="left", fontsize=10, fontweight="bold")
    for axes in grid[-1]:
        axes.set_xlabel("epoch")
    handles, labels = grid[0][1].get_legend_handles_labels()  # the losses have the colours of the accuracies
    style = {"loc": "outside lower center", "frameon": False, "fontsize": 9, "title_fontsize": 9}
    figure.legend(handles, labels, ncols=len(labels), title="bold: mean of the folds, faint: each fold", **style)
    return figure


def mean_over_folds(rows: pd.DataFrame, series: str) -> pd.Series:
    """Return the mean of a series by epoch, as far as at least half of the folds have got.

    Folds stop at different epochs; a mean over the one or two that are left would jump.
    """
    by_epoch = rows.dropna(subset=series).groupby("epoch")[series]
    return by_epoch.mean()[by_epoch.size() * 2 >= rows["fold"].nunique()]


def _folds(axes: Axes, rows: pd.DataFrame, looks: dict[str, tuple[str, str, str]]) -> None:
    """Draw series of one model; `looks` holds the label, the colour and the dashes of each."""
    for series, (label, color, dash) in looks.items():
        for _, fold in rows.groupby("fold"):
            axes.plot(fold["epoch"], fold[series], color=color, lw=0.7, alpha=0.3)
        mean = mean_over_folds(rows, series)
        axes.plot(mean.index, mean, dash, color=color, lw=2, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(axes)


_FOOT = {"loc": "outside lower center", "ncols": 2, "frameon": False, "fontsize": 9, "title_fontsize": 9}


def _legend(figure: Figure, title: str) -> None:
    figure.legend(title=title, **_FOOT)


def _rank(label: str, order: list[str]) -> int:
    """Return the place of a legend's entry: its model's, or the end."""
    model = label.rsplit("  ", 1)[0]
    return order.index(model) if model in order else len(order)


def _ordered(values: pd.Series, highlight: Sequence[str]) -> pd.Series:
    """Return values by model, those of `highlight` first and then the largest first."""
    first = [model for model in highlight if model in values.index]
    rest = values.drop(first).sort_values(ascending=False, kind="stable")
    return pd.concat([values[first], rest])


def _macro_curves(axes: Axes, table: pd.DataFrame, names: tuple[str, str], areas: pd.Series, **look) -> None:
    """Draw the mean curve of each model of `areas`, the most important first, the others as one entry."""
    x, y = names
    macro = table[table["emotion"] == MACRO]
    looks = styles(list(areas.index))
    for position, (model, area) in enumerate(areas.items()):
        curve = macro[macro["model"] == model].sort_values(x, kind="stable")
        label = f"{short_name(model, LONGEST)}  {area:.3f}" if position < HIGHLIGHTED else None
        axes.plot(curve[x], curve[y], label=label, **look, **looks[model])
    others = areas.iloc[HIGHLIGHTED:]
    if len(others):
        span = f"{others.min():.3f}–{others.max():.3f}" if len(others) > 1 else f"{others.iloc[0]:.3f}"
        axes.plot([], [], color=GREY, lw=0.8, label=f"{len(others)} others  {span}")
