"""Clips to listen to in the report: which ones, and their spectrograms as text."""

import io

import numpy as np
import pandas as pd
from matplotlib import colormaps
from PIL import Image
from scipy.fft import rfft

from ser.reporting.sound_sources import COLUMNS, as_source
from ser.storage.prediction_tables import emotions_of, predicted_emotions, probabilities_of
from ser.storage.samples import to_float
from ser.storage.shards import Ragged

ROWS = 96
DYNAMIC_RANGE_DB = 70.0  # of a spectrogram; what is quieter is black


def worst_mistakes(predictions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the mistakes of which a model was surest: the highest probability of a wrong emotion first.

    Parameters
    ----------
    predictions : pd.DataFrame
        Test rows of one model, see `ser.storage.prediction_tables`.
    count : int
        At most so many.

    Returns
    -------
    pd.DataFrame
        Rows of `predictions` with ``predicted`` and ``probability`` (of the predicted emotion).
    """
    table = predictions.assign(
        predicted=predicted_emotions(predictions), probability=probabilities_of(predictions).max(axis=1)
    )
    wrong = table[table["predicted"] != table["emotion"]]
    return wrong.sort_values(["probability", "clip"], ascending=[False, True], ignore_index=True).head(count)


def typical_clips(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return for each emotion the clip whose true emotion got the highest probability, with that ``probability``."""
    emotions = emotions_of(predictions)
    columns = predictions["emotion"].map(emotions.index).to_numpy()
    true = probabilities_of(predictions)[np.arange(len(predictions)), columns]
    table = predictions.assign(probability=true, predicted=predicted_emotions(predictions))
    table = table.sort_values(["emotion", "probability", "clip"], ascending=[True, False, True])
    return table.drop_duplicates("emotion", ignore_index=True)


def read_sounds(audio: Ragged, clips: pd.DataFrame, names: list[str], sr: int, seconds: float) -> dict[str, np.ndarray]:
    """Return the beginning of some clips, full scale 1, by their names; nothing else is read.

    Parameters
    ----------
    audio : Ragged
        Samples of all clips, 16 bits, in the order of `clips`.
    clips : pd.DataFrame
        With the column ``clip``.
    names : list of str
        The clips.
    sr : int
        Hz.
    seconds : float
        What is longer is cut.
    """
    places = pd.Series(clips.index, index=clips["clip"])
    return {name: to_float(np.asarray(audio[int(places[name])][: int(seconds * sr)])) for name in names}


def spectrogram(y: np.ndarray, window: int, step: int) -> np.ndarray:
    """Return the power of each frequency, shape (1 + window // 2, frames), by Hann windows of frames less their mean.

    The numbers of ``scipy.signal.spectrogram(…, scaling="spectrum")``, to the last bit (a test compares); importing
    that takes as long as drawing three charts.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    window, step : int
        Samples of a frame, and from one frame to the next.
    """
    hann = (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, window + 1)[:-1])).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(y, window)[::step]
    spectrum = rfft(hann * (frames - frames.mean(axis=1, keepdims=True)))
    power = np.conjugate(spectrum) * spectrum
    power *= np.complex64(1) / hann.astype(np.complex64).sum() ** 2
    power[:, 1 : None if window % 2 else -1] *= 2  # what negative frequencies have
    return power.real.T


def spectrogram_image(y: np.ndarray, sr: int) -> str:
    """Return the spectrogram of a signal, 0 Hz to half of `sr`, as the source of an ``<img>`` element."""
    window = min(2 ** round(np.log2(0.025 * sr)), len(y))  # about 25 ms: narrow enough to show the moving formants
    power = spectrogram(y, window, step=window - 7 * window // 8)
    level = 10 * np.log10(np.maximum(power, 1e-12))
    level = np.clip((level - level.max()) / DYNAMIC_RANGE_DB + 1, 0, 1)
    picture = Image.fromarray((255 * level[::-1]).round().astype(np.uint8), "L")
    picture = picture.resize((COLUMNS, ROWS), Image.Resampling.BILINEAR)
    picture.putpalette((255 * colormaps["magma"](np.arange(256))[:, :3]).round().astype(np.uint8).tobytes())
    with io.BytesIO() as file:
        picture.save(file, format="PNG", optimize=True)
        return as_source(file.getvalue(), "image/png")
