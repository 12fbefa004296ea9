"""Pictures of single clips."""

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from ser.features.frames import spectrum
from ser.features.spectral import power_to_db
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
        decibels = power_to_db(spectrum(y, sr, n_fft=n_fft, hop_length=n_fft // 4).power, top_db=DYNAMIC_RANGE_DB)
        image = right.imshow(
            decibels.T - decibels.max(),
            origin="lower",
            aspect="auto",
            extent=(0, seconds, 0, sr / 2000),
            cmap="magma",
        )
        right.set_ylabel("kHz")
        figure.colorbar(image, ax=right, label="dB")
    for axis in axes[-1]:
        axis.set_xlabel("time, s")
    with written(path) as temporary:
        figure.savefig(temporary, dpi=80)
    plt.close(figure)
