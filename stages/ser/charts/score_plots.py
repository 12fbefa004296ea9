"""Charts of scores: of models, emotions, speakers and groups, and of what the models rest on.

Each takes a table of `reports/`.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ser.charts.figures import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, new_figure, short_name, tidy
from ser.evaluation.subgroups import tested_emotions

NAMED_SPEAKERS = 40  # more than these are drawn without their names
SEXES = {"female": (VERMILION, "o"), "male": (BLUE, "s")}  # colour and marker
UNKNOWN = (GREEN, "D")
PANELS_A_ROW = 4


def scores_chart(scores: pd.DataFrame) -> Figure:
    """Draw the UAR of every model with its interval, the best on top, and lines at chance and majority.

    Parameters
    ----------
    scores : pd.DataFrame
        ``model, score, value, low, high``; the models ``chance`` and ``majority`` are drawn as lines.
    """
    uar = scores[scores["score"] == "uar"].set_index("model")
    models = uar.drop(index=["chance", "majority"], errors="ignore")
    models = models.sort_values("value", ascending=False, kind="stable").iloc[::-1]  # what is drawn last is on top
    beyond = max(0, max(map(len, models.index)) - 22)  # characters for which the chart is made wider, by 0.075 inches
    figure = new_figure(5.4 + 0.075 * beyond, 1.3 + 0.3 * len(models))
    axes = tidy(figure.add_subplot(), "x")
    places = np.arange(len(models))
    _whiskers(axes, models, places)
    axes.plot(models["value"], places, "o", color=BLUE, ms=6)
    for place, value in zip(places, models["value"], strict=True):
        axes.annotate(f"{value:.3f}", (1.01, place), va="center", fontsize=9, xycoords=("axes fraction", "data"))
    baselines = uar.loc[uar.index.isin(["chance", "majority"]), "value"].dropna().round(4)
    for (value, names), (color, dash) in zip(
        baselines.groupby(baselines).groups.items(), ((VERMILION, "--"), (ORANGE, ":")), strict=False
    ):
        axes.axvline(value, color=color, ls=dash, lw=1.5, label=f"{' and '.join(names)} {value:.3f}")
    axes.set(xlim=(0, 1), ylim=(-0.6, len(models) - 0.4), xlabel="unweighted average recall (UAR)")
    axes.set_yticks(places, models.index)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower right", ncols=2, frameon=False, fontsize=9)
    return figure


def confusion_chart(confusion: pd.DataFrame) -> Figure:
    """Draw a confusion matrix: colour and percent are the share of the actual class, the small number its clips.

    Parameters
    ----------
    confusion : pd.DataFrame
        ``model, actual, predicted, clips, share`` of one model; the shares of an actual emotion sum to 1.
    """
    emotions = sorted(set(confusion["actual"]) | set(confusion["predicted"]))
    cells = confusion.set_index(["actual", "predicted"]).reindex(pd.MultiIndex.from_product([emotions] * 2))
    shares, counts = cells["share"].unstack(), cells["clips"].fillna(0).astype(int).unstack()
    names = [short_name(emotion, 40) for emotion in emotions]
    more = 0.08 * max(0, max(map(len, names)) - len("happiness"))  # inches that longer words take
    side = 2.6 + 0.62 * len(shares)
    figure = new_figure(side + 0.9 + more, side + more * 0.6)
    axes = figure.add_subplot()
    image = axes.imshow(shares.to_numpy(dtype=float), cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares.to_numpy(dtype=float)):
        text = "–" if np.isnan(share) else f"{100 * share:.0f} %\n{counts.iat[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if share > 0.7 else "black")
    axes.set_xticks(range(len(shares)), names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(shares)), names)
    axes.set(xlabel="predicted emotion", ylabel="actual emotion", title=confusion["model"].iloc[0])
    figure.colorbar(image, ax=axes, label="share of the actual emotion's clips", fraction=0.046, pad=0.03)
    return figure


def speakers_chart(groups: pd.DataFrame, model: str, chance: float, *, sex: dict[str, str] | None = None) -> Figure:
    """Draw the UAR of each speaker, worst first, with the speakers' mean and chance level.

    Who shows fewer emotions than are tested has another kind of UAR: a hollow mark, after all others, not in the mean.

    Parameters
    ----------
    groups : pd.DataFrame
        ``model, group, value, speakers, clips, emotions, uar, low, high, accuracy``; the rows of the group ``speaker``
        are drawn.
    model : str
    chance : float
    sex : dict of str to str, optional
        By speaker; shown by marker and colour where it is known.
    """
    rows = groups[(groups["model"] == model) & (groups["group"] == "speaker")].dropna(subset="uar")
    tested = tested_emotions(chance)
    rows = rows.assign(lacking=rows["emotions"] < tested)
    rows = rows.sort_values(["lacking", "uar", "value"], ignore_index=True)
    named = len(rows) <= NAMED_SPEAKERS
    figure = new_figure(5.0, 1.5 + 0.2 * len(rows) if named else 3.8)
    axes = tidy(figure.add_subplot(), "x" if named else "y")
    kinds = pd.Series([(sex or {}).get(speaker, "") for speaker in rows["value"]], index=rows.index, dtype=object)
    kinds = kinds.where(kinds.isin(list(SEXES)), "unknown")
    for kind, (color, marker) in {**SEXES, "unknown": UNKNOWN}.items():
        part = rows[kinds == kind]
        label = f"{kind} ({len(part)})" if kind in SEXES else f"speakers ({len(part)})"
        if len(part):
            x, y = (part["uar"], -part.index) if named else (part.index, part["uar"])
            face = np.where(part["lacking"], "none", color)
            size = 26 if named else 16
            axes.scatter(x, y, size, c=face, edgecolors=color, marker=marker, label=label, zorder=3)
    line, limit = (axes.axvline, axes.set_xlim) if named else (axes.axhline, axes.set_ylim)
    complete, lack = rows.loc[~rows["lacking"], "uar"], bool(rows["lacking"].any())
    if len(complete):
        line(complete.mean(), color=BLACK, lw=1.2, label=f"mean of the speakers {complete.mean():.3f}")
    if lack:
        hollow = f"fewer than {tested} emotions ({len(rows) - len(complete)})"
        axes.scatter([], [], 26, c="none", edgecolors=BLACK, marker="o", label=hollow)
    line(chance, color=GREY, lw=1.2, ls="--", label=f"chance {chance:.3f}")
    limit(0, 1.02)
    if named:
        names = [short_name(name) + _lacks(n, tested) for name, n in zip(rows["value"], rows["emotions"], strict=True)]
        axes.set_yticks(-rows.index, names, fontsize=8)
        axes.set(xlabel="UAR", ylim=(-len(rows) + 0.4, 0.6))
        axes.tick_params(axis="y", length=0)
    else:
        axes.set(
            xlabel=f"{len(rows)} speakers, worst first{', hollow last' * lack}",
            ylabel="UAR",
            xlim=(-0.02 * len(rows), 1.02 * len(rows)),
        )
        for place, side in ((0, "left"), ((len(complete) or len(rows)) - 1, "right")):
            offset = (6, -4) if side == "left" else (-4, 8)
            axes.annotate(short_name(rows.at[place, "value"]), (place, rows.at[place, "uar"]), offset, fontsize=8,
                          textcoords="offset points", ha=side)  # fmt: skip
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def groups_chart(groups: pd.DataFrame, model: str, chance: float) -> Figure:
    """Draw the UAR by sex and by corpus with intervals, hollow where emotions lack; see `speakers_chart`."""
    rows = groups[(groups["model"] == model) & groups["group"].isin(["sex", "corpus"])].dropna(subset="uar")
    rows = rows.sort_values(["group", "uar"], ascending=[True, True], ignore_index=True)
    rows = rows.rename(columns={"uar": "value", "value": "name"})
    places = np.arange(len(rows)) + 0.6 * (rows["group"] != rows["group"].iloc[0])  # a gap between corpora and sexes
    figure = new_figure(5.0, 1.2 + 0.36 * len(rows))
    axes = tidy(figure.add_subplot(), "x")
    tested = tested_emotions(chance)
    _whiskers(axes, rows, places)
    face = np.where(rows["emotions"] < tested, "none", BLUE)
    axes.scatter(rows["value"], places, 36, c=face, edgecolors=BLUE, zorder=3)
    for place, value in zip(places, rows["value"], strict=True):
        axes.annotate(f"{value:.3f}", (1.01, place), va="center", fontsize=9, xycoords=("axes fraction", "data"))
    axes.axvline(chance, color=VERMILION, ls="--", lw=1.5, label=f"chance {chance:.3f}")
    counts = rows["speakers"].astype(int)
    known = [f" ({n} speaker{'s' * (n != 1)})" if n else "" for n in counts]
    emotions = [_lacks(n, tested) for n in rows["emotions"]]
    labels = [short_name(name) + count + lack for name, count, lack in zip(rows["name"], known, emotions, strict=True)]
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0)
    axes.set(xlim=(0, 1), ylim=(-0.6, places.max() + 0.6), xlabel="UAR")
    figure.legend(loc="outside lower right", frameon=False, fontsize=9)
    return figure


def importance_chart(importance: pd.DataFrame) -> Figure:
    """Draw by how much the UAR falls without each group of features, a panel a model.

    Models that read the same groups share a row and the order of the groups.

    Parameters
    ----------
    importance : pd.DataFrame
        ``model, group, features, uar_drop, deviation``: mean and standard deviation over the folds.
    """
    members: dict[frozenset, list[str]] = {}
    for model, rows in importance.groupby("model"):
        members.setdefault(frozenset(rows["group"]), []).append(model)
    lines = [
        models[start : start + PANELS_A_ROW]
        for _, models in sorted(members.items(), key=lambda item: (-len(item[1]), item[1]))
        for start in range(0, len(models), PANELS_A_ROW)
    ]
    sizes = [importance.loc[importance["model"] == models[0], "group"].nunique() for models in lines]
    figure = new_figure(8.6, 0.5 + sum(0.6 + 0.18 * size for size in sizes))
    grid = figure.subplots(
        len(lines), PANELS_A_ROW, squeeze=False, sharex=True, height_ratios=[0.6 + 0.18 * size for size in sizes]
    )
    low = min(0.0, (importance["uar_drop"] - importance["deviation"].fillna(0)).min())
    high = (importance["uar_drop"] + importance["deviation"].fillna(0)).max()
    for panels, models in zip(grid, lines, strict=True):
        rows = importance[importance["model"].isin(models)]
        order = rows.groupby("group")["uar_drop"].mean().sort_values(kind="stable").index
        for position, axes in enumerate(panels):
            if position >= len(models):
                axes.set_visible(False)
                continue
            _importance(axes, rows[rows["model"] == models[position]].set_index("group").loc[order])
            axes.set_title(short_name(models[position]), fontsize=10)
            axes.set_xlim(1.05 * low - 0.01, 1.05 * high + 0.01)
            axes.tick_params(axis="x", labelbottom=True, labelsize=8)
            axes.set_yticks(range(len(order)), order if position == 0 else [""] * len(order), fontsize=8)
    figure.supxlabel("UAR lost on validation speakers; line: ± one standard deviation over the folds", fontsize=10)
    return figure


def _importance(axes: Axes, rows: pd.DataFrame) -> None:
    places = np.arange(len(rows))
    axes.barh(places, rows["uar_drop"], color=BLUE, height=0.62, alpha=0.75)
    axes.hlines(places, rows["uar_drop"] - rows["deviation"], rows["uar_drop"] + rows["deviation"], BLACK, lw=1.2)
    axes.axvline(0, color=BLACK, lw=0.8)
    tidy(axes, "x").tick_params(axis="y", length=0)


def _whiskers(axes: Axes, rows: pd.DataFrame, places: np.ndarray) -> None:
    """Draw the intervals of ``value, low, high``, where there are any."""
    known = rows[["low", "high"]].notna().all(axis=1).to_numpy()
    axes.hlines(np.asarray(places)[known], rows["low"][known], rows["high"][known], BLUE, lw=2, alpha=0.6)


def _lacks(emotions: int, tested: int) -> str:
    return f", {emotions:.0f} of {tested} emotions" if emotions < tested else ""
