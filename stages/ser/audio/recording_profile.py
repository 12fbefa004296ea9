"""What a recording sounds like before it is cleaned: level, clipping, how it moves, how its power is spread over bands.

Normalising the level, as all clips are, hides that a recording is far too quiet or clips, and no model says that it has
never met anything like a sine or a telephone. These few numbers of each clip that a model learnt from tell.
"""

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
    hop = scipy.fft.next_fast_len(round(FRAME * sr / 2), real=True)  # at 22050 Hz a fifteenth of the time of 353
    n = 2 * hop
    padded = (np.pad(y, (0, n - len(y))) if len(y) < n else y).astype(np.float32, copy=False)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[::hop]
    energy = np.square(padded[: len(padded) // hop * hop]).reshape(-1, hop).sum(axis=1).astype(np.float64)
    level = 10 * np.log10(np.maximum((energy[:-1] + energy[1:]) / n, 1e-20))
    active = level > level.max() - ACTIVE_DB
    window = np.hanning(n).astype(np.float32)
    chosen = np.flatnonzero(active)
    spectrum = scipy.fft.rfft(frames[chosen[:: -(-len(chosen) // MOST_FRAMES)]] * window)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    frequencies = np.fft.rfftfreq(n, 1 / sr)

    bands = _bands(sample_rate)
    heard = (frequencies >= bands[0][0]) & (frequencies < bands[-1][1])
    # a file of a lower rate has nothing above, as it has not after resampling
    above = max(0, round((bands[-1][1] - frequencies[-1]) * n / sr))
    floor = 10 ** (FLOOR_DB / 10) * np.maximum(power.max(axis=1, keepdims=True), 1e-20)
    within = np.maximum(power[:, heard], floor)
    if above:
        within = np.concatenate([within, np.broadcast_to(floor, (len(floor), above))], axis=1)
    flatness = 10 * np.log10(within).mean(axis=1) - 10 * np.log10(within.mean(axis=1))
    mean = power.mean(axis=0).astype(np.float64)
    whole = max(mean[frequencies >= bands[0][0]].sum(), 1e-20)
    shares = [mean[(frequencies >= low) & (frequencies < high)].sum() / whole for low, high in bands]
    loudness = 10 * np.log10(np.maximum(np.mean(10 ** (level[active] / 10)), 1e-20))
    return np.array(
        [
            loudness,
            100 * clipped_share(y, float(y.min()), float(y.max())),
            level[active].std(),
            flatness.mean(),
            *(10 * np.log10(np.maximum(shares, 10 ** (FLOOR_DB / 10)))),
        ],
        dtype=np.float32,
    )


def clipped_share(y: np.ndarray, lowest: float, highest: float) -> float:
    """Return the share of samples that a clip's range has cut off.

    They form runs of `CLIPPING_RUN` or more that all have exactly the clip's highest or lowest value, which exceeds
    `CLIPPING_LEVEL`: a level may have been lowered a little after the damage was done. A constant is not clipped.
    """
    if lowest == highest:
        return 0.0
    cut = 0
    for extreme in (lowest, highest):
        at = y == extreme
        if abs(extreme) >= CLIPPING_LEVEL and np.count_nonzero(at) >= CLIPPING_RUN:
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
