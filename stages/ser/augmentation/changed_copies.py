"""Changed copies of clips to learn from, drawn at random."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ser.augmentation.added_noise import pink_noise, recorded_noise, white_noise
from ser.augmentation.channel import reverberate, telephone
from ser.augmentation.copy_levels import match_power, within_full_scale
from ser.augmentation.noise_and_room_files import Recording, read_recordings
from ser.augmentation.time_scale import change_time_scale, nearest_semitones
from ser.storage.samples import amplitude

SAME_LEVEL = {"speed", "stretch", "pitch", "room", "telephone"}  # kinds whose copies have the power of their clips


class AugmentSettings(Protocol):
    """The ``augment`` section of the parameters."""

    copies: int
    kinds: Sequence[str]
    noise: Sequence[str]
    noise_folder: str
    snr_db: Sequence[float]
    speed: Sequence[float]
    stretch: Sequence[float]
    semitones: Sequence[float]
    shift_seconds: float
    gain_db: Sequence[float]
    room_folder: str
    telephone_hz: Sequence[float]


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
    kind : {"noise", "speed", "stretch", "pitch", "shift", "gain", "room", "telephone"}
    settings : AugmentSettings
        The ranges that the strength of the change is drawn from.
    rng : np.random.Generator

    Returns
    -------
    copy : np.ndarray of float32
        Never louder than full scale.
    recipe : str
        What was done, such as ``noise white 17.3 dB``; its first word is the kind.

    Raises
    ------
    InputError
        If the recordings that the change needs cannot be read.
    """
    copy, recipe = _change(y, sr, kind, settings, rng)
    if kind in SAME_LEVEL:
        copy = match_power(copy, y)
    return within_full_scale(copy), recipe


def _change(
    y: np.ndarray, sr: int, kind: str, settings: AugmentSettings, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    if kind == "noise":
        noise, name = draw_noise(len(y), sr, settings, rng)
        snr_db = rng.uniform(*settings.snr_db)
        return add_noise(y, noise, snr_db), f"noise {name} {snr_db:.1f} dB"
    if kind == "speed":
        factor = rng.uniform(*settings.speed)
        return change_time_scale(y, sr, kind, factor), f"speed {factor:.3f}"
    if kind == "stretch":
        factor = rng.uniform(*settings.stretch)
        return change_time_scale(y, sr, kind, factor), f"stretch {factor:.3f}"
    if kind == "pitch":
        semitones = nearest_semitones(rng.uniform(*settings.semitones))
        return change_time_scale(y, sr, kind, semitones), f"pitch {semitones:+.2f} semitones"
    if kind == "shift":
        seconds = rng.uniform(-settings.shift_seconds, settings.shift_seconds)
        return shift_time(y, sr, seconds), f"shift {seconds:+.3f} s"
    if kind == "gain":
        gain_db = min(rng.uniform(*settings.gain_db), headroom_db(y))
        return y * amplitude(gain_db), f"gain {gain_db:+.1f} dB"
    if kind == "room":
        rooms = room_responses(sr, settings)
        name, response = rooms[rng.integers(len(rooms))]
        return reverberate(y, response), f"room {name}"
    if kind == "telephone":
        low, high = settings.telephone_hz
        return telephone(y, sr, (low, high)), f"telephone {low:g}-{high:g} Hz"
    allowed = "noise, speed, stretch, pitch, shift, gain, room and telephone"
    raise ValueError(f"kind is {kind!r}; allowed are {allowed}")


def require_recordings(sr: int, settings: AugmentSettings) -> None:
    """Read the recordings that the settings ask for, so that a missing one stops the run before any work is done.

    Raises
    ------
    InputError
        See `ser.augmentation.noise_and_room_files.read_recordings`.
    """
    if "noise" in settings.kinds and "folder" in settings.noise:
        noise_recordings(sr, settings)
    if "room" in settings.kinds:
        room_responses(sr, settings)


def noise_recordings(sr: int, settings: AugmentSettings) -> tuple[Recording, ...]:
    return read_recordings(settings.noise_folder, sr, "augment.noise_folder", mix=True)


def room_responses(sr: int, settings: AugmentSettings) -> tuple[Recording, ...]:
    return read_recordings(settings.room_folder, sr, "augment.room_folder", mix=False)


def draw_noise(samples: int, sr: int, settings: AugmentSettings, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Draw one of the noises listed in the settings: float32 of any power, shape (samples,), and its name."""
    source = settings.noise[rng.integers(len(settings.noise))]
    if source == "white":
        return white_noise(samples, rng), source
    if source == "pink":
        return pink_noise(samples, sr, rng), source
    return recorded_noise(samples, noise_recordings(sr, settings), rng)


def add_noise(y: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Add noise at a signal-to-noise ratio in dB (mean power of the clip over that of the noise)."""
    return y + match_power(noise, y) * amplitude(-snr_db)


def shift_time(y: np.ndarray, sr: int, seconds: float) -> np.ndarray:
    """Put silence before the clip (positive `seconds`) or after it (negative)."""
    silence = np.zeros(round(abs(seconds) * sr), dtype=y.dtype)
    return np.concatenate([silence, y] if seconds > 0 else [y, silence])


def headroom_db(y: np.ndarray) -> float:
    """Return the gain that takes the loudest sample to full scale, dB; infinite for silence."""
    peak = float(np.abs(y).max())
    return -20.0 * math.log10(peak) if peak > 0.0 else math.inf
