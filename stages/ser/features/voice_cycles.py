"""Single cycles of the voice: jitter, shimmer and harmonics-to-noise ratio.

Instants of glottal closure by zero-frequency filtering (Murty & Yegnanarayana 2008, IEEE TASLP 16(8)); then each period
is measured by matching the waveform of a cycle with that of the next (Titze & Liang 1993, J. Speech Hearing Res. 36).
Which cycles are compared, and so what jitter and shimmer are of, is Praat's choice (Boersma & Weenink, *Praat: doing
phonetics by computer*, manual pages "Voice 2. Jitter" and "Sound & Pitch: To PointProcess (cc)").
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ser.features.frames import windows
from ser.features.pitch import RATE

BLOCK = 32  # samples that are filtered by one row of a product
TREND_PERIODS = 1.5  # length of the running mean that zero-frequency filtering subtracts, in periods
OCTAVES = 3  # above and below the median pitch, that cycles are looked for with periods of their own
RARE = 0.05  # of the voiced frames: with fewer in its octave the period of the median is taken for them
SEARCH = 0.08  # of the period: how far the matched period may lie from that between closures
PERIOD_TOLERANCE = 0.25  # a cycle whose period is further from the pitch track is none
ALIKE = 0.3  # correlation with the next cycle; jitter and shimmer are not of those below (Praat)
PERIOD_FACTOR = 1.3  # ratio of two periods; jitter and shimmer are not of those beyond (Praat)
AMPLITUDE_FACTOR = 1.6  # the same of two amplitudes for shimmer (Praat)
AVERAGING = 0.03  # s, cycles that begin this close to the centre of a frame are its cycles
HNR_LIMIT = 1e-4  # 1 - correlation is at least this: 40 dB


class Cycles(NamedTuple):
    """Consecutive cycles of the voiced parts of a clip.

    Attributes
    ----------
    start : np.ndarray, shape (cycles,)
        Samples.
    period : np.ndarray, shape (cycles,)
        Samples, a fraction included.
    correlation : np.ndarray, shape (cycles,)
        Of each cycle with the next.
    amplitude : np.ndarray, shape (cycles,)
        From the lowest to the highest sample of about a period around the closure.
    """

    start: np.ndarray
    period: np.ndarray
    correlation: np.ndarray
    amplitude: np.ndarray


def find_cycles(y: np.ndarray, low: np.ndarray, f0: np.ndarray, *, sr: int, hop_length: int) -> Cycles:
    """Find the cycles of a clip in the frames that have a pitch.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    low : np.ndarray of float32
        The same at 4 kHz, see `ser.features.pitch.low_band`; the closures are looked for in it.
    f0 : np.ndarray, shape (frames,)
        Hz, 0 where unvoiced.
    sr, hop_length : int
        Hz, samples.
    """
    y = y - y.mean()  # two cycles of any voice with a constant offset are alike
    octave, typical = octaves(f0)
    of_frames = np.arange(-(-len(low) // BLOCK) + 1) * (BLOCK * sr / RATE / hop_length)
    ends = octave[np.minimum(np.rint(of_frames).astype(int), len(f0) - 1)]
    closures = glottal_closures(low, np.maximum(ends[:-1], ends[1:]), typical * RATE) * (sr / RATE)
    frames = np.minimum(np.rint(closures[:-1] / hop_length).astype(int), len(f0) - 1)
    between = closures[1:] - closures[:-1]
    half = np.maximum(typical * sr / 2, 8).astype(int)
    reach = np.maximum(typical * sr * SEARCH, 2).astype(int)
    start, lag, band = np.rint(closures[:-1]).astype(int), np.rint(between).astype(int), octave[frames]
    good = np.abs(between * f0[frames] / sr - 1) < PERIOD_TOLERANCE
    good &= (start >= half[band]) & (start + lag + (reach + half + 1)[band] < len(y))
    start, lag, band, position = start[good], lag[good], band[good], closures[:-1][good]
    offset, correlation, amplitude = np.empty((3, len(start)), dtype=np.float32)
    for one in np.flatnonzero(np.bincount(band)):
        those = np.flatnonzero(band == one)
        cycle = windows(y, 2 * half[one])[start[those] - half[one]]
        later = windows(y, 2 * (half[one] + reach[one]))[(start + lag)[those] - (half + reach)[one]]
        offset[those], correlation[those] = match(cycle, later)
        across = np.ascontiguousarray(cycle.T)  # along its first axis extremes are found faster
        amplitude[those] = across.max(axis=0) - across.min(axis=0)
    return Cycles(position, lag + offset, correlation, amplitude)


def octaves(f0: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sort frames by how many octaves they are from the median pitch: one period does not fit a voice that glides.

    Returns
    -------
    octave : np.ndarray of int, shape (frames,)
        From 1, the lowest; 0 where unvoiced.
    typical : np.ndarray, shape (octaves + 1,)
        The period in the middle of each octave, s.
    """
    heights = np.sort(f0[f0 > 0])
    median = (heights[(len(heights) - 1) // 2] + heights[len(heights) // 2]) / 2
    distance = np.arange(2 * OCTAVES + 2) - (OCTAVES + 1)
    away = np.rint(np.log2(np.maximum(f0, 1e-3) / median))
    octave = np.where(f0 > 0, np.minimum(np.maximum(away, -OCTAVES), OCTAVES) + (OCTAVES + 1), 0).astype(int)
    rare = np.bincount(octave, minlength=len(distance)) < RARE * len(heights)
    known = np.where(rare, OCTAVES + 1, np.arange(len(distance)))
    known[0] = 0
    return known[octave], 1 / (median * 2.0**distance)


def glottal_closures(y: np.ndarray, octave: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return the instants of glottal closure in samples, a fraction included.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    octave : np.ndarray of int, shape (blocks,)
        Which of the periods is that of the voice in each block of samples; 0 where there is none.
    periods : np.ndarray
        Samples.
    """
    present = np.flatnonzero(np.bincount(octave, minlength=2)[1:]) + 1
    filters = [(one, closure_filter(int(TREND_PERIODS * periods[one]) // 2)) for one in present]
    margin = max((len(weights) for _, weights in filters), default=0)
    padded = np.zeros(2 * margin + len(octave) * BLOCK, dtype=np.float32)
    padded[margin : margin + len(y)] = y
    z = np.zeros((len(octave), BLOCK), dtype=np.float32)
    for one, weights in filters:
        rows = np.flatnonzero(octave == one)
        z[rows] = windows(padded, len(weights))[rows * BLOCK + margin - (len(weights) - BLOCK) // 2] @ weights
    z = z.ravel()
    rising = np.flatnonzero((z[:-1] < 0) & (z[1:] >= 0))
    return rising + z[rising] / (z[rising] - z[rising + 1])


@lru_cache(maxsize=128)
def closure_filter(half: int) -> np.ndarray:
    """Return what takes samples to those of the zero-frequency filter, float32 of shape (samples, BLOCK).

    Three times a cumulative sum less its running mean, and once more less that, are sums of a few hundred samples: a
    block of outputs is one row of a product of matrices, a fraction of the time of sums that wait for every addition.

    Parameters
    ----------
    half : int
        Samples on either side of the middle one that the running mean is of.
    """
    width = 2 * half + 1
    around = np.arange(-half, half + 1)
    summing = (around <= 0) - (half + 1 - around) / width  # what it weights the samples around each one by
    thrice = np.convolve(np.convolve(summing, summing), summing)
    weights = np.pad(thrice, half) - np.convolve(thrice, np.full(width, 1 / width))
    length = BLOCK + len(weights) - 1
    shifted = np.zeros((BLOCK, length + 1), dtype=np.float32)  # one column more, so that each row is one further
    shifted[:, : len(weights)] = weights / np.abs(weights).sum()
    return np.ascontiguousarray(shifted.ravel()[: BLOCK * length].reshape(BLOCK, length).T)


def match(cycle: np.ndarray, later: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much cycles lie later than in the middle, where they match best, and their correlation there.

    Parameters
    ----------
    cycle : np.ndarray, shape (cycles, length)
    later : np.ndarray, shape (cycles, length + 2 * reach)
        In the middle of it the cycle is looked for first.

    Returns
    -------
    offset, correlation : np.ndarray, shape (cycles,)
        Samples, a fraction included, and at most the reach; -1 to 1.
    """
    length, reach = cycle.shape[1], (later.shape[1] - cycle.shape[1]) // 2
    shifts = 2 * reach + 1
    step = later.itemsize
    shifted = np.ndarray((len(later), shifts, length), later.dtype, later, strides=(later.strides[0], step, step))
    product = np.einsum("cls,cs->cl", shifted, cycle)
    energy = np.square(later) @ stretches(length, shifts) * np.einsum("cs,cs->c", cycle, cycle)[:, np.newaxis]
    correlation = product / np.sqrt(np.maximum(energy, np.float32(1e-24)))
    best = np.minimum(np.maximum(correlation.argmax(axis=1), 1), 2 * reach - 1)
    rows = np.arange(len(best))
    before, here, after = (correlation[rows, best + step] for step in (-1, 0, 1))
    curvature = np.minimum(before - 2 * here + after, -1e-9)
    offset = np.minimum(np.maximum((before - after) / (2 * curvature), -1), 1)
    return best - reach + offset, here - (before - after) * offset / 4


@lru_cache(maxsize=64)
def stretches(length: int, shifts: int) -> np.ndarray:
    """Return what takes samples to sums over so many at each shift, float32 of shape (length + shifts - 1, shifts)."""
    samples = length + shifts - 1
    return (np.tri(samples, shifts, 0) - np.tri(samples, shifts, -length)).astype(np.float32)


def voice_quality(cycles: Cycles, centres: np.ndarray, *, sr: int) -> dict[str, np.ndarray]:
    """Return jitter, shimmer and harmonics-to-noise ratio around the centres of frames.

    Parameters
    ----------
    cycles : Cycles
    centres : np.ndarray, shape (frames,)
        Samples.
    sr : int
        Hz.

    Returns
    -------
    dict of str to np.ndarray, shape (frames,)
        Jitter: mean difference of consecutive periods over the mean period (1). Shimmer: mean difference of the
        amplitudes of consecutive cycles (dB). HNR: 10 log10(r / (1 - r)) of the mean correlation r of consecutive
        cycles (dB; Boersma 1993). Frames without cycles have the mean of the clip, a clip without cycles 0.
    """
    start, period, correlation, amplitude = cycles
    before, after, alike = period[:-1], period[1:], correlation > ALIKE
    compared = np.abs(start[1:] - start[:-1] - before) < PERIOD_TOLERANCE * before
    compared &= alike[1:] & alike[:-1] & (np.maximum(before, after) < PERIOD_FACTOR * np.minimum(before, after))
    level = 20 * np.log10(np.maximum(amplitude, 1e-9))
    step = np.abs(level[1:] - level[:-1])
    even = compared & (step < 20 * np.log10(AMPLITUDE_FACTOR))
    cycle = np.ones(len(start), dtype=bool)
    low, high = np.searchsorted(start, centres + np.array([[-1], [1]]) * (AVERAGING * sr))
    correlation, period, change, step = means(
        [(correlation, cycle), (period, cycle), (np.abs(after - before), compared), (step, even)], low, high
    )
    harmonic = np.minimum(np.maximum(correlation, HNR_LIMIT), 1 - HNR_LIMIT)
    return {
        "jitter": change / np.maximum(period, 1.0),
        "shimmer": step,
        "hnr": 10 * np.log10(harmonic / (1 - harmonic)),
    }


def means(values: list[tuple[np.ndarray, np.ndarray]], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return weighted means over those from `low` to `high`, shape (values, frames).

    Where there is no weight between them it is the mean of all, 0 if there is none at all.

    Parameters
    ----------
    values : pairs of np.ndarray
        Values, and the weight of each of them.
    low, high : np.ndarray of int, shape (frames,)
    """
    sums = np.zeros((2, len(values), max(len(weight) for _, weight in values) + 1))
    for row, (value, weight) in enumerate(values):
        sums[0, row, 1 : len(weight) + 1] = value * weight
        sums[1, row, 1 : len(weight) + 1] = weight
    np.cumsum(sums, axis=2, out=sums)
    total, weights = sums.take(high, axis=2) - sums.take(low, axis=2)
    overall = sums[0, :, -1:] / np.maximum(sums[1, :, -1:], 1)
    return np.where(weights > 0, total / np.maximum(weights, 1), overall)
