"""A picture of an explanation: waveform, spectrogram, the effect of each stretch below it, and of each group.

Blue spoke for the emotion, orange against it (colours of Okabe and Ito, which colour-blind readers can tell apart); the
side of a bar says it as well.
"""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser.explaining.explanation import Explanation
from ser.storage.whole_files import written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOR, AGAINST, INK, FAINT = "#0072B2", "#D55E00", "#222222", "#D9D9D9"
WIDTH, DPI = 10.0, 150  # inches, pixels an inch
COLUMNS = 1000  # of a waveform
WINDOW, RANGE_DB = 0.025, 60.0  # s of a spectrum; dB below the loudest that is shown
SUFFIXES = (".png", ".svg", ".pdf")


def draw(explanation: Explanation, path: Path | str) -> str:
    """Write a picture of an explanation; PNG files are the same bytes from run to run.

    Parameters
    ----------
    explanation : Explanation
    path : Path or str
        Its suffix says what it becomes: .png, .svg or .pdf.

    Returns
    -------
    str
        See `ser.lettering.saved_picture.save_picture`.

    Raises
    ------
    ValueError
        It ends in another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: a picture ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    from ser.lettering.saved_picture import save_picture  # here, as all else of explanations does without

    with written(path) as temporary:
        return save_picture(temporary, suffix, lambda: picture(explanation), explanation.emotions)


def picture(explanation: Explanation) -> "Figure":
    """Return the figure that `draw` writes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    said = [f"{one_line(explanation.name)}, as {explanation.model} hears it", *map(one_line, explanation.in_words())]
    head = [line for each in said for line in textwrap.wrap(each, 120)]
    heights = [0.8, 1.4, 1.5, *([0.5 + 0.2 * len(explanation.groups)] if explanation.groups else [])]
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.04, hspace=0.02)
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.2 * len(head) + 0.5), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    wave, spectrogram, effects, *rest = figure.subplots(len(heights), height_ratios=heights)
    for axes in (wave, spectrogram):
        axes.sharex(effects)
        axes.tick_params(labelbottom=False)
    draw_waveform(wave, explanation)
    draw_spectrogram(spectrogram, explanation)
    draw_stretches(effects, explanation)
    for axes in rest:
        draw_groups(axes, explanation)
    for axes in (wave, spectrogram, effects, *rest):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=INK)
    figure.suptitle("\n".join(head), fontsize=9, x=0.01, ha="left", color=INK)
    return figure


def one_line(text: str) -> str:
    """Return a user's own words without line ends."""
    return " ".join(text.split())


def draw_waveform(axes: "Axes", explanation: Explanation) -> None:
    """Draw what the model heard, and shade the stretch that stands out."""
    y = explanation.samples / np.float32(2**15)
    starts = np.unique(np.linspace(0, len(y), COLUMNS, endpoint=False).astype(int))
    times = explanation.stretches[0].start + starts / explanation.sample_rate
    axes.fill_between(times, np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts), color=INK, lw=0.3)
    if explanation.outlier is not None:
        one = explanation.stretches[explanation.outlier]
        axes.axvspan(one.start, one.end, color=color_of(one.effect), alpha=0.25, lw=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def draw_spectrogram(axes: "Axes", explanation: Explanation) -> None:
    """Draw the spectrum over time, dB below its loudest point."""
    sr, y = explanation.sample_rate, explanation.samples / np.float32(2**15)
    size = round(WINDOW * sr)
    hop = max(1, size // 4, len(y) // COLUMNS)
    padded = np.pad(y, (size // 2, size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][: 1 + len(y) // hop]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)))
    decibels = 10 * np.log10(np.maximum(power / max(power.max(), 1e-20), 10 ** (-RANGE_DB / 10)))
    start, end = explanation.stretches[0].start, explanation.stretches[-1].end
    extent = (start, end, 0.0, sr / 2000)
    axes.imshow(decibels.T, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    axes.set_ylabel("kHz", fontsize=8, color=INK)


def draw_stretches(axes: "Axes", explanation: Explanation) -> None:
    """Draw the effect of each stretch, its standard error, and the stretch that stands out with an edge."""
    for at, one in enumerate(explanation.stretches):
        edge = 1.2 if at == explanation.outlier else 0.0
        middle, width = (one.start + one.end) / 2, one.end - one.start
        axes.bar(middle, one.effect, 0.94 * width, color=color_of(one.effect), ec=INK, lw=edge)
        axes.vlines(middle, one.effect - one.error, one.effect + one.error, color=INK, lw=0.8)
    axes.axhline(0, color=INK, lw=0.6)
    most = max(0.1, *(abs(one.effect) + one.error for one in explanation.stretches))
    axes.set_ylim(-1.1 * most, 1.1 * most)
    axes.set_xlim(explanation.stretches[0].start, explanation.stretches[-1].end)
    axes.set_ylabel("effect\n(nats)", fontsize=8, color=INK)
    axes.set_xlabel("time (s)", fontsize=8, color=INK)


def draw_groups(axes: "Axes", explanation: Explanation) -> None:
    """Draw what each group of features brought, the one that matters most above."""
    effects = [group.effect for group in explanation.groups]
    rows = range(len(effects))
    axes.barh(rows, effects, 0.7, color=[color_of(effect) for effect in effects])
    errors = [(row, group.effect, group.error) for row, group in zip(rows, explanation.groups, strict=True)]
    for row, effect, error in errors:
        if error:
            axes.hlines(row, effect - error, effect + error, color=INK, lw=0.8)
    axes.axvline(0, color=INK, lw=0.6)
    axes.set_yticks(rows, [group.name for group in explanation.groups])
    axes.set_ylim(len(effects) - 0.4, -0.6)
    most = max(0.1, *map(abs, effects))
    axes.set_xlim(-1.1 * most, 1.1 * most)
    axes.tick_params(left=False)
    axes.set_xlabel(f"against {one_line(explanation.emotion)}  –  effect (nats)  –  for it", fontsize=8, color=INK)


def color_of(effect: float) -> str:
    """Return the colour of what spoke for the emotion, or against it."""
    return FOR if effect > 0 else AGAINST
