"""Speed; and duration without pitch, and pitch without duration, by splicing in the time domain.

To play a clip faster, short sections are cut out of it; to play it slower, short sections are repeated. Each section is
as long as the clip's own period at that place, so that the wave continues across the cut, and everything between the
cuts stays as it was (Malah 1979; SOLA, Roucos and Wilgus 1985; WSOLA, Verhelst and Roelands 1993). A phase vocoder
changes every frame instead and loses the phase relations between partials: on speech it was several times slower,
3 dB quieter and further from the original in spectrum and in fundamental frequency.
"""

import math
from functools import cache

import numpy as np
import soxr

OVERLAP = 0.010  # s, crossfade at a cut
TOLERANCE = 0.004  # s, how far what is played may run ahead of or behind its place before a section is cut or repeated
SHORTEST = 0.004  # s, a section; a period of 250 Hz (of higher voices, several periods are taken)
LONGEST = 0.014  # s, a section; a period of 71 Hz (longer where a large factor leaves no choice)

RATIO_STEPS = 256  # pitch ratios are multiples of 1/256, as soxr takes up to twice as long for an irrational one


def change_time_scale(y: np.ndarray, sr: int, kind: str, amount: float) -> np.ndarray:
    """Change speed, duration or pitch of a clip.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    kind : {"speed", "stretch", "pitch"}
    amount : float
        A factor, of pitch semitones.
    """
    if kind == "speed":
        return change_speed(y, amount)
    return (stretch if kind == "stretch" else shift_pitch)(y, sr, amount)


def change_speed(y: np.ndarray, factor: float) -> np.ndarray:
    """Play a clip `factor` times as fast: its duration shrinks and its pitch and formants rise with it."""
    return soxr.resample(y, factor, 1.0)


def stretch(y: np.ndarray, sr: int, factor: float) -> np.ndarray:
    """Play a clip `factor` times as fast, keeping its pitch and formants.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    factor : float
        Above 1 is faster.

    Returns
    -------
    np.ndarray of float32, shape (round(samples / factor),), at least one sample
    """
    return fit_duration(y, sr, max(round(len(y) / factor), 1))


def nearest_semitones(semitones: float) -> float:
    """Return the shift nearest to `semitones` that `shift_pitch` makes exactly; at most 0.07 away within an octave."""
    return 12.0 * math.log2(_ratio_steps(semitones) / RATIO_STEPS)


def shift_pitch(y: np.ndarray, sr: int, semitones: float) -> np.ndarray:
    """Shift pitch and formants, keeping the duration: resample, then restore the number of samples.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    semitones : float
        What is made is ``nearest_semitones(semitones)``.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
    """
    return fit_duration(soxr.resample(y, _ratio_steps(semitones), RATIO_STEPS), sr, len(y))


def _ratio_steps(semitones: float) -> int:
    return round(RATIO_STEPS * 2.0 ** (semitones / 12.0))


def fit_duration(y: np.ndarray, sr: int, samples: int) -> np.ndarray:
    """Bring a clip to a number of samples by cutting out or repeating sections as long as its periods.

    Whenever what is played has drifted by `TOLERANCE` from where the clip's even stretching would be, the next section
    is skipped or the last one is played again; see `_best_cut`. The end may therefore be cut, or filled with silence,
    by some milliseconds.

    Parameters
    ----------
    y : np.ndarray of float32, shape (n,)
    sr : int
        Hz.
    samples : int
        At least 1.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
    """
    if len(y) == samples:
        return y.copy()
    factor = len(y) / samples
    rate = abs(factor - 1.0)  # samples of drift for each sample played
    overlap, tolerance, shortest, longest = (round(sr * t) for t in (OVERLAP, TOLERANCE, SHORTEST, LONGEST))
    slack = longest - tolerance
    margin = 2 * (longest + overlap)
    padded = np.pad(y, margin)
    out = np.zeros(samples, dtype=np.float32)
    end, place, drift = 0, margin, 0.0  # samples played, where in `padded`, and how far that is from its due place
    while True:
        run = max(math.ceil((tolerance - drift) / rate), 0)
        if end + run + overlap > samples:
            break
        out[end : end + run] = padded[place : place + run]
        end, place, drift = end + run, place + run, drift + run * rate
        bounds = max(shortest, int(drift) - slack), int(drift) + slack
        jump, likeness = _best_cut(padded, place, bounds, overlap, forward=factor > 1.0)
        old, new = padded[place : place + overlap], padded[place + jump : place + jump + overlap]
        out[end : end + overlap] = _crossfade(old, new, likeness)
        end, place, drift = end + overlap, place + jump + overlap, drift + overlap * rate - abs(jump)
    rest = padded[place : place + samples - end]
    out[end : end + len(rest)] = rest
    return out


def _best_cut(
    padded: np.ndarray, place: int, bounds: tuple[int, int], overlap: int, *, forward: bool
) -> tuple[int, float]:
    """Find the jump after which the clip sounds most like what would have come without it.

    Least squared difference of the `overlap` samples, which asks for equal level as well as for equal shape.

    Returns
    -------
    jump : int
        Within `bounds` (samples), negative unless `forward`.
    likeness : float
        Correlation of the two sides of the cut, 0 (or less) to 1.
    """
    shortest, longest = bounds
    first, last = (shortest, longest) if forward else (-longest, -shortest)
    here = padded[place : place + overlap]
    there = padded[place + first - 1 : place + last + overlap]
    products = np.correlate(there[1:], here, mode="valid")
    squares = there * there
    # energies but for a constant, which decides nothing: each differs from the last by a sample that came and one gone
    energies = np.add.accumulate(squares[overlap:] - squares[:-overlap])
    best = int((energies - 2.0 * products).argmin())
    new = there[1 + best : 1 + best + overlap]
    total = float(np.dot(here, here) + np.dot(new, new))
    return first + best, max(2.0 * float(products[best]) / total, 0.0) if total > 0.0 else 1.0


def _crossfade(old: np.ndarray, new: np.ndarray, likeness: float) -> np.ndarray:
    """Fade from one signal to another of the same power, keeping the power however alike they are."""
    rise, fall, squares, twice = _fades(len(old))
    return (fall * old + rise * new) / np.sqrt(squares + np.float32(min(likeness, 1.0)) * twice)


@cache
def _fades(samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return two raised-cosine fades, in and out, the sum of their squares, and twice their product."""
    rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(samples) + 0.5) / samples)).astype(np.float32)
    fall = 1 - rise
    return rise, fall, rise**2 + fall**2, 2 * rise * fall
