"""Inputs that keep the course of time: one vector a frame."""

import numpy as np

from ser.features import pitch, spectral
from ser.features.descriptors import REFERENCE_F0, STAND_IN_F0, whole_spectrum
from ser.features.frames import Spectrum


def frame_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return descriptors and their derivatives frame by frame, float32 of shape (frames, columns).

    Parameters
    ----------
    clip : Spectrum
    settings : ser.settings.extract_section.Frames
        The ``extract.frames`` section of the parameters.
    """
    parts = [np.array(list(contours(clip, settings).values()), dtype=np.float32)]
    for _ in range(settings.deltas):
        parts.append(spectral.delta(parts[-1]))
    return np.ascontiguousarray(np.concatenate(parts).T)


def frame_names(clip: Spectrum, settings) -> list[str]:
    """Return the names of the columns of `frame_sequence`, the same for every clip; such as ``mfcc_0_delta``."""
    names = list(contours(clip, settings))
    return [name + "_delta" * order for order in range(settings.deltas + 1) for name in names]


def contours(clip: Spectrum, settings) -> dict[str, np.ndarray]:
    """Return the descriptors of ``extract.frames.groups`` by name, each of shape (frames,)."""
    groups = set(settings.groups)
    found: dict[str, np.ndarray] = {}
    if "mfcc" in groups:
        log_mel = spectral.power_to_db(spectral.mel(clip.power, sr=clip.sr, n_mels=settings.n_mels))
        coefficients = spectral.mfcc(log_mel, n_mfcc=settings.n_mfcc)
        found |= {f"mfcc_{number}": column for number, column in enumerate(coefficients.T)}
    if groups - {"mfcc", "pitch"}:
        level = spectral.power_to_db(spectral.rms(clip.power) ** 2)
        found |= whole_spectrum(clip, settings, groups - {"mfcc"}, level)
    if "pitch" in groups:
        _, track = pitch.pitch_of(clip)
        found |= {"f0": continuous_f0(track.f0), "voicing": track.voicing}
    return found


def continuous_f0(f0: np.ndarray) -> np.ndarray:
    """Return a pitch track in semitones above 27.5 Hz, with lines over its gaps (where ``f0`` is 0), float32.

    A network that reads every frame would take the gaps for very low voices. Without any voiced frame it is level.
    """
    voiced = np.flatnonzero(f0 > 0)
    heights = f0[voiced] if len(voiced) else np.array([STAND_IN_F0])
    semitones = 12 * np.log2(heights / np.float32(REFERENCE_F0))
    places = voiced if len(voiced) else np.array([0])
    return np.interp(np.arange(len(f0)), places, semitones).astype(np.float32)


def log_mel_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return the log-mel spectrogram in dB, float32 of shape (frames, n_mels); settings: ``extract.logmel``."""
    return spectral.power_to_db(spectral.mel(clip.power, sr=clip.sr, n_mels=settings.n_mels))
