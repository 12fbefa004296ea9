"""Mel and chroma filter banks, as librosa 0.11 makes them to the last bit; without its import, which takes seconds.

References
----------
.. [1] M. Slaney, "Auditory toolbox", technical report 1998-010, Interval Research (the mel scale).
.. [2] D. P. W. Ellis, "Chroma feature analysis and synthesis", LabROSA, Columbia University, 2007.
"""

from functools import cache

import numpy as np
import scipy.fft

LINEAR_HZ = 200 / 3  # width of a mel below `LOGARITHMIC_HZ`
LOGARITHMIC_HZ = 1000.0  # from here the mel scale is logarithmic
LOGARITHMIC_STEP = np.log(6.4) / 27.0  # of a mel, in natural logarithms
LOGARITHMIC_MEL = LOGARITHMIC_HZ / LINEAR_HZ
PITCH_CLASSES = 12
BLOCK_BANDS = 16  # mel bands of a block: with fewer the products are too small, with more they hold too many zeros
CENTRE_OCTAVE, OCTAVES_WIDE = 5.0, 2.0  # the Gaussian that weights the octaves; 0 is that of 27.5 Hz


def mel_frequencies(count: int, highest: float) -> np.ndarray:
    """Return frequencies at equal distances on Slaney's mel scale [1]_, from 0 to `highest` Hz, shape (count,)."""
    top = highest / LINEAR_HZ
    if highest >= LOGARITHMIC_HZ:
        top = LOGARITHMIC_MEL + np.log(highest / LOGARITHMIC_HZ) / LOGARITHMIC_STEP
    mels = np.linspace(0.0, top, count)
    hertz = LINEAR_HZ * mels
    above = mels >= LOGARITHMIC_MEL
    hertz[above] = LOGARITHMIC_HZ * np.exp(LOGARITHMIC_STEP * (mels[above] - LOGARITHMIC_MEL))
    return hertz


@cache
def mel_filters(sr: int, n_fft: int, n_mels: int) -> np.ndarray:
    """Return triangular filters from 0 Hz to ``sr / 2``, scaled to unit area, float32 of shape (bins, n_mels)."""
    edges = mel_frequencies(n_mels + 2, sr / 2)
    distances = np.subtract.outer(edges, scipy.fft.rfftfreq(n_fft, 1 / sr))
    widths = np.diff(edges)
    filters = np.zeros((n_mels, n_fft // 2 + 1), dtype=np.float32)
    for band in range(n_mels):
        rising, falling = -distances[band] / widths[band], distances[band + 2] / widths[band + 1]
        filters[band] = np.maximum(0, np.minimum(rising, falling))
    filters *= (2.0 / (edges[2:] - edges[:-2]))[:, np.newaxis]
    return np.ascontiguousarray(filters.T)


@cache
def mel_blocks(sr: int, n_fft: int, n_mels: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Return `mel_filters` as runs of neighbouring bands: the bins they cover, the bands, their filters of those bins.

    A band covers few bins: a product of matrices with all of them would mostly add zeros.
    """
    filters = mel_filters(sr, n_fft, n_mels)
    blocks = []
    for first in range(0, n_mels, BLOCK_BANDS):
        bands = slice(first, min(first + BLOCK_BANDS, n_mels))
        covered = np.flatnonzero(filters[:, bands].any(axis=1))
        bins = slice(covered[0], covered[-1] + 1) if len(covered) else slice(0, 1)
        blocks.append((bins, bands, np.ascontiguousarray(filters[bins, bands])))
    return blocks


@cache
def chroma_filters(sr: int, n_fft: int) -> np.ndarray:
    """Return a filter for each pitch class [2]_, C to B (A is 440 Hz), float32 of shape (bins, 12)."""
    frequencies = np.linspace(0, sr, n_fft, endpoint=False)[1:]
    classes = PITCH_CLASSES * np.log2(frequencies / 27.5)
    classes = np.concatenate([[classes[0] - 1.5 * PITCH_CLASSES], classes])  # a place for the bin at 0 Hz
    widths = np.concatenate([np.maximum(classes[1:] - classes[:-1], 1.0), [1]])
    half = PITCH_CLASSES / 2
    distances = np.subtract.outer(classes, np.arange(PITCH_CLASSES, dtype=float)).T
    distances = np.remainder(distances + half + 10 * PITCH_CLASSES, PITCH_CLASSES) - half
    filters = np.exp(-0.5 * (2 * distances / widths) ** 2)
    filters /= np.sqrt(np.sum(filters**2, axis=0, keepdims=True))
    filters *= np.exp(-0.5 * ((classes / PITCH_CLASSES - CENTRE_OCTAVE) / OCTAVES_WIDE) ** 2)
    filters = np.roll(filters, -3, axis=0)  # from A to C
    return np.ascontiguousarray(filters[:, : n_fft // 2 + 1].astype(np.float32).T)
