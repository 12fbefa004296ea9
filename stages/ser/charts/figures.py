"""What all charts share: colours, the red banner, and how a figure becomes a PNG file or a part of a page.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart; no
chart tells anything by colour alone. Black is the ink: on a page it takes the colour of the text around it.
"""

import html
import io
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.layout_engine import ConstrainedLayoutEngine

from ser.lettering.picture_letters import Lettering
from ser.lettering.plain_matplotlib import Figure, matplotlib
from ser.storage.whole_files import written

BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
COLORS = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "vermilion": VERMILION, "purple": PURPLE, "sky": SKY}
DASHES = ("-", "--", ":", "-.")
GREY = "#8C8C8C"  # what is there for comparison: readable on white and on black
RED = "#C00000"
DPI = 100
HIGHLIGHTED = 4  # models with a colour of their own; the others are grey, or nobody could follow any


class LaidOutOnce(Figure):
    """A figure that is laid out when it is saved first, and drawn once each time.

    Matplotlib draws a figure before it saves it, unseen, only to lay it out: every time, and that takes as long.
    """

    laid_out = False

    def draw(self, renderer: RendererBase) -> None:
        """Lay the figure out or, where `savefig` has switched that off as it is done, draw it."""
        layout = self.get_layout_engine()
        if not isinstance(layout, ConstrainedLayoutEngine):
            super().draw(renderer)
        elif not self.laid_out:
            layout.execute(self)
            self.laid_out = True


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, inches; not pyplot's, which keeps figures and picks a backend."""
    figure = LaidOutOnce(figsize=(width, height), dpi=DPI, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes, grid: str | None = "both") -> Axes:
    """Take away the upper and the right edge and draw a faint grid: ``x``, ``y``, ``both`` or None."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GREY, alpha=0.25, lw=0.7)
    return axes


def styles(models: Sequence[str]) -> dict[str, dict]:
    """Return the line style of each model, most important first: the first `HIGHLIGHTED` in colour, the rest grey."""
    colors = (BLUE, VERMILION, GREEN, PURPLE)
    marked = {
        model: {"color": colors[i], "ls": DASHES[i], "lw": 2.0 if i else 2.4, "zorder": 10 - i}
        for i, model in enumerate(models[:HIGHLIGHTED])
    }
    return marked | {model: {"color": GREY, "ls": "-", "lw": 0.8, "zorder": 2} for model in models[HIGHLIGHTED:]}


def short_name(name: str, longest: int = 24) -> str:
    """Return a name that leaves room for the chart: its beginning and, as names often differ there, more of its end."""
    ahead = (longest - 1) * 2 // 5
    return name if len(name) <= longest else f"{name[:ahead]}…{name[ahead + 1 - longest :]}"


def save_png(figure: Figure, path: Path | str, warning: str = "", *, lettering: Lettering | None = None) -> None:
    """Write a figure as PNG, the same bytes from run to run.

    Parameters
    ----------
    figure : Figure
    path : Path
    warning : str
        Text of a red banner above it, because a picture is often seen without its report; empty: none.
    lettering : Lettering, optional
        What stands for words that no installed font can write; its note is for the caller to print.
    """
    if (lettering or Lettering()).make_legible(figure):
        figure.laid_out = False
    if warning:
        width, height = figure.get_size_inches()
        lines = textwrap.wrap(warning, int(11 * width))
        figure.set_size_inches(width, height + 0.2 * len(lines))
        figure.suptitle("\n".join(lines), color=RED, fontsize=10, fontweight="bold")
        figure.laid_out = False
    with written(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})  # else it names Matplotlib's version


def svg(figure: Figure, label: str) -> str:
    """Return a figure as an ``<svg>`` element to put into a page, the same text from run to run.

    It is as wide as its container, up to its own width, takes colour and font of the text around it, and its colours
    are the custom properties ``--blue``, ``--orange`` and so on where the page defines them.

    Parameters
    ----------
    figure : Figure
    label : str
        What a screen reader says instead; also keeps the identifiers of two figures of a page apart.
    """
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": label}), io.StringIO() as file:
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        text = file.getvalue()
    text = text[text.index("<svg") :]
    for part in (r"<metadata>.*?</metadata>", r"<style.*?</style>", r"<!--.*?-->", r"<title>.*?</title>"):
        text = re.sub(part, "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # figure_1 would be in every figure; the others hold the hash
    text = re.sub(r"<[^>]+>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), text)  # a hundredth of a point
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", text)  # what font: cannot be without
    text = text.replace("#000000", "currentColor")
    for name, color in COLORS.items():
        text = text.replace(color.lower(), f"var(--{name}, {color})")
    text = text.replace(RED.lower(), f"var(--red, {RED})")
    view, width = re.search(r'viewBox="(0 0 ([\d.]+) [\d.]+)"', text).groups()
    head = (
        f'<svg class="chart" role="img" aria-label="{html.escape(label)}" viewBox="{view}" fill="currentColor" '
        f'style="width: 100%; max-width: {float(width) / 72:.2f}in; height: auto" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return head + re.sub(r"\n\s*", "\n", text[text.index(">") + 1 :]).strip()
