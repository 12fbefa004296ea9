"""A picture of a timeline: of each channel the waveform, the emotions and their probabilities over time.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which colour-blind readers can tell apart; beyond
seven emotions they come again with hatching. Each emotion has a lane, with its name, which tells it without any colour.
"""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ser.storage.whole_files import written
from ser.timelines.annotations import channel_name, one_line
from ser.timelines.segments import Channel, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442")
HATCHES = ("", "////", "....", "xxxx")
GREY = "#8C8C8C"  # speech of no emotion: unsure, or no answer
FAINT = "#D9D9D9"  # where nobody speaks
INK = "#222222"
WIDTH, DPI = 12.0, 150  # inches, pixels an inch
COLUMNS = 1500  # of a waveform: about a pixel each
FEW_COLUMNS = 240  # of probabilities over more than `LONG` s: single utterances would be a flicker
LONG = 600  # s
TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)  # s
SUFFIXES = (".png", ".svg", ".pdf")


def draw(timeline: Timeline, path: Path | str) -> str:
    """Write a picture of a timeline; PNG files are the same bytes from run to run.

    Parameters
    ----------
    timeline : Timeline
    path : Path or str
        Its suffix says what it becomes: .png, .svg or .pdf.

    Returns
    -------
    str
        What is to be said of words that no installed font can write, and by what they are replaced; else an empty text.
        An SVG has all words: who shows it has the fonts.

    Raises
    ------
    ValueError
        It ends in another suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path}: a picture ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    from ser.lettering.saved_picture import save_picture  # here, as all else of timelines does without

    with written(path) as temporary:
        return save_picture(temporary, suffix, lambda: picture(timeline), map(shown, timeline.emotions))


def picture(timeline: Timeline) -> "Figure":
    """Return the figure that `draw` writes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    head = [line for each in heading(timeline) for line in textwrap.wrap(each, 150)]
    lanes = max(3, len(timeline.emotions) + 1)
    heights = [0.8, 0.19 * lanes, 1.0] * len(timeline.channels)
    height = sum(heights) + 0.2 * len(head) + 0.25 * len(timeline.channels) + 0.9
    layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.03, hspace=0.01)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(heights), sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for number, channel in enumerate(timeline.channels, start=1):
        wave, lane, lines = grid[3 * number - 3 : 3 * number]
        draw_waveform(wave, timeline, channel)
        draw_lanes(lane, timeline, channel)
        draw_probabilities(lines, timeline, channel)
        title = channel_name(timeline, number)
        if title:
            wave.set_title(title, loc="left", fontsize=9, fontweight="bold", color=INK)
    for axes in grid:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, colors=INK)
    clock_axis(grid[-1], timeline.seconds)
    figure.suptitle("\n".join(head), fontsize=10, x=0.01, ha="left", color=INK)
    return figure


def heading(timeline: Timeline) -> list[str]:
    """Return the lines above the picture: the recording, and the shares of its speaking time."""
    by = f": emotions as {one_line(timeline.model)} estimates them" if timeline.model else ""
    return [f"{shown(timeline.name, 100)}{by}", *map(one_line, timeline.in_words()), *map(one_line, timeline.remarks)]


def draw_waveform(axes: "Axes", timeline: Timeline, channel: Channel) -> None:
    """Draw a waveform's envelope, speech in the colour of its emotion."""
    many = min(len(channel.peaks), COLUMNS)
    if many:
        starts = np.linspace(0, len(channel.peaks), many, endpoint=False).astype(int)
        largest = np.maximum.reduceat(channel.peaks, starts)
        times = (starts + np.diff([*starts, len(channel.peaks)]) / 2) / channel.peaks_per_second
        ends = np.array([segment.end for segment in channel.segments])
        here = np.minimum(np.searchsorted(ends, times), len(ends) - 1)
        colors = [color_of(timeline, channel.segments[i].emotion, channel.segments[i].speech) for i in here]
        width = 0.8 if many < COLUMNS else 0.9
        axes.vlines(times, -largest, largest, colors=colors, lw=width * WIDTH * 72 * 0.9 / many)
        axes.set_ylim(*(np.array([-1.05, 1.05]) * max(float(largest.max()), 1e-3)))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False)
    axes.spines["bottom"].set_visible(False)


def draw_lanes(axes: "Axes", timeline: Timeline, channel: Channel) -> None:
    """Draw the segments of speech, those of an emotion in its lane; the lowest lane is of no emotion."""
    names = [*timeline.emotions, ""]
    edge = 0.5 if timeline.seconds <= LONG else 0  # between utterances, where they are wider than it
    for row, name in enumerate(names):
        spans = [
            (segment.start, segment.seconds)
            for segment in channel.segments
            if segment.speech and (segment.emotion if segment.emotion in timeline.emotions else "") == name
        ]
        axes.axhline(row, color=FAINT, lw=0.7, zorder=1)
        style: Any = {"facecolor": color_of(timeline, name), "hatch": hatch_of(timeline, name), "edgecolor": "white"}
        axes.broken_barh(spans, (row - 0.38, 0.76), **style, lw=edge, zorder=2)
    axes.set_yticks(range(len(names)), [*map(shown, timeline.emotions), "unsure, no answer"])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.tick_params(left=False, bottom=False, labelbottom=False)
    axes.spines[["left", "bottom"]].set_visible(False)


def draw_probabilities(axes: "Axes", timeline: Timeline, channel: Channel) -> None:
    """Draw the probabilities above one another, the first emotion on top as in the lanes."""
    columns = FEW_COLUMNS if timeline.seconds > LONG else COLUMNS
    edges = np.linspace(0, timeline.seconds, columns + 1)
    base = np.zeros(columns)
    means = mean_probabilities(channel, len(timeline.emotions), edges)
    for emotion, mean in reversed([*zip(timeline.emotions, means, strict=True)]):
        style: Any = {
            "facecolor": color_of(timeline, emotion),
            "hatch": hatch_of(timeline, emotion),
            "edgecolor": "white",
        }
        axes.stairs(base + mean, edges, baseline=base, fill=True, lw=0, **style)
        base = base + np.nan_to_num(mean)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    of = f"\n(mean of {timeline.seconds / columns:.0f} s)" if columns == FEW_COLUMNS else ""
    axes.set_ylabel(f"probability{of}", fontsize=8, color=INK)


def mean_probabilities(channel: Channel, emotions: int, edges: np.ndarray) -> np.ndarray:
    """Return the mean probabilities of what is said between edges.

    They are differences of what has been said up to an edge, so that utterances across edges count on both sides.

    Parameters
    ----------
    channel : Channel
    emotions : int
        How many.
    edges : np.ndarray, shape (parts + 1,)
        s.

    Returns
    -------
    np.ndarray, shape (emotions, parts)
        NaN where nobody speaks.
    """
    total = np.zeros(emotions + 1)  # s times probability, and s
    times, sums = [0.0], [total]
    for segment in channel.segments:
        if segment.probabilities is not None:
            said = total + np.append(segment.probabilities, 1) * segment.seconds
            times += [segment.start, segment.end]
            sums += [total, said]
            total = said
    within = np.diff([np.interp(edges, times, each) for each in np.transpose(sums)], axis=1)
    spoken = np.where(within[-1] > 0.02 * np.diff(edges), within[-1], np.nan)
    return within[:-1] / spoken


def clock_axis(axes: "Axes", seconds: float) -> None:
    """Label an axis of time as m:ss, or h:mm:ss from an hour on."""
    step = next((each for each in TICKS if seconds / each <= 13), TICKS[-1])
    axes.set_xlim(0, seconds)
    times = np.arange(0, seconds + step / 1000, step)
    axes.set_xticks(times, [clock(int(time), hours=seconds >= 3600) for time in times])
    axes.set_xlabel("time (h:mm:ss)" if seconds >= 3600 else "time (m:ss)", fontsize=8, color=INK)


def clock(seconds: int, *, hours: bool) -> str:
    """Return a time as m:ss or h:mm:ss."""
    minutes = f"{seconds // 3600}:{seconds // 60 % 60:02d}" if hours else f"{seconds // 60}"
    return f"{minutes}:{seconds % 60:02d}"


def color_of(timeline: Timeline, emotion: str, speech: bool = True) -> str:
    """Return the colour of an emotion; grey of speech of none, faint of silence."""
    if not speech:
        return FAINT
    return COLORS[timeline.emotions.index(emotion) % len(COLORS)] if emotion in timeline.emotions else GREY


def hatch_of(timeline: Timeline, emotion: str) -> str:
    """Return the hatching of an emotion: none of the first seven."""
    turn = timeline.emotions.index(emotion) // len(COLORS) if emotion in timeline.emotions else 0
    return HATCHES[turn % len(HATCHES)]


def shown(text: str, most: int = 22) -> str:
    """Return a user's own words as one line of at most so many characters."""
    text = one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
