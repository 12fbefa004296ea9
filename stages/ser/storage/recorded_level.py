"""How loud a clip was recorded: what normalising its level takes away, kept beside the clip in a few numbers."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

FRAME = 0.032  # s
ACTIVE_DB = 30.0  # frames this far below the loudest are pauses
DEPTH_DB = 60.0  # what lies further below the loudest counts as this far below: of digital silence there is no dB
DECIMALS = 2  # of a dB: a table then holds exactly what was measured

# What the audit measures of it to tell the emotions: the loudest sample of the file, which trimming leaves alone, and
# the active level. Spread and changes are no matter of the microphone.
LEVEL_CUES = ("peak_db", "level_active")


class RecordedLevel(NamedTuple):
    """The level of a clip before it is normalised.

    Attributes
    ----------
    level_peak : float
        dBFS (0: full scale) of the largest magnitude.
    level_active : float
        dBFS of the root mean square of the frames that are no pause, as the active speech level of ITU-T P.56.
    level_spread : float
        dB; standard deviation of the levels of these frames.
    level_peak_change, level_active_change, level_spread_change : float
        dB; each of the three in the second half of the clip less that in the first.
    """

    level_peak: float
    level_active: float
    level_spread: float
    level_peak_change: float
    level_active_change: float
    level_spread_change: float

    def amplified(self, gain_db: float) -> RecordedLevel:
        """Return the level of the same clip with a gain in dB."""
        peak, active = (round(level + gain_db, DECIMALS) for level in (self.level_peak, self.level_active))
        return self._replace(level_peak=peak, level_active=active)


LEVELS = RecordedLevel._fields


def measure_level(y: np.ndarray, sr: int) -> RecordedLevel:
    """Measure the level of a clip; all that is quieter than `DEPTH_DB` below its loudest counts as that.

    A gain so shifts peak and active level, and nothing else.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
        Of full scale 1, not silent.
    sr : int
        Hz.

    References
    ----------
    ITU-T P.56 (2011). Objective measurement of active speech level.
    """
    size = max(round(FRAME * sr), 1)
    count = max(len(y) // size, 1)
    whole = (count - 1) * size
    frames, last = y[:whole].reshape(-1, size), y[whole:]  # the last takes along what is left of the clip
    power = np.empty(count)
    np.divide(np.vecdot(frames, frames), size, out=power[:-1])
    power[-1] = np.vdot(last, last) / len(last)
    loudest = float(power.max())
    if not 0.0 < loudest < math.inf:
        raise ValueError(f"y has frames of a mean power of {loudest}, a finite one above 0 is needed")
    power = np.maximum(power / loudest, 10 ** (-DEPTH_DB / 10))
    levels = 10 * np.log10(power)
    middle = count // 2
    parts = np.ones((3, count))  # all frames, those of the first half, those of the second
    parts[1, middle:] = parts[2, :middle] = 0
    active, spread = _active(power, levels, parts[: 3 if middle else 1])
    if middle:
        peaks = [_magnitude(part) for part in (y[: middle * size], y[middle * size :])]
        highest = max(peaks)
        one, other = (20 * math.log10(max(peak / highest, 10 ** (-DEPTH_DB / 20))) for peak in peaks)
        changes = (other - one, active[2] - active[1], spread[2] - spread[1])
    else:
        highest, changes = _magnitude(y), (0.0, 0.0, 0.0)
    measured = (20 * math.log10(highest), active[0] + 10 * math.log10(loudest), spread[0], *changes)
    return RecordedLevel(*(round(value, DECIMALS) + 0.0 for value in measured))  # + 0.0: no minus before a zero


def _magnitude(y: np.ndarray) -> float:
    return max(float(y.max()), -float(y.min()))


def _active(power: np.ndarray, levels: np.ndarray, parts: np.ndarray) -> tuple[list[float], list[float]]:
    """Return the level of the frames that are no pause, and the standard deviation of their levels, in dB.

    For some parts of a clip, rows of ones and zeros, at once: calls take longer here than sums.
    """
    within = parts * power
    active = (within > within.max(axis=1, keepdims=True) * 10 ** (-ACTIVE_DB / 10)).astype(float)
    count = active.sum(axis=1)
    deviations = active * (levels - (active @ levels / count)[:, np.newaxis])
    spread = np.sqrt(np.vecdot(deviations, deviations) / count)
    return (10 * np.log10(active @ power / count)).tolist(), spread.tolist()
