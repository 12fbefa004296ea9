"""Fundamental frequency and voicing: the autocorrelation method of Boersma (1993, Proc. Inst. Phonetic Sciences 17).

Boersma takes the whole band, as Praat does; here it is that below 2 kHz, for a fraction of the work. What it cannot
know, that hiss above it makes a wave less periodic, is told by the power spectrum.

A candidate of a frame is a peak of its normalised autocorrelation. Its height tells how periodic the frame is, and so
whether it is voiced; its strength, which of several it is: small costs are to choose among peaks of nearly one height.
The constants are Boersma's where no other value was better: nearer, over all frames of RAVDESS and EMO-DB, to what
Praat finds (``to_pitch_ac``, from 65 to 1,000 and to 600 Hz), without losing octaves of synthesized voices in noise.
"""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
import soxr

from ser.features.frames import Spectrum, bin_frequencies, surround, windows

F0_RANGE = (58.0, 1050.0)  # Hz: 60 to 1,000 and something to spare, from the lowest male voices to screams; not creak
RATE = 4000  # Hz; the harmonics that tell the pitch lie below 2 kHz
OVERSAMPLING = 2  # of the autocorrelation, by zero-padding its spectrum
STEP = 0.01  # s from one estimate to the next, at most, unless frames are further apart
WINDOW = 0.046  # s, three periods of 65 Hz, as in Praat
CANDIDATES = 4  # a frame
LEAST_HEIGHT = 0.2  # of a candidate: far below what is voiced
NONE = -10.0  # strength of a candidate that there is not
# voiced or not
VOICING = 0.48  # height below which a frame is rather unvoiced …
HISS = 0.5  # … and by how much it rises if all power lies above 2 kHz, up to …
LOWEST, HIGHEST = 50.0, 8000.0  # Hz; beyond, recordings differ more than voices do: below lie offset and hum
SILENCE = 0.03  # of the level of the loudest frame: quieter ones tend to be unvoiced
# which candidate: octaves below and above 200 Hz
MIDDLE = 200.0
OCTAVE_COST = 0.01  # per octave, favours high candidates: at twice the period there is a peak of the same height …
NOISY_OCTAVE_COST = 0.03  # … or, by chance, a higher one, the more so the less periodic: so much more at height 0
LOW, LOW_COST = -1.3, 0.3  # below 81 Hz, per octave: voices are seldom so low, twice the period of others often is
FULL, BEYOND_FULL = 0.92, 0.2  # from this height on only a share of it counts: uneven cycles alone make differences
# from frame to frame
JUMP_COST = 0.35  # per octave and 10 ms
CHANGE_COST = 0.2  # of beginning or ending voice, per 10 ms; 0.14 in Praat


class Pitch(NamedTuple):
    """The pitch track of a clip.

    Attributes
    ----------
    f0 : np.ndarray of float32, shape (frames,)
        Hz; 0 where unvoiced.
    voicing : np.ndarray of float32, shape (frames,)
        Height of the best peak of the normalised autocorrelation below 2 kHz, 0 to 1.
    """

    f0: np.ndarray
    voicing: np.ndarray


@lru_cache(maxsize=1)
def pitch_of(clip: Spectrum) -> tuple[np.ndarray, Pitch]:
    """Return a clip at 4 kHz (see `low_band`) and the pitch of its frames; not to be changed.

    Kept for the next of its inputs: functionals and frame sequences of one clip are computed one after another.
    """
    low = low_band(clip.y, clip.sr)
    whole, above = (clip.power @ band for band in bands(clip.sr, clip.n_fft))
    centres = np.arange(len(clip.power)) * clip.hop_length / clip.sr
    return low, track_pitch(low, centres, above / np.maximum(whole, np.float32(1e-20)))


def low_band(y: np.ndarray, sr: int) -> np.ndarray:
    """Return a signal at 4 kHz: what pitch is told from, and a quarter of the work."""
    return soxr.resample(y, sr, RATE, quality="MQ")


@cache
def bands(sr: int, n_fft: int) -> np.ndarray:
    """Return what sums power spectra over the whole band and over what `low_band` lacks, shape (2, bins)."""
    frequencies = bin_frequencies(sr, n_fft)
    whole = (frequencies >= LOWEST) & (frequencies <= HIGHEST)
    return np.stack([whole, whole & (frequencies >= RATE / 2)]).astype(np.float32)


def track_pitch(low: np.ndarray, centres: np.ndarray, above: np.ndarray | None = None) -> Pitch:
    """Estimate the fundamental frequency of a signal at 4 kHz.

    Parameters
    ----------
    low : np.ndarray of float32, shape (samples,)
        See `low_band`.
    centres : np.ndarray, shape (frames,)
        Centres of the frames in s, evenly spaced.
    above : np.ndarray, shape (frames,), optional
        Share of the power of each frame that lies above 2 kHz; without it none does.
    """
    stride = max(int(STEP / (centres[1] - centres[0]) + 1e-6), 1) if len(centres) > 1 else 1
    correlation, level = normalized_autocorrelation(low, centres[::stride] * RATE)
    f0, height, strength = candidates(correlation)
    step = centres[stride] - centres[0] if len(centres) > stride else STEP
    above = np.zeros_like(level) if above is None else above[::stride]
    path = best_path(f0, strength, unvoiced_strength(level, above), frame_seconds=step)
    return in_between(Pitch(path, height.max(axis=1)), stride, len(centres))


def in_between(coarse: Pitch, stride: int, count: int) -> Pitch:
    """Return `count` frames of a track known at every `stride`-th: voiced where the nearest known one is."""
    if stride == 1:
        return coarse
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
        Within the longest period around the centre.
    """
    window, n_fft, to_lags = transforms()
    length, half = len(window), int(RATE / F0_RANGE[0] / 2)
    padded = surround(y, length // 2, length)
    starts = np.minimum(np.rint(centres).astype(int), len(y))
    frames = windows(padded, length)[starts]
    frames -= (frames @ np.full(length, 1 / length, dtype=np.float32))[:, np.newaxis]  # their means, but faster
    level = np.abs(frames[:, length // 2 - half : length // 2 + half + 1].T, order="C").max(axis=0)
    frames *= window
    magnitude = np.abs(scipy.fft.rfft(frames, n=n_fft, axis=-1))
    correlation = np.square(magnitude, out=magnitude) @ to_lags
    correlation *= 1 / np.maximum(correlation[:, :1], np.float32(1e-12))
    return correlation, level


@cache
def transforms() -> tuple[np.ndarray, int, np.ndarray]:
    """Return the Hann window, the length of its transform, and what takes power spectra to autocorrelations.

    Those over that of the window, at the lags of the pitch range, oversampled; float32 of shape (bins, lags). Few lags
    are wanted: a product of matrices is faster than the inverse transform.
    """
    window = np.hanning(round(WINDOW * RATE))
    longest = int(RATE / F0_RANGE[0]) + 2
    n_fft = scipy.fft.next_fast_len(len(window) + longest, real=True)
    bins = np.arange(n_fft // 2 + 1)
    lags = np.arange(longest * OVERSAMPLING) / OVERSAMPLING
    sides = np.where((bins == 0) | (2 * bins == n_fft), 1, 2) / n_fft
    to_lags = sides[:, np.newaxis] * np.cos(2 * np.pi / n_fft * np.outer(bins, lags))
    weight = np.square(np.abs(scipy.fft.rfft(window, n=n_fft))) @ to_lags
    return window.astype(np.float32), n_fft, (to_lags / (weight / weight[0])).astype(np.float32)


def candidates(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the strongest peaks of each frame: frequencies (Hz), heights and strengths, (frames, candidates) each.

    Where there are fewer peaks the rest have height 0 and strength `NONE`.
    """
    lags, step = correlation.shape[1], RATE * OVERSAMPLING
    first, last = int(np.ceil(step / F0_RANGE[1])), int(step / F0_RANGE[0])
    flat = correlation.ravel()
    rises = flat[1:] > flat[:-1]  # all frames as one long row, which is faster
    peak = np.zeros(correlation.shape, dtype=bool)
    np.greater(rises[:-1], rises[1:], out=peak.ravel()[1:-1])
    peak &= correlation > LEAST_HEIGHT
    peak[:, :first] = peak[:, last + 1 :] = False
    at = np.flatnonzero(peak)
    frame = at // lags
    offset, height = summits(flat, at)
    frequency = np.float32(step) / ((at - frame * lags).astype(np.float32) + offset)
    octaves = np.log2(frequency * np.float32(1 / MIDDLE))
    strength = np.minimum(height, FULL + (height - FULL) * np.float32(BEYOND_FULL))
    strength += (OCTAVE_COST + NOISY_OCTAVE_COST * (1 - height)) * octaves
    strength -= LOW_COST * np.maximum(0, LOW - octaves)
    order = np.argsort(frame - strength / 2.0, kind="stable")  # by frame, the strongest first
    peaks = np.empty((3, len(at) + 1), dtype=np.float32)  # one more, which stands for those that there are not
    peaks[:, -1] = F0_RANGE[0], 0, NONE
    peaks[:, :-1] = frequency[order], height[order], strength[order]
    ends = np.searchsorted(frame, np.arange(len(correlation) + 1))
    place = ends[:-1] + np.arange(CANDIDATES)[:, np.newaxis]
    found = peaks.take(np.where(place < ends[1:], place, len(at)), axis=1)
    found[2] += found[1, 0] - found[2, 0]  # the strongest is as strong as it is high
    return found[0].T, found[1].T, found[2].T


def summits(y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where between the samples the peaks of a curve lie, from -0.5 to 0.5, and their heights, at most 1.

    By the polynomial through five samples (Stirling's formula). A parabola through three is too low where peaks are
    few samples wide, those of high voices: that at twice the lag, by chance nearer to a sample, would seem higher.
    """
    second, before, here, after, beyond = (y.take(at + offset) for offset in range(-2, 3))
    slope, curvature = (after - before) / 2, before - 2 * here + after
    third = (beyond - second - 4 * slope) / 12
    fourth = (beyond + second - 4 * curvature - 2 * here) / 24
    x = np.minimum(np.maximum(-slope / np.minimum(curvature, np.float32(-1e-9)), -0.5), 0.5)
    height = here + x * (slope + x * curvature / 2 + (x * x - 1) * (third + x * fourth))
    return x, np.minimum(height, 1)


def unvoiced_strength(level: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return what a peak must exceed for its frame to be rather voiced, shape (frames,).

    Parameters
    ----------
    level : np.ndarray, shape (frames,)
        Peak level.
    above : np.ndarray, shape (frames,)
        Share of the power above 2 kHz.
    """
    relative = level / max(float(level.max()), 1e-9)
    quiet = np.maximum(0, 2 - relative * np.float32((1 + VOICING) / SILENCE))
    return VOICING + HISS * above + quiet


def best_path(f0: np.ndarray, strength: np.ndarray, unvoiced: np.ndarray, *, frame_seconds: float) -> np.ndarray:
    """Choose a candidate, or none, in each frame so that the whole track is strong and smooth (Viterbi).

    Parameters
    ----------
    f0, strength : np.ndarray of float32, shape (frames, candidates)
    unvoiced : np.ndarray of float32, shape (frames,)
        Strength of choosing none.
    frame_seconds : float
        s from one frame to the next.

    Returns
    -------
    np.ndarray of float32, shape (frames,)
        The frequencies chosen, 0 where none is.
    """
    scale = np.float32(0.01 / frame_seconds)
    local = np.concatenate([unvoiced[np.newaxis], strength.T])
    gain = np.empty((len(local), len(local), len(f0) - 1), dtype=np.float32)
    gain[0], gain[1:, 0] = -CHANGE_COST * scale, -CHANGE_COST * scale
    gain[0, 0] = 0
    octaves = np.log2(f0.T)
    jumps = np.subtract(octaves[:, np.newaxis, 1:], octaves[np.newaxis, :, :-1], out=gain[1:, 1:])
    np.abs(jumps, out=jumps)
    jumps *= np.float32(-JUMP_COST) * scale
    gain += local[:, np.newaxis, 1:]
    path = viterbi(local[:, 0], gain.transpose(2, 0, 1))
    return np.where(path > 0, f0[np.arange(len(f0)), path - 1], np.float32(0))


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
        # from, through, to, step; copies of every other step are faster to add
        joined.append(level[..., ::2].copy()[:, :, np.newaxis] + level[..., 1::2].copy())
        level = joined[-1].max(axis=1)
    whole = first[:, np.newaxis] + level[..., 0]
    path = np.array(divmod(int(whole.argmax()), states))
    for ways in reversed(joined):
        step = np.arange(ways.shape[-1])
        longer = np.empty(2 * len(step) + 1, dtype=np.intp)
        longer[::2] = path = path[: len(step) + 1]  # without what was added to make pairs
        longer[1::2] = ways[path[:-1], :, path[1:], step].argmax(axis=1)
        path = longer
    return path[: steps + 1]


@cache
def standing_still(states: int, dtype: np.dtype) -> np.ndarray:
    """Return the gain of a step from each state to itself, shape (states, states, 1)."""
    return np.where(np.eye(states, dtype=bool), 0, -np.inf).astype(dtype)[..., np.newaxis]
