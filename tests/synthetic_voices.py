"""Voices of known pitch, perturbation, noise and resonances, to measure descriptors against."""

import numpy as np
from scipy.signal import lfilter

# Pairs of frequency and bandwidth, Hz.
NEUTRAL_TUBE = ((500.0, 60.0), (1500.0, 90.0), (2500.0, 120.0), (3500.0, 180.0), (4500.0, 220.0))
DAMPED = (
    (600.0, 250.0),
    (1500.0, 300.0),
    (2500.0, 350.0),
    (3500.0, 400.0),
)  # a cycle has died away when the next comes
BEFORE, AFTER = 0.02, 0.05  # s of silence around the pulses
REACH = 64  # samples that a band-limited impulse extends to either side


def harmonic_tone(f0: np.ndarray, sr: int, *, harmonics: range = range(1, 41), top: float = 4000.0) -> np.ndarray:
    """Return harmonics of falling amplitude, those below `top` Hz, float32; `f0` is the pitch in Hz at each sample."""
    phase = 2 * np.pi * np.cumsum(f0) / sr
    top = min(top, 0.45 * sr)
    tone = sum(np.cos(number * phase) / number * (number * f0 < top) for number in harmonics)
    return (0.3 * tone / np.abs(tone).max()).astype(np.float32)


def voice(
    f0: float = 120.0,
    *,
    sr: int = 16000,
    seconds: float = 1.5,
    jitter: float = 0.0,
    shimmer: float = 0.0,
    hnr: float | None = None,
    resonances: tuple[tuple[float, float], ...] = DAMPED,
    corner: float = 270.0,
) -> np.ndarray:
    """Return a sustained vowel, float32: pulses passed through a low-pass and resonators, and noise.

    Parameters
    ----------
    f0, sr, seconds
        Hz, Hz, s.
    jitter : float
        Mean difference of consecutive periods, relative to the mean period.
    shimmer : float
        Mean difference of the gains of consecutive pulses, dB.
    hnr : float, optional
        Level of the voice above white noise, dB.
    resonances : pairs of frequency and bandwidth, Hz
    corner : float
        Hz, above which the pulses fall by 6 dB an octave.
    """
    rng = np.random.default_rng(0)
    # Two independent signs differ by 1 on average.
    periods = (1 + jitter * rng.choice([-1.0, 1.0], int(seconds * f0))) / f0
    gains = 10 ** (shimmer * rng.choice([-1.0, 1.0], len(periods)) / 20)
    source = lfilter([1.0], [1.0, -np.exp(-2 * np.pi * corner / sr)], pulses(periods, gains, sr))
    y = resonate(source, resonances, sr)
    if hnr is not None:
        y = y + np.sqrt(np.mean(y**2) / 10 ** (hnr / 10)) * rng.standard_normal(len(y))
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def whisper(seed: int = 0, *, sr: int = 16000, seconds: float = 1.5) -> np.ndarray:
    """Return a whispered vowel, float32: noise that rises by 6 dB an octave through wide resonances.

    The glottis is open, which damps the first resonance (Swerdlin, Smith & Wolfe 2010, JASA 127(4)).
    """
    noise = np.diff(np.random.default_rng(seed).standard_normal(round(seconds * sr) + 1))
    y = resonate(noise, ((650.0, 250.0), *DAMPED[1:]), sr)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def add_noise(y: np.ndarray, snr: float) -> np.ndarray:
    """Return a signal with white noise `snr` dB below it."""
    return y + np.sqrt(np.mean(y**2) / 10 ** (snr / 10)) * np.random.default_rng(0).standard_normal(len(y))


def pulses(periods: np.ndarray, gains: np.ndarray, sr: int) -> np.ndarray:
    """Return band-limited impulses at the given distances (s), which may have fractions of a sample."""
    times = BEFORE + np.cumsum(periods)
    y = np.zeros(round((times[-1] + AFTER) * sr))
    around = np.arange(-REACH, REACH + 1)
    taper = np.cos(np.pi * around / (2 * REACH + 2)) ** 2
    for time, gain in zip(times * sr, gains, strict=True):
        at = round(time)
        y[at - REACH : at + REACH + 1] += gain * taper * np.sinc(0.9 * (around + at - time))
    return y


def resonate(y: np.ndarray, resonances: tuple[tuple[float, float], ...], sr: int) -> np.ndarray:
    """Pass a signal through two-pole resonators of given frequencies and bandwidths (Hz), one after another."""
    for frequency, bandwidth in resonances:
        radius = np.exp(-np.pi * bandwidth / sr)
        a = [1.0, -2 * radius * np.cos(2 * np.pi * frequency / sr), radius**2]
        y = lfilter([sum(a)], a, y)
    return y
