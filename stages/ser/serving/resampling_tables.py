"""The filters by which `soxr` resamples, as tables of numbers: a page in a browser then resamples as Python does.

At rates with a ratio of small whole numbers the resampler is linear, and every so many samples the same. What it makes
of single impulses is then all there is to know of it.
"""

from math import gcd
from typing import NamedTuple

import numpy as np
import soxr

LEAST = 1e-7  # of the largest tap; less is what single precision leaves
LEAST_AT_START = 5e-7
REACH = 150  # samples of the lower rate on either side that are measured; the filter has up to 100
FIRST = 128  # samples of the lower rate at the start that may be others


class Table(NamedTuple):
    """A resampler: sample ``m`` is the sum of ``taps[m % up] * y[k:]`` with ``k = m * down // up + offset``.

    Before and behind `y` lie zeros. The first ``len(start)`` samples are not quite that, as stages of the resampler
    begin empty: ``start @ y[: start.shape[1]]`` is to be added.

    Attributes
    ----------
    up, down : int
        The ratio of the new rate to the old.
    offset : int
    taps : np.ndarray of float32, shape (up, taps)
    start : np.ndarray of float32, shape (samples, samples read)
    """

    up: int
    down: int
    offset: int
    taps: np.ndarray
    start: np.ndarray

    def to_bytes(self) -> bytes:
        """Return it little-endian: up, down, taps of each phase, offset and the shape of start (int32), then both."""
        header = np.array([self.up, self.down, self.taps.shape[1], self.offset, *self.start.shape], dtype="<i4")
        return b"".join([header.tobytes(), self.taps.astype("<f4").tobytes(), self.start.astype("<f4").tobytes()])


def measured(source: int, target: int) -> Table:
    """Measure how `soxr.resample` goes from one rate to another.

    Parameters
    ----------
    source, target : int
        Hz.
    """
    divisor = gcd(source, target)
    up, down = target // divisor, source // divisor
    half = int(REACH * max(1.0, source / target))
    # an impulse for each place within a period, so far from each other that their responses do not meet
    step = (-(-(2 * half + 2) // down) + 1) * down + 1
    first = step - 1 + down
    y = np.zeros(first + down * step + step, dtype=np.float32)
    y[first + np.arange(down) * step] = 1.0
    response = soxr.resample(y, source, target)
    phase, distance = np.arange(up)[:, np.newaxis], np.arange(-half, half + 1)
    place = phase * down // up + distance
    impulse = first + place % down * step
    taps = response[phase + (impulse - place) // down * up]
    loud = np.flatnonzero(np.abs(taps).max(axis=0) > LEAST * np.abs(taps).max())
    taps, offset = taps[:, loud[0] : loud[-1] + 1], int(distance[loud[0]])
    return Table(up, down, offset, taps, _start(source, target, up, down, offset, taps, half))


def _start(source: int, target: int, up: int, down: int, offset: int, taps: np.ndarray, half: int) -> np.ndarray:
    """Return what the first samples are besides what the taps make of the first samples read."""
    first = int(FIRST * max(1.0, target / source))
    count = max(half, FIRST * source // target)
    found = soxr.resample(np.eye(count, dtype=np.float32), source, target)[:first]
    row, column = np.arange(len(found))[:, np.newaxis], np.arange(count)
    tap = column - (row * down // up + offset)
    inside = (tap >= 0) & (tap < taps.shape[1])
    rest = found - np.where(inside, taps[row % up, np.clip(tap, 0, taps.shape[1] - 1)], 0.0)
    large = np.abs(rest) > LEAST_AT_START
    rows, columns = (1 + np.flatnonzero(large.any(axis=axis)).max(initial=-1) for axis in (1, 0))
    return rest[:rows, :columns]
