"""Changed copies of clips, for training only."""

from typing import Protocol

import librosa
import numpy as np
import soxr


class AugmentSettings(Protocol):
    """The ``augment`` section of the parameters."""

    copies: int
    kinds: list[str]
    snr_db: list[float]
    speed: list[float]
    semitones: list[float]
    shift_seconds: float


def draw_kinds(settings: AugmentSettings, rng: np.random.Generator) -> list[str]:
    """Draw the kind of each copy of a clip; none repeats before all have been used."""
    rounds = -(-settings.copies // len(settings.kinds))
    return [kind for _ in range(rounds) for kind in rng.permutation(settings.kinds).tolist()][: settings.copies]


def augment(
    y: np.ndarray, sr: int, kind: str, settings: AugmentSettings, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Make one changed copy of a clip.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
    sr : int
        Hz.
    kind : {"noise", "speed", "pitch", "shift"}
    settings : AugmentSettings
        The ranges that the strength of the change is drawn from.
    rng : np.random.Generator

    Returns
    -------
    copy : np.ndarray of float32
        Never louder than full scale.
    recipe : str
        What was done, such as ``noise 17.3 dB``.
    """
    if kind == "noise":
        snr_db = rng.uniform(*settings.snr_db)
        copy, recipe = add_noise(y, snr_db, rng), f"noise {snr_db:.1f} dB"
    elif kind == "speed":
        factor = rng.uniform(*settings.speed)
        copy, recipe = change_speed(y, factor), f"speed {factor:.3f}"
    elif kind == "pitch":
        semitones = rng.uniform(*settings.semitones)
        copy, recipe = shift_pitch(y, sr, semitones), f"pitch {semitones:+.2f} semitones"
    elif kind == "shift":
        seconds = rng.uniform(-settings.shift_seconds, settings.shift_seconds)
        copy, recipe = shift_time(y, sr, seconds), f"shift {seconds:+.3f} s"
    else:
        raise ValueError(f"kind is {kind!r}; allowed are noise, speed, pitch and shift")
    return (copy / max(np.abs(copy).max(), 1.0)).astype(np.float32), recipe


def add_noise(y: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise at a signal-to-noise ratio in dB (mean power of the clip over that of the noise)."""
    noise = rng.standard_normal(len(y)).astype(np.float32)
    power_ratio = np.mean(y**2) / np.mean(noise**2)
    return y + noise * np.sqrt(power_ratio / librosa.db_to_power(snr_db))


def change_speed(y: np.ndarray, factor: float) -> np.ndarray:
    """Play a clip `factor` times as fast: its duration shrinks and its pitch and formants rise with it."""
    return soxr.resample(y, factor, 1.0)


def shift_pitch(y: np.ndarray, sr: int, semitones: float) -> np.ndarray:
    """Shift the pitch (and the formants), keeping the duration (phase vocoder and resampling, librosa)."""
    return librosa.effects.pitch_shift(y, sr=sr, n_steps=semitones, res_type="soxr_hq")


def shift_time(y: np.ndarray, sr: int, seconds: float) -> np.ndarray:
    """Put silence before the clip (positive `seconds`) or after it (negative)."""
    silence = np.zeros(round(abs(seconds) * sr), dtype=y.dtype)
    return np.concatenate([silence, y] if seconds > 0 else [y, silence])
