"""The picture that git keeps of a clip of each emotion: waveforms and spectrograms, to see whether data are sane."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import ser.lettering.plain_matplotlib  # noqa: F401  (whatever a matplotlibrc says)
from ser.audio.cleaning import to_float
from ser.lettering.picture_letters import Lettering
from ser.storage.shards import Ragged
from ser.storage.whole_files import written

DYNAMIC_RANGE_DB = 70.0  # of a spectrogram; what is quieter is drawn black


def draw_clips(path: Path | str, clips: pd.DataFrame, audio: Ragged | None, sr: int) -> None:
    """Draw the clip of median length of each emotion.

    Parameters
    ----------
    path : Path
        PNG file to write.
    clips : pd.DataFrame
    audio : Ragged, or None
        Samples of all clips, 16 bits, in the order of `clips`. None: the picture says that none is shown.
    sr : int
        Hz.
    """
    if audio is None:
        draw_words(["report.sounds is false:", "no picture of a clip is drawn"], path)
        return
    examples = {}
    for emotion, group in clips.reset_index(drop=True).groupby("emotion"):
        row = group["seconds"].sort_values(kind="stable").index[len(group) // 2]
        examples[f"{emotion}: {group['clip'][row]}"] = to_float(audio[row])
    draw_waveforms(examples, sr, path, labels=sorted(clips["emotion"].unique()))


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


def draw_words(lines: Sequence[str], path: Path | str) -> None:
    """Write a picture that holds nothing but some lines of words, in the place of another."""
    figure = plt.figure(figsize=(5, 0.3 + 0.3 * len(lines)))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center", fontsize=10)
    with written(path) as temporary:
        figure.savefig(temporary, dpi=80)
    plt.close(figure)
