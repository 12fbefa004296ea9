"""A picture in a file: its words legible, its bytes the same each time, whatever is set for Matplotlib."""

import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

from ser.lettering.picture_letters import Lettering

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METADATA: dict[str, Any] = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
SETTINGS: Any = {
    "text.parse_math": False,  # words may hold $
    "svg.hashsalt": "timeline",
    "svg.fonttype": "none",
    "hatch.linewidth": 0.6,
    "font.family": ["DejaVu Sans"],
}


def save_picture(file: Path, suffix: str, make: Callable[[], "Figure"], labels: Iterable[str]) -> str:
    """Write a figure to a file; what Matplotlib is set to is changed for as long as that takes, and no longer.

    Parameters
    ----------
    file : Path
    suffix : {".png", ".svg", ".pdf"}
        What it becomes, whatever the file is called.
    make : callable
        Returns the figure.
    labels : iterable of str
        The words in it that are a user's own.

    Returns
    -------
    str
        What is to be said of words that no installed font can write, and by what they are replaced; else an empty text.
        An SVG has all words: who shows it has the fonts.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()  # else a person's matplotlibrc decides how it looks
        matplotlib.rcParams.update(SETTINGS)
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # of an SVG, where it is measured as a box
        figure, lettering = make(), Lettering(labels)
        lettering.use_fonts(figure) if suffix == ".svg" else lettering.make_legible(figure)
        figure.savefig(file, format=suffix[1:], metadata=METADATA[suffix])
    return lettering.note()
