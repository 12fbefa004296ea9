"""Fundamental frequency and voicing: the autocorrelation method of Boersma (1993, Proc. Inst. Phonetic Sciences 17)."""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import soxr

from ser.features.frames import Spectrum, surround, windows

F0_RANGE = (65.0, 550.0)  # Hz, from a low male voice to a shouting female one
RATE = 4000  # Hz; the harmonics that tell the pitch lie below 2 kHz
OVERSAMPLING = 2  # of the autocorrelation, by zero-padding its spectrum
STEP = 0.02  # s from one estimate to the next, at most: a window spans three
WINDOW = 0.064  # s, nearly four periods of the lowest voice
CANDIDATES = 5  # a frame
# The costs below are of Boersma's kind, dearer than his: longer windows make smoother tracks.
SILENCE = 0.005  # of the peak of the loudest frame: quieter ones tend to be unvoiced
VOICING = 0.47  # autocorrelation below which a frame is rather unvoiced
OCTAVE_COST = 0.02  # per octave, favours high candidates
JUMP_COST = 1.5  # per octave and 10 ms
CHANGE_COST = 1.0  # of beginning or ending voice, per 10 ms


class Pitch(NamedTuple):
    """The pitch track of a clip.

    Attributes
    ----------
    f0 : np.ndarray of float32, shape (frames,)
        Hz; 0 where unvoiced.
    voicing : np.ndarray of float32, shape (frames,)
        Height of the best peak of the normalised autocorrelation, 0 to 1.
    """

    f0: np.ndarray
    voicing: np.ndarray


@lru_cache(maxsize=1)
def pitch_of(clip: Spectrum) -> tuple[np.ndarray, Pitch]:
    """Return a clip at 4 kHz (see `low_band`) and the pitch of its frames; not to be changed.

    Kept for the next of its inputs: functionals and frame sequences of one clip are computed one after another.
    """
    low = low_band(clip.y, clip.sr)
    return low, track_pitch(low, np.arange(len(clip.power)) * clip.hop_length / clip.sr)


def low_band(y: np.ndarray, sr: int) -> np.ndarray:
    """Return a signal at 4 kHz: what pitch is told from, and a quarter of the work."""
    return soxr.resample(y, sr, RATE, quality="MQ")


def track_pitch(low: np.ndarray, centres: np.ndarray) -> Pitch:
    """Estimate the fundamental frequency of a signal at 4 kHz.

    Parameters
    ----------
    low : np.ndarray of float32, shape (samples,)
        See `low_band`.
    centres : np.ndarray, shape (frames,)
        Centres of the frames in s, evenly spaced.
    """
    stride = max(int(STEP / (centres[1] - centres[0]) + 1e-6), 1) if len(centres) > 1 else 1
    correlation, level = normalized_autocorrelation(low, centres[::stride] * RATE)
    f0, height = candidates(correlation)
    step = centres[stride] - centres[0] if len(centres) > stride else STEP
    path = best_path(f0, height, level, frame_seconds=step)
    return in_between(path, stride, len(centres))


def in_between(coarse: Pitch, stride: int, count: int) -> Pitch:
    """Return `count` frames of a track known at every `stride`-th: voiced where the nearest known one is."""
    known, wanted = np.arange(len(coarse.f0)) * stride, np.arange(count)
    nearest = np.minimum((wanted + stride // 2) // stride, len(known) - 1)
    voiced = coarse.f0 > 0
    if not voiced.any():
        return Pitch(np.zeros(count, dtype=np.float32), coarse.voicing[nearest])
    smooth = np.exp(np.interp(wanted, known[voiced], np.log(coarse.f0[voiced])))
    f0 = np.where(voiced[nearest], smooth, 0).astype(np.float32)
    return Pitch(f0, np.interp(wanted, known, coarse.voicing).astype(np.float32))


def normalized_autocorrelation(y: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the autocorrelation of windowed frames over that of the window, and the peak level of each frame.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
        At 4 kHz.
    centres : np.ndarray, shape (frames,)
        In samples.

    Returns
    -------
    correlation : np.ndarray, shape (frames, lags)
        At lags of 1 / (4 kHz * oversampling).
    level : np.ndarray, shape (frames,)
    """
    window, weight = window_autocorrelation()
    length = len(window)
    padded = surround(y, length // 2, length)
    starts = np.minimum(np.rint(centres).astype(int), len(y))
    frames = windows(padded, length)[starts]
    frames -= (frames @ np.full(length, 1 / length, dtype=np.float32))[:, np.newaxis]  # their means, but faster
    level = np.abs(frames).max(axis=1)
    frames *= window
    raw = autocorrelation(frames)
    raw /= np.maximum(raw[:, :1], np.float32(1e-12)) * weight
    return raw, level


def autocorrelation(frames: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of frames, shape (..., samples), at the lags of the pitch range, oversampled.

    Few lags are wanted: a product of matrices is faster than the inverse transform.
    """
    n_fft = scipy.fft.next_fast_len(frames.shape[-1] + int(RATE / F0_RANGE[0]) + 2, real=True)
    magnitude = np.abs(scipy.fft.rfft(frames, n=n_fft, axis=-1))
    return np.square(magnitude, out=magnitude) @ to_lags(n_fft)


@cache
def to_lags(n_fft: int) -> np.ndarray:
    """Return what takes power spectra to autocorrelations, float32 of shape (bins, lags)."""
    bins = n_fft // 2 + 1
    lags = np.arange((int(RATE / F0_RANGE[0]) + 2) * OVERSAMPLING) / OVERSAMPLING
    sides = np.where((np.arange(bins) == 0) | (2 * np.arange(bins) == n_fft), 1, 2) / n_fft
    return (sides[:, None] * np.cos(2 * np.pi / n_fft * np.outer(np.arange(bins), lags))).astype(np.float32)


@cache
def window_autocorrelation() -> tuple[np.ndarray, np.ndarray]:
    """Return the Hann window and its autocorrelation relative to that at lag 0."""
    window = np.hanning(round(WINDOW * RATE)).astype(np.float32)
    weight = autocorrelation(window)
    return window, weight / weight[0]


def candidates(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the frequencies (Hz) and heights of the highest peaks of each frame, both of shape (frames, candidates).

    Where there are fewer peaks the rest have height 0.
    """
    first, cost = octave_costs()
    last = first + len(cost) - 1
    inner = correlation[:, first : last + 1]
    peak = inner >= correlation[:, first - 1 : last]
    peak &= inner > correlation[:, first + 1 : last + 2]
    strength = np.where(peak, inner - cost, np.float32(0))
    # the highest one after another: so few are found faster than by sorting
    rows = np.arange(len(inner)) * inner.shape[1]
    places = np.empty((CANDIDATES, len(inner)), dtype=np.intp)
    found = np.empty((CANDIDATES, len(inner)), dtype=bool)
    left = strength.ravel()
    for candidate in range(CANDIDATES):
        lag = strength.argmax(axis=1)
        highest = rows + lag
        found[candidate] = left[highest] > 0
        left[highest] = 0
        places[candidate] = lag
    at = places.T + first
    flat, position = correlation.ravel(), at + np.arange(len(inner))[:, np.newaxis] * correlation.shape[1]
    before, here, after = (flat[position + offset] for offset in (-1, 0, 1))
    curvature = np.minimum(before - 2 * here + after, np.float32(-1e-9))
    offset = np.minimum(np.maximum((before - after) / (2 * curvature), -0.5), 0.5)
    height = here - (before - after) * offset / 4
    frequency = np.float32(RATE * OVERSAMPLING) / (at.astype(np.float32) + offset)
    return frequency, np.where(found.T, np.minimum(np.maximum(height, 0), 1), np.float32(0))


@cache
def octave_costs() -> tuple[int, np.ndarray]:
    """Return the first lag of the pitch range, and what that and each later one costs, float32 of shape (lags,)."""
    step = RATE * OVERSAMPLING
    first, last = int(np.ceil(step / F0_RANGE[1])), int(step / F0_RANGE[0])
    lags = np.arange(first, last + 1, dtype=np.float32)
    return first, np.float32(OCTAVE_COST) * np.log2(lags / step * F0_RANGE[0])


def best_path(f0: np.ndarray, height: np.ndarray, level: np.ndarray, *, frame_seconds: float) -> Pitch:
    """Choose a candidate, or none, in each frame so that the whole track is strong and smooth (Viterbi).

    Parameters
    ----------
    f0, height : np.ndarray, shape (frames, candidates)
    level : np.ndarray, shape (frames,)
    frame_seconds : float
        s from one frame to the next.
    """
    scale = np.float32(0.01 / frame_seconds)
    quiet = level / max(float(level.max()), 1e-9) / SILENCE
    unvoiced = VOICING + np.maximum(0, 2 - quiet * (1 + VOICING))
    octaves = np.log2(f0)
    strength = np.where(height > 0, height - OCTAVE_COST * (np.float32(np.log2(F0_RANGE[0])) - octaves), -10)
    local = np.column_stack([unvoiced, strength]).astype(np.float32)
    states = local.shape[1]
    gain = np.full((states, states, len(f0) - 1), -CHANGE_COST * scale, dtype=np.float32)
    gain[0, 0] = 0
    pitches = np.ascontiguousarray(octaves.T)
    jumps = np.abs(pitches[:, np.newaxis, 1:] - pitches[np.newaxis, :, :-1])
    gain[1:, 1:] = np.float32(-JUMP_COST) * scale * jumps
    gain += local.T[:, np.newaxis, 1:]
    path = viterbi(local[0], gain.transpose(2, 0, 1))
    chosen = np.maximum(path - 1, 0)
    f0 = np.where(path > 0, f0[np.arange(len(f0)), chosen], 0)
    return Pitch(f0.astype(np.float32), height.max(axis=1))


def viterbi(first: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return the path of states of largest total gain, shape (steps + 1,).

    Two steps in a row are one longer step, whose gain from state to state is that of the best way between them: so
    pairs of steps are joined, all at once, then pairs of pairs, until one step is left. Its two ends are chosen; then
    the middle of each step that was joined, from the longest down. To follow the steps one by one would take a few
    calls for each of them, to join them takes a few for each doubling.

    Parameters
    ----------
    first : np.ndarray, shape (states,)
        Gain of beginning in each state.
    gain : np.ndarray, shape (steps, states, states)
        Gain of arriving in a state (second axis) from a state (third axis).
    """
    steps, states = gain.shape[:2]
    still = standing_still(states, gain.dtype)
    level = np.ascontiguousarray(gain.transpose(2, 1, 0)) if steps else still  # from, to, step
    joined = []
    while level.shape[-1] > 1:
        if level.shape[-1] % 2:
            level = np.concatenate([level, still], axis=-1)
        joined.append(level)
        level = (level[:, :, np.newaxis, ::2] + level[..., 1::2]).max(axis=1)
    whole = first[:, np.newaxis] + level[..., 0]
    path = np.array(divmod(int(whole.argmax()), states))
    for level in reversed(joined):
        early = np.arange(0, level.shape[-1], 2)
        longer = np.empty(level.shape[-1] + 1, dtype=np.intp)
        longer[::2] = path = path[: len(early) + 1]  # without what was added to make pairs
        longer[1::2] = (level[path[:-1], :, early] + level[:, path[1:], early + 1].T).argmax(axis=1)
        path = longer
    return path[: steps + 1]


@cache
def standing_still(states: int, dtype: np.dtype) -> np.ndarray:
    """Return the gain of a step from each state to itself, shape (states, states, 1)."""
    return np.where(np.eye(states, dtype=bool), 0, -np.inf).astype(dtype)[..., np.newaxis]
