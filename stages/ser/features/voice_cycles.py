"""Single cycles of the voice: jitter, shimmer and harmonics-to-noise ratio.

Instants of glottal closure by zero-frequency filtering (Murty & Yegnanarayana 2008, IEEE TASLP 16(8)); then each period
is measured by matching the waveform of a cycle with that of the next (Titze & Liang 1993, J. Speech Hearing Res. 36).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ser.features.frames import windows
from ser.features.pitch import RATE

BLOCK = 32  # samples that are filtered by one row of a product
TREND_PERIODS = 1.5  # length of the running mean that zero-frequency filtering subtracts, in periods
SEARCH = 0.08  # of the period: how far the matched period may lie from that between closures
PERIOD_TOLERANCE = 0.25  # a cycle whose period is further from the pitch track is none
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
        From the lowest to the highest sample.
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
    heights = np.sort(f0[f0 > 0])
    typical = 2 * sr / (heights[(len(heights) - 1) // 2] + heights[len(heights) // 2])
    closures = glottal_closures(low, typical * RATE / sr) * (sr / RATE)
    frames = np.minimum(np.rint(closures / hop_length).astype(int), len(f0) - 1)
    expected = sr / np.maximum(f0[frames[:-1]], 1e-3)
    between = closures[1:] - closures[:-1]
    half, reach = max(int(typical / 2), 8), max(int(SEARCH * typical), 2)
    start, lag = np.rint(closures[:-1]).astype(int), np.rint(between).astype(int)
    inside = (start >= half) & (start + lag + reach + half + 1 < len(y))
    good = inside & (np.abs(between / expected - 1) < PERIOD_TOLERANCE)
    start, lag, position = start[good], lag[good], closures[:-1][good]
    offset, correlation = match(y, start, lag, half, reach)
    edges = np.column_stack([start, start + lag]).ravel()
    amplitude = np.maximum.reduceat(y, edges)[::2] - np.minimum.reduceat(y, edges)[::2] if len(edges) else edges
    return Cycles(position, lag + offset, correlation, amplitude)


def glottal_closures(y: np.ndarray, period: float) -> np.ndarray:
    """Return the instants of glottal closure in samples, a fraction included (meaningless where there is no voice)."""
    half = int(TREND_PERIODS * period) // 2
    around, width = np.arange(-half, half + 1), 2 * half + 1
    # a cumulative sum less its running mean: what it weights the samples around each one by; the same three times
    summing = (around <= 0) - (half + 1 - around) / width
    z = y.copy()
    for _ in range(3):
        z[0] = 0  # the sum is level before its first sample and after its last
        z = filtered(z, summing, 0, 0)
    z = z - filtered(z, np.full(width, 1 / width), z[0], z[-1])
    rising = np.flatnonzero((z[:-1] < 0) & (z[1:] >= 0))
    return rising + z[rising] / (z[rising] - z[rising + 1])


def filtered(y: np.ndarray, weights: np.ndarray, before: float, after: float) -> np.ndarray:
    """Return the weighted sums of the samples around each sample.

    A block of samples a row, times a matrix that holds the weights once for each of them: a fraction of the time of
    cumulative sums, which wait for every single addition, and of that of the import of `scipy.ndimage`.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    weights : np.ndarray, odd length
    before, after : float
        What stands before the first sample and after the last.
    """
    half, count = len(weights) // 2, -(-len(y) // BLOCK)
    padded = np.full((count + 1) * BLOCK + len(weights), after, dtype=np.float32)
    padded[:half] = before
    padded[half : half + len(y)] = y
    length = BLOCK + len(weights) - 1
    shifted = np.zeros((BLOCK, length + 1), dtype=np.float32)  # one column more, so that each row is one further
    shifted[:, : len(weights)] = weights
    shifted = shifted.ravel()[: BLOCK * length].reshape(BLOCK, length)
    blocks = np.ascontiguousarray(windows(padded, length)[::BLOCK][:count])
    return (blocks @ shifted.T).ravel()[: len(y)]


def match(y: np.ndarray, start: np.ndarray, lag: np.ndarray, half: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much each lag must change for the best match of two cycles, and their correlation then.

    Parameters
    ----------
    y : np.ndarray, shape (samples,)
    start, lag : np.ndarray of int, shape (cycles,)
        Samples.
    half : int
        Samples before and after `start` that are compared.
    reach : int
        Largest change of a lag, in samples.
    """
    length, shifts = 2 * half, 2 * reach + 1
    cycle = windows(y, length)[start - half]
    later = windows(y, length + 2 * reach)[start + lag - half - reach]
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
    following = np.abs(start[1:] - start[:-1] - period[:-1]) < PERIOD_TOLERANCE * period[:-1]
    first = np.flatnonzero(following)
    change = np.abs(period[first + 1] - period[first])
    level = 20 * np.log10(np.maximum(amplitude, 1e-9))
    every = near(start, centres, AVERAGING * sr)
    paired = near(start[first], centres, AVERAGING * sr)
    harmonic = np.minimum(np.maximum(average(correlation, *every), HNR_LIMIT), 1 - HNR_LIMIT)
    return {
        "jitter": average(change, *paired) / np.maximum(average(period, *every), 1.0),
        "shimmer": average(np.abs(level[first + 1] - level[first]), *paired),
        "hnr": 10 * np.log10(harmonic / (1 - harmonic)),
    }


def near(positions: np.ndarray, centres: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and one past the last of the (sorted) positions that are within `reach` of each centre."""
    return np.searchsorted(positions, centres - reach), np.searchsorted(positions, centres + reach)


def average(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the mean of the values from `low` to `high`, of all where there are none between, 0 without values."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    count = high - low
    overall = sums[-1] / max(len(values), 1)
    return np.where(count > 0, (sums[high] - sums[low]) / np.maximum(count, 1), overall)
