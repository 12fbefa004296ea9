"""What the data audit shows: its page, one self-contained HTML file, and a picture of some clips."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ser.audit.label_leaks import CUE, LEAK
from ser.lettering.picture_letters import Lettering
from ser.storage.clip_tables import speakers_in_words
from ser.storage.recorded_level import leaking_level
from ser.storage.whole_files import written

TEMPLATE = Path(__file__).with_name("findings_page.html")
LONGEST_TABLE = 500  # rows of a table on the page; the CSV beside it holds all
RED, AMBER, BLUE = "#c62828", "#ef8f00", "#33658a"
MOST_LEVEL, LONGEST_LEVEL = 9, 11  # labels, and letters of one, that go below bars side by side
LONGEST_LABEL = 40  # letters
matplotlib.rcParams["text.parse_math"] = False  # labels and names of clips may hold $
DYNAMIC_RANGE_DB = 70.0  # of a spectrogram; what is quieter is drawn black


def write_page(
    path: Path | str, *, title: str, summary: dict, clips: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    title : str
    summary : dict
        What `ser.audit.quarantine_tables.summarize` returns.
    clips : pd.DataFrame
        The clips that are used, with the properties of their recordings.
    tables : dict of str to pd.DataFrame
        ``cues``, ``findings``, ``quarantine`` and ``counts``.
    """
    pictures, lettering = {}, Lettering(sorted(clips["emotion"].unique()))
    if len(clips):
        figures = {"cues": draw_cues(tables["cues"]), "clips": draw_clips(clips), "recordings": draw_recordings(clips)}
        pictures = {name: _picture(figure, lettering) for name, figure in figures.items()}
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    page = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        title=title,
        summary=summary,
        speakers_in_words=speakers_in_words(clips["speaker"]),
        tables=tables,
        leaking_level=leaking_level(tables["cues"]),
        longest=LONGEST_TABLE,
        speakers=clips_of_speakers(clips),
        pictures=pictures,
        lettering=lettering.note(),
    )
    with written(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def clips_of_speakers(clips: pd.DataFrame) -> pd.DataFrame:
    """Count the clips of each speaker (rows) in each emotion (columns)."""
    return clips.pivot_table(
        index=["corpus", "speaker", "sex"], columns="emotion", values="clip", aggfunc="count", fill_value=0
    ).reset_index()


def draw_cues(cues: pd.DataFrame) -> plt.Figure:
    """Draw how well each property of the files tells the emotions."""
    cues = cues.sort_values("excess")
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.22 * max(len(cues), 1)), layout="constrained")
    colours = cues["verdict"].map({"leak": RED, "cue": AMBER, "": BLUE})
    axes.barh(cues["corpus"] + ": " + cues["cue"].str.replace("_", " "), cues["excess"], color=colours)
    for excess, colour in ((CUE, AMBER), (LEAK, RED)):
        axes.axvline(excess, color=colour, linestyle="--", linewidth=1)
    axes.set(xlabel="UAR above chance, from this property alone", ylim=(-0.6, max(len(cues), 1) - 0.4))
    axes.tick_params(labelsize=8)
    return figure


def draw_clips(clips: pd.DataFrame) -> plt.Figure:
    """Draw the number of clips of each emotion by sex."""
    counts = (
        clips.assign(sex=clips["sex"].replace("", "unknown")).groupby(["emotion", "sex"]).size().unstack(fill_value=0)
    )
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    counts.index = [_short(emotion) for emotion in counts.index]
    counts.plot.bar(stacked=True, ax=axes, rot=0, width=0.7)
    if len(counts) > MOST_LEVEL or max(map(len, counts.index)) > LONGEST_LEVEL:
        figure.set_size_inches(max(7, 0.3 * len(counts)), 3.2)
        axes.set_xticks(range(len(counts)), counts.index, rotation=30, ha="right", rotation_mode="anchor")
    axes.set(ylabel="clips", xlabel="")
    axes.legend(title="")
    return figure


def draw_recordings(clips: pd.DataFrame) -> plt.Figure:
    """Draw length, level and bandwidth of the recordings of each emotion."""
    emotions = sorted(clips["emotion"].unique())
    figure, rows = plt.subplots(1, 3, figsize=(11, max(3, 0.6 + 0.2 * len(emotions))), layout="constrained")
    for axes, key, unit, scale in (
        (rows[0], "seconds", "length, s", 1),
        (rows[1], "level_db", "level, dBFS", 1),
        (rows[2], "bandwidth", "bandwidth, kHz", 1000),
    ):
        groups = [clips.loc[clips["emotion"] == emotion, key] / scale for emotion in emotions]
        axes.boxplot(
            groups, orientation="horizontal", tick_labels=[*map(_short, emotions)], flierprops={"markersize": 2}
        )
        axes.set_xlabel(unit)
        axes.tick_params(labelsize=8)
    return figure


def draw_waveforms(clips: dict[str, np.ndarray], sr: int, path: Path | str, *, labels: Sequence[str] = ()) -> None:
    """Write a picture with the waveform and the spectrogram of several clips, one row each.

    Parameters
    ----------
    clips : dict of str to np.ndarray of float, shape (samples,)
        By the title of the row.
    sr : int
        Hz.
    path : Path
        PNG file to write.
    labels : sequence of str
        The emotions in the titles: numbered where no installed font can write them, in a line that is printed.
    """
    figure, axes = plt.subplots(len(clips), 2, figsize=(11, 1.7 * len(clips)), squeeze=False, layout="constrained")
    for (title, y), (left, right) in zip(clips.items(), axes, strict=True):
        seconds = len(y) / sr
        left.plot(np.arange(len(y)) / sr, y, linewidth=0.4)
        left.set(ylim=(-1, 1), xlim=(0, seconds), ylabel="amplitude")
        left.set_title(title, loc="left", fontsize=9)
        n_fft = 2 ** round(np.log2(0.025 * sr))  # about 25 ms: narrow enough to show the moving formants
        right.set_facecolor("black")
        with np.errstate(divide="ignore"):  # digital silence is drawn black
            *_, image = right.specgram(y, NFFT=n_fft, Fs=sr, noverlap=3 * n_fft // 4, cmap="magma")
        loudest = image.get_array().max()
        image.set_clim(loudest - DYNAMIC_RANGE_DB, loudest)
        right.set(xlim=(0, seconds))
        right.yaxis.set_major_formatter(lambda hertz, _: f"{hertz / 1000:g}")
        right.set_ylabel("kHz")
        figure.colorbar(image, ax=right, label="dB")
    for axis in axes[-1]:
        axis.set_xlabel("time, s")
    lettering = Lettering(labels)
    lettering.make_legible(figure)
    if lettering.note():
        print(lettering.note())
    with written(path) as temporary:
        figure.savefig(temporary, dpi=80)
    plt.close(figure)


def _short(label: str) -> str:
    """Return a label that leaves room for the picture."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _picture(figure: plt.Figure, lettering: Lettering) -> str:
    """Return a figure as the source of an image."""
    lettering.make_legible(figure)
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=90)
        plt.close(figure)
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
