"""What a recording sounds like before it is cleaned: level, clipping, how it moves, how its power is spread over bands.

Normalising the level, as all clips are, hides that a recording is far too quiet or clips, and no model says that it has
never met anything like a sine or a telephone. These few numbers of each clip that a model learnt from tell.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import scipy.fft

EDGES = (60, 150, 300, 500, 800, 1200, 1800, 2500, 3400, 4200, 5500, 7000, 10000, 14000, 20000)  # Hz, of the bands
UPPERMOST = 0.9  # of the Nyquist frequency: above, the filter of a resampler decides
FRAME = 0.032  # s, or a little more
ACTIVE_DB = 30.0  # frames this far below the loudest are pauses
FLOOR_DB = -60.0  # of a band's share, and of a bin to the strongest; less is what rounding and resamplers leave
MOST_FRAMES = 128  # that are transformed: of more than two seconds of speech every second, third or further one
CLIPPING_RUN = 3  # equal samples: two neighbours are equal at many a summit
CLIPPING_LEVEL = 0.5  # of full scale: in quiet clips rounding alone flattens summits, and nothing quiet was cut off


def profile_names(sample_rate: int) -> list[str]:
    """Return the names of the numbers of `profile`, with their units.

    Parameters
    ----------
    sample_rate : int
        Hz, of the audio that models work on: what lies above its Nyquist frequency is nothing to them.
    """
    bands = [f"{low}-{high} Hz, dB" for low, high in _bands(sample_rate)]
    return ["level, dBFS", "clipped, %", "variation of level, dB", "spectral flatness, dB", *bands]


def profile(y: np.ndarray, sr: int, sample_rate: int) -> np.ndarray:
    """Measure a decoded recording.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
        Mono, at least one sample, finite, as decoded: full scale is 1.
    sr : int
        Hz.
    sample_rate : int
        See `profile_names`.

    Returns
    -------
    np.ndarray of float32, shape (numbers,)
        As `profile_names` lists them: the root mean square of the frames that are no pause, and what share of samples
        is cut off (`clipped_share`); the standard deviation of those frames' levels; their mean spectral flatness
        (ratio of geometric to arithmetic mean of the power; a sine has little, noise much); the share of each band in
        their power.
    """
    hop, window, heard, above, to_bands = _transform(sr, sample_rate)
    n = 2 * hop
    padded = (np.pad(y, (0, n - len(y))) if len(y) < n else y).astype(np.float32, copy=False)
    halves = padded[: len(padded) // hop * hop].reshape(-1, hop)
    energy = np.vecdot(halves, halves).astype(np.float64)
    loud = np.maximum((energy[:-1] + energy[1:]) / n, 1e-20)
    level = 10 * np.log10(loud)
    active = level > level.max() - ACTIVE_DB
    chosen = np.flatnonzero(active)
    chosen = chosen[:: -(-len(chosen) // MOST_FRAMES)]
    frames = halves[chosen[:, np.newaxis] + (0, 1)].reshape(-1, n)
    power = np.square(np.abs(scipy.fft.rfft(frames * window)))

    floor = np.float32(10 ** (FLOOR_DB / 10)) * np.maximum(power.max(axis=1), np.float32(1e-20))
    within = np.maximum(power[:, heard], floor[:, np.newaxis])
    count = within.shape[1] + above
    ones = np.ones(within.shape[1], dtype=np.float32)  # a product with it is a sum, and faster
    decibels = 10 * (np.log10(within) @ ones + above * np.log10(floor)) / count
    flatness = decibels - 10 * np.log10((within @ ones + above * floor) / count)
    in_bands = power.mean(axis=0).astype(np.float64) @ to_bands
    shares = in_bands[:-1] / max(in_bands[-1], 1e-20)
    return np.array(
        [
            10 * np.log10(loud[active].mean()),
            100 * clipped_share(y, float(y.min()), float(y.max())),
            level[active].std(),
            flatness.mean(),
            *(10 * np.log10(np.maximum(shares, 10 ** (FLOOR_DB / 10)))),
        ],
        dtype=np.float32,
    )


class _Transform(NamedTuple):
    """What the recordings of one rate have in common.

    Attributes
    ----------
    hop : int
        Samples, half of a frame.
    window : np.ndarray of float32, shape (2 * hop,)
    heard : slice
        The bins of the bands.
    above : int
        How many bins more there were up to the highest band, if the rate were high enough.
    to_bands : np.ndarray, shape (bins, bands + 1)
        What adds up the power of each band and of all bins from the lowest band on.
    """

    hop: int
    window: np.ndarray
    heard: slice
    above: int
    to_bands: np.ndarray


@cache
def _transform(sr: int, sample_rate: int) -> _Transform:
    hop = scipy.fft.next_fast_len(round(FRAME * sr / 2), real=True)  # at 22050 Hz a fifteenth of the time of 353
    n = 2 * hop
    frequencies = np.fft.rfftfreq(n, 1 / sr)
    bands = _bands(sample_rate)
    ranges = np.array([*bands, (bands[0][0], np.inf)]).T
    to_bands = (frequencies[:, np.newaxis] >= ranges[0]) & (frequencies[:, np.newaxis] < ranges[1])
    heard = slice(*np.searchsorted(frequencies, (bands[0][0], bands[-1][1])).tolist())
    # a file of a lower rate has nothing above, as it has not after resampling
    above = max(0, round((bands[-1][1] - frequencies[-1]) * n / sr))
    return _Transform(hop, np.hanning(n).astype(np.float32), heard, above, to_bands.astype(np.float64))


def clipped_share(y: np.ndarray, lowest: float, highest: float) -> float:
    """Return the share of samples that a clip's range has cut off.

    They form runs of `CLIPPING_RUN` or more that all have exactly the clip's highest or lowest value, which exceeds
    `CLIPPING_LEVEL`: a level may have been lowered a little after the damage was done. A constant is not clipped.
    """
    if lowest == highest:
        return 0.0
    cut = 0
    for extreme in (lowest, highest):
        if abs(extreme) < CLIPPING_LEVEL:
            continue
        at = y == extreme
        if np.count_nonzero(at) >= CLIPPING_RUN:
            starts, covered = at.copy(), np.zeros_like(at)
            for step in range(1, CLIPPING_RUN):
                starts[:-step] &= at[step:]
            starts[1 - CLIPPING_RUN :] = False
            for step in range(CLIPPING_RUN):
                covered[step:] |= starts[: len(starts) - step]
            cut += int(np.count_nonzero(covered))
    return cut / len(y)


def _bands(sample_rate: int) -> list[tuple[int, int]]:
    highest = UPPERMOST * sample_rate / 2
    return [(low, high) for low, high in zip(EDGES, EDGES[1:], strict=False) if high <= highest]
