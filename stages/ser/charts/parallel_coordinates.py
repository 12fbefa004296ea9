"""A parallel-coordinates chart of experiments: one line each, through its settings to its score.

References
----------
.. [1] A. Inselberg, "The plane with parallel coordinates", The Visual Computer 1, 1985.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import LogLocator, MaxNLocator

from ser.lettering.picture_letters import Lettering
from ser.lettering.plain_matplotlib import Figure
from ser.storage.whole_files import written

COLOURS = "viridis_r"  # the better, the darker: the best stands out on white
WORST = 0.25  # this share of the lines has the last colour: a few bad ones would leave the good ones indistinct
LOG_RATIO = 20  # positive values that span more than this go on a logarithmic axis
FEW = 6  # up to so many different numbers are themselves the ticks
NUMBERS_BELOW = 0.8  # part of an axis that numbers take if there are words too


def parallel_coordinates(table: pd.DataFrame, columns: list[str], score: str, path: Path | str, *, title: str) -> None:
    """Draw a line for every row that has a score; the best is bold, a missing value interrupts its line.

    Parameters
    ----------
    table : pd.DataFrame
        One row an experiment.
    columns : list of str
        The parameters, an axis each; words and numbers may be mixed.
    score : str
        The column of the last axis, which also colours the lines.
    path : Path
        The PNG file.
    title : str
    """
    rows = table.dropna(subset=[score]).sort_values(score, kind="stable")
    axes_of = [*columns, score]
    figure = Figure(figsize=(min(3.5 + 1.9 * len(axes_of), 40), 5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    heights = np.column_stack([_draw_axis(axes, place, rows[column]) for place, column in enumerate(axes_of)])
    values = rows[score].to_numpy(dtype=float)
    norm = Normalize(np.quantile(values, WORST), max(values.max(), values.min() + 1e-4))
    faint = float(np.clip(12 / len(rows), 0.25, 0.9))
    for number, (line, value) in enumerate(zip(heights, values, strict=True)):
        best = number == len(rows) - 1
        style = {"color": colormaps[COLOURS](norm(value)), "marker": "o", "zorder": 3 if best else 2}
        axes.plot(line, **style, linewidth=4 if best else 1.3, markersize=7 if best else 3, alpha=1 if best else faint)
    axes.set_xticks(range(len(axes_of)), [_wrapped(name) for name in axes_of])
    axes.set(xlim=(-0.4, len(axes_of) - 0.5), ylim=(-0.04, 1.04), yticks=[], title=title)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="x", length=0)
    figure.colorbar(ScalarMappable(norm, COLOURS), ax=axes, extend="min", label=_wrapped(score), fraction=0.04)
    lettering = Lettering()
    lettering.make_legible(figure)
    if lettering.note():
        print(lettering.note())
    with written(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def axis_heights(values: pd.Series) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Return where on its axis each value lies, 0 to 1 (NaN: missing), and the ticks: their place and label.

    Numbers go from the bottom upwards; words get a point each, above them.
    """
    given = values.notna().to_numpy()
    numbers = pd.to_numeric(values.where(~values.map(lambda value: isinstance(value, bool))), errors="coerce")
    numbers = numbers.to_numpy(dtype=float)
    words = values.astype(str).to_numpy(dtype=object)
    is_word = given & np.isnan(numbers)
    heights = np.full(len(values), np.nan)
    ticks = []
    top = 1.0
    if is_word.any():
        kinds = sorted(set(words[is_word]))
        bottom = NUMBERS_BELOW + 0.1 if not np.isnan(numbers).all() else 0.0
        places = np.linspace(bottom, 1, len(kinds)) if len(kinds) > 1 else [(bottom + 1) / 2]
        ticks += list(zip(places, kinds, strict=True))
        place_of = dict(zip(kinds, places, strict=True))
        heights[is_word] = [place_of[word] for word in words[is_word]]
        top = NUMBERS_BELOW
    if not np.isnan(numbers).all():
        found, marks = _number_heights(numbers)
        heights = np.where(np.isnan(numbers), heights, found * top)
        ticks += [(height * top, label) for height, label in marks]
    return heights, ticks


def _number_heights(numbers: np.ndarray) -> tuple[np.ndarray, list[tuple[float, str]]]:
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    if low == high:
        return np.where(np.isnan(numbers), np.nan, 0.5), [(0.5, f"{low:g}")]
    logarithmic = low > 0 and high / low > LOG_RATIO
    scale = np.log if logarithmic else np.asarray
    distinct = np.unique(numbers[~np.isnan(numbers)])
    marks = distinct
    if len(distinct) > FEW:
        locator = LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)) if logarithmic else MaxNLocator(5)
        marks = locator.tick_values(low, high)
        marks = marks[(marks >= low) & (marks <= high)]
    place = (scale(numbers) - scale(low)) / (scale(high) - scale(low))
    return place, [((scale(mark) - scale(low)) / (scale(high) - scale(low)), f"{mark:.4g}") for mark in marks]


def _draw_axis(axes: Axes, place: int, values: pd.Series) -> np.ndarray:
    heights, ticks = axis_heights(values)
    axes.axvline(place, color="0.6", linewidth=1, zorder=1)
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    for height, label in ticks:
        axes.text(place - 0.04, height, label, ha="right", va="center", fontsize=8, bbox=box, zorder=4)
    return heights


def _wrapped(name: str) -> str:
    return name.replace(".", ".\n").replace("_uar", " UAR")
