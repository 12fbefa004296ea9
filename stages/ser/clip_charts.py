"""Pictures of single clips."""

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ser.files import written

DYNAMIC_RANGE_DB = 70.0  # of a spectrogram; what is quieter is drawn black


def draw_clips(clips: dict[str, np.ndarray], sr: int, path: Path | str) -> None:
    """Draw the waveform and the spectrogram of several clips, one row each.

    Parameters
    ----------
    clips : dict of str to np.ndarray of float, shape (samples,)
        By the title of the row.
    sr : int
        Hz.
    path : Path
        PNG file to write.
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
    with written(path) as temporary:
        figure.savefig(temporary, dpi=80)
    plt.close(figure)
