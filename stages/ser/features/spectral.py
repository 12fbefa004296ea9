"""Descriptors of the spectrum of each frame.

Where librosa has a descriptor, its definition is the same; the others follow the openSMILE book (Eyben 2016) and
the Geneva minimalistic acoustic parameter set (Eyben et al. 2016, IEEE Trans. Affective Computing 7(2)).
"""

import math
from functools import cache

import numpy as np
import scipy.fft

from ser.features.filter_banks import chroma_filters, mel_blocks
from ser.features.frames import RUN, run_sums

AMIN = 1e-10  # power that counts as zero (librosa)
ALPHA = ((50, 1000), (1000, 5000))  # Hz
HAMMARBERG = ((0, 2000), (2000, 5000))  # Hz
SLOPES = ((0, 500), (500, 1500), (1500, 5000))  # Hz
BANDS = ((0, 250), (250, 650), (650, 1000), (1000, 4000), (4000, 8000))  # Hz
ROLLOFFS = (25, 50, 75, 85, 90)  # percent
BITS = np.float32(1 / (10 * math.log10(2)))  # of a decibel
TOP_DB = 80.0  # dB; what is further below the maximum of the clip is raised to there (librosa)


def power_to_db(power: np.ndarray, top_db: float = TOP_DB) -> np.ndarray:
    """Return powers in dB relative to 1, none more than `top_db` below the largest (as librosa does)."""
    return to_decibels(np.maximum(power, max(AMIN, float(power.max()) * 10 ** (-top_db / 10)), dtype=power.dtype))


def to_decibels(power: np.ndarray) -> np.ndarray:
    """Return powers above 0 in dB relative to 1."""
    decibels = np.log10(power)
    decibels *= 10
    return decibels


def mel(power: np.ndarray, *, sr: int, n_mels: int) -> np.ndarray:
    """Return the mel spectrogram, shape (frames, n_mels), of a power spectrogram of shape (frames, bins)."""
    bands_of = np.empty((len(power), n_mels), dtype=np.float32)
    for bins, bands, filters in mel_blocks(sr, 2 * (power.shape[1] - 1), n_mels):
        np.matmul(power[:, bins], filters, out=bands_of[:, bands])
    return bands_of


def mfcc(log_mel: np.ndarray, *, n_mfcc: int) -> np.ndarray:
    """Return mel-frequency cepstral coefficients, the 0th included, shape (frames, n_mfcc)."""
    return log_mel @ cosine_transform(log_mel.shape[1], n_mfcc)


@cache
def cosine_transform(n_mels: int, n_mfcc: int) -> np.ndarray:
    """Return the orthonormal cosine transform (type 2) as a matrix, float32 of shape (n_mels, n_mfcc).

    So few coefficients of so few bands are faster had by a product of matrices than by a transform.
    """
    return np.ascontiguousarray(scipy.fft.dct(np.eye(n_mels), type=2, norm="ortho", axis=1)[:, :n_mfcc], np.float32)


def chroma(power: np.ndarray, *, sr: int) -> np.ndarray:
    """Return the energy of the 12 pitch classes (A440), each frame scaled to a maximum of 1, shape (frames, 12)."""
    energy = power @ chroma_filters(sr, 2 * (power.shape[1] - 1))
    largest = energy.max(axis=1, keepdims=True)
    return energy / np.where(largest > np.finfo(np.float32).tiny, largest, 1.0)


def spectral_shape(
    power: np.ndarray, decibels: np.ndarray, magnitude: np.ndarray, frequencies: np.ndarray
) -> dict[str, np.ndarray]:
    """Return descriptors of how power and magnitude are spread over frequency.

    Parameters
    ----------
    power, decibels, magnitude : np.ndarray, shape (frames, bins)
        The same as power, none below `AMIN`, in dB, and as its square root.
    frequencies : np.ndarray, shape (bins,)
        Hz.

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        Centroid and spread (Hz), skewness and kurtosis of the magnitudes; entropy (bits, of the power) and flatness
        (dB; 0 is white); flux (of the magnitudes scaled to unit sum).
    """
    ones = np.ones(power.shape[1], dtype=np.float32)  # a product with it is a sum over the bins, and faster
    share = magnitude / (magnitude @ ones)[:, np.newaxis]
    centroid = share @ frequencies
    # moments about a point near all centroids, in kHz, then about each centroid: small numbers, little rounding
    x = (frequencies - centroid.sum() / np.float32(len(centroid))) / np.float32(1000)
    squares = x * x
    first, second, third, fourth = (share @ np.stack([x, squares, squares * x, squares * squares], axis=1)).T
    square = first**2
    variance = np.maximum(second - square, np.float32(1e-6))
    change = share[1:] - share[:-1]
    whole = power @ ones
    level = to_decibels(whole)
    flux = np.zeros(len(power), dtype=np.float32)
    np.sqrt(np.vecdot(change, change), out=flux[1:])
    return {
        "centroid": centroid,
        "spread": 1000 * np.sqrt(variance),
        "spectral_skewness": (third - 3 * first * second + 2 * first * square) / variance**1.5,
        "spectral_kurtosis": (fourth - 4 * first * third + 6 * square * second - 3 * square**2) / variance**2,
        "entropy": (level - np.vecdot(power, decibels) / whole) * BITS,
        "flatness": decibels @ (ones / len(ones)) - level + np.float32(10 * np.log10(len(ones))),
        "flux": flux,
    }


def rolloffs(magnitude: np.ndarray, frequencies: np.ndarray) -> dict[str, np.ndarray]:
    """Return the frequencies (Hz) below which 25 to 90 % of the magnitude lie, by name, each of shape (frames,)."""
    within, upto = run_sums(magnitude)
    wanted = np.array(ROLLOFFS, dtype=np.float32)[:, np.newaxis] / 100 * upto[:, -1]
    run = (upto >= wanted[..., np.newaxis]).argmax(axis=2)
    rows = np.arange(len(magnitude))
    before = np.where(run > 0, upto[rows, run - 1], 0)
    reached = within[rows, run]
    reached += before[..., np.newaxis]
    bins = RUN * run + (reached >= wanted[..., np.newaxis]).argmax(axis=2)
    return {f"rolloff_{percent}": row for percent, row in zip(ROLLOFFS, frequencies[bins], strict=True)}


def band_balance(power: np.ndarray, decibels: np.ndarray, sr: int) -> dict[str, np.ndarray]:
    """Return the balance of low and high frequencies, as the Geneva set defines it, in dB or dB/kHz.

    Parameters
    ----------
    power, decibels : np.ndarray, shape (frames, bins)
        See `spectral_shape`.
    sr : int
        Hz.

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        Alpha ratio (50-1000 Hz over 1-5 kHz), Hammarberg index (strongest peak below 2 kHz over that of 2-5 kHz),
        slopes over 0-500, 500-1500 and 1500-5000 Hz, and the levels of five bands relative to the whole.
    """
    n_fft = 2 * (power.shape[1] - 1)
    to_bands, to_slopes = balance_filters(sr, n_fft)
    low, high, *bands, whole = to_decibels(power @ to_bands).T
    below, above = (decibels[:, bins_of(band, sr, n_fft)].max(axis=1) for band in HAMMARBERG)
    balance = {"alpha_ratio": low - high, "hammarberg": below - above}
    balance |= {f"slope_{a}_{b}": slope for (a, b), slope in zip(SLOPES, (decibels @ to_slopes).T, strict=True)}
    return balance | {f"band_{a}_{b}": band - whole for (a, b), band in zip(BANDS, bands, strict=True)}


@cache
def balance_filters(sr: int, n_fft: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what takes power to that of the bands of `band_balance`, and decibels to their slopes in dB/kHz.

    Returns
    -------
    bands : np.ndarray of float32, shape (bins, 2 + 5 + 1)
        Both of the alpha ratio, `BANDS`, and the whole.
    slopes : np.ndarray of float32, shape (bins, 3)
        Least squares; the bin at 0 Hz, the mean of the frame, is left out.
    """
    bands = np.zeros((n_fft // 2 + 1, len(ALPHA) + len(BANDS) + 1), dtype=np.float32)
    for column, band in enumerate([*ALPHA, *BANDS, (0, sr / 2)]):
        bands[bins_of(band, sr, n_fft), column] = 1
    slopes = np.zeros((n_fft // 2 + 1, len(SLOPES)), dtype=np.float32)
    for column, (low, high) in enumerate(SLOPES):
        bins = bins_of((max(low, sr / n_fft), high), sr, n_fft)
        x = np.arange(bins.start, bins.stop) * (sr / n_fft / 1000)
        slopes[bins, column] = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    return bands, slopes


def bins_of(band: tuple[float, float], sr: int, n_fft: int) -> slice:
    """Return the bins from one frequency to another (Hz), both included."""
    return slice(math.ceil(band[0] * n_fft / sr), math.floor(min(band[1], sr / 2) * n_fft / sr) + 1)


def loudness(mel_spectrogram: np.ndarray) -> np.ndarray:
    """Return the sum of the mel bands after compression by the power 1/3 (Hermansky 1990), shape (frames,)."""
    # numpy's cube root takes several times as long as logarithm and exponential together
    compressed = np.log(np.maximum(mel_spectrogram, np.float32(AMIN)))
    compressed /= 3
    return np.exp(compressed, out=compressed).sum(axis=1)


def rms(power: np.ndarray) -> np.ndarray:
    """Return the root mean square of the Hann-windowed frames, shape (frames,), by Parseval's theorem."""
    n_fft = 2 * (power.shape[1] - 1)
    both_sides = np.full(power.shape[1], 2 / n_fft**2, dtype=np.float32)
    both_sides[[0, -1]] /= 2
    return np.sqrt(power @ both_sides)


def zero_crossings(y: np.ndarray, *, frame_length: int, hop_length: int) -> np.ndarray:
    """Return the share of samples of each frame whose sign differs from the one before them in it, shape (frames,)."""
    unit = math.gcd(frame_length // 2, hop_length)  # frames begin and end at its multiples: it is counted by units
    units = len(y) // unit + 1
    crossed = np.zeros((units, unit), dtype=np.float32)  # since the sample before
    negative = np.signbit(y)
    np.not_equal(negative[1:], negative[:-1], out=crossed.ravel()[1 : len(y)])
    upto = np.zeros(units + 1, dtype=np.float32)
    np.cumsum(crossed @ np.ones(unit, dtype=np.float32), out=upto[1:])
    centres = np.arange(1 + len(y) // hop_length) * hop_length
    starts = np.maximum(centres - frame_length // 2, 0)
    ends = np.minimum((centres + frame_length // 2) // unit, units)
    inside = upto[ends] - upto[starts // unit] - crossed.ravel()[starts]  # the first sample has none before it
    return inside / np.float32(frame_length)


def delta(descriptors: np.ndarray) -> np.ndarray:
    """Return the time derivative per frame by regression over five frames (HTK book, eq. 5.16).

    Parameters
    ----------
    descriptors : np.ndarray, shape (..., frames)
        Its ends are continued by their own values.
    """
    frames = descriptors.shape[-1]
    x = np.empty((*descriptors.shape[:-1], frames + 4), dtype=descriptors.dtype)
    x[..., 2:-2] = descriptors
    x[..., :2], x[..., -2:] = descriptors[..., :1], descriptors[..., -1:]
    flat = x.ravel()  # rows as one long row, which is faster; what reaches from one into the next is cut off
    flat[2:-2] = (flat[3:-1] - flat[1:-3] + 2 * (flat[4:] - flat[:-4])) / np.float32(10)
    return x[..., 2:-2]
