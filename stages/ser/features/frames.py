"""Cutting a signal into frames and transforming them, once for all descriptors."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft

from ser.storage.recorded_level import RecordedLevel

BLOCK = 60_000  # samples of frames that are transformed at a time: what the cache can hold with their spectra
RUN = 16  # columns that are summed by one product
KEPT_BYTES = 16 * 2**20  # the arrays of a clip are smaller


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A clip and its power spectrogram, which all descriptors are computed from.

    Attributes
    ----------
    y : np.ndarray of float32, shape (samples,)
    power : np.ndarray of float32, shape (frames, 1 + n_fft / 2)
    sr : int
        Hz.
    n_fft, hop_length : int
        Samples.
    level : RecordedLevel or None
        Of the recording, which `y` does not tell where it was normalised; None where it is not known.
    """

    y: np.ndarray
    power: np.ndarray
    sr: int
    n_fft: int
    hop_length: int
    level: RecordedLevel | None = None

    @property
    def frequencies(self) -> np.ndarray:
        """Centre frequencies of the bins in Hz, float32 of shape (1 + n_fft / 2,)."""
        return bin_frequencies(self.sr, self.n_fft)


def spectrum(y: np.ndarray, sr: int, *, n_fft: int, hop_length: int, level: RecordedLevel | None = None) -> Spectrum:
    """Transform a clip once, for all the inputs that are wanted of it; `level` goes with it.

    Hann-windowed frames are centred on multiples of `hop_length`, beyond the ends lie zeros: librosa's convention.
    """
    keep_memory()
    y = np.ascontiguousarray(y)
    frames, window = frame(y, n_fft, hop_length=hop_length), hann(n_fft)
    power = np.empty((len(frames), n_fft // 2 + 1), dtype=np.float32)
    step = max(BLOCK // n_fft, 1)
    for start in range(0, len(frames), step):
        block = slice(start, start + step)
        np.abs(scipy.fft.rfft(frames[block] * window, axis=1, overwrite_x=True), out=power[block])
    return Spectrum(y, np.square(power, out=power), sr, n_fft, hop_length, level)


@cache
def keep_memory() -> None:
    """Let the allocator keep the memory of freed arrays for the next ones; it is told so once a process.

    Otherwise glibc gives much of it back, and the system clears every page of it anew: up to a third of a clip's time.
    Freeing one large array, none of whose pages was ever used, raises its threshold (mallopt(3), M_MMAP_THRESHOLD).
    """
    np.empty(KEPT_BYTES, dtype=np.uint8)


def frame(y: np.ndarray, frame_length: int, *, hop_length: int) -> np.ndarray:
    """Return the frames centred on multiples of `hop_length`, shape (1 + samples // hop_length, frame_length).

    A view; beyond the ends of the signal lie zeros.
    """
    padded = surround(y, frame_length // 2, frame_length // 2)
    return windows(padded, frame_length)[::hop_length][: 1 + len(y) // hop_length]


def windows(y: np.ndarray, length: int) -> np.ndarray:
    """Return all stretches of so many samples, shape (1 + samples - length, length), as a view.

    `numpy.lib.stride_tricks.sliding_window_view` of one contiguous axis, whose checks take longer than the view.
    """
    return np.ndarray((1 + len(y) - length, length), y.dtype, y, strides=2 * y.strides)


def run_sums(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative sums of rows within runs of columns, and the sums up to the end of each run.

    In two steps they take half the time of `numpy.cumsum`, which waits for every single addition.

    Parameters
    ----------
    x : np.ndarray, shape (rows, columns)

    Returns
    -------
    within : np.ndarray, shape (rows, runs, RUN)
        The last run is filled up with zeros.
    upto : np.ndarray, shape (rows, runs)
    """
    rows, columns = x.shape
    runs = -(-columns // RUN)
    padded = np.empty((rows, runs * RUN), dtype=x.dtype)
    padded[:, :columns] = x
    padded[:, columns:] = 0
    within = (padded.reshape(-1, RUN) @ triangle(x.dtype)).reshape(rows, runs, RUN)
    return within, np.cumsum(within[:, :, -1], axis=1)


@cache
def triangle(dtype: np.dtype) -> np.ndarray:
    """Return what takes the columns of a run to their cumulative sums, shape (RUN, RUN)."""
    return np.triu(np.ones((RUN, RUN), dtype=dtype))


def surround(y: np.ndarray, before: int, after: int) -> np.ndarray:
    """Return a signal with zeros around it (`numpy.pad` takes longer than a transform)."""
    padded = np.zeros(before + len(y) + after, dtype=y.dtype)
    padded[before : before + len(y)] = y
    return padded


@cache
def hann(samples: int) -> np.ndarray:
    """Return a periodic Hann window, float32 of shape (samples,)."""
    return np.hanning(samples + 1)[:-1].astype(np.float32)


@cache
def bin_frequencies(sr: int, n_fft: int) -> np.ndarray:
    """Return the centre frequencies of the bins of a transform in Hz, float32 of shape (1 + n_fft / 2,)."""
    return scipy.fft.rfftfreq(n_fft, 1 / sr).astype(np.float32)
