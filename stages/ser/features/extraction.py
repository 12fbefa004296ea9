"""The inputs of the models for one clip: functionals, frame sequence and log-mel spectrogram."""

from typing import NamedTuple

import numpy as np

from ser.features import prosody, spectral
from ser.features.functionals import functional_names, functionals


class Spectrum(NamedTuple):
    """A clip and its power spectrogram, which all descriptors are computed from.

    Attributes
    ----------
    y : np.ndarray of float32, shape (samples,)
    power : np.ndarray of float32, shape (1 + n_fft / 2, frames)
    sr : int
        Hz.
    n_fft, hop_length : int
        Samples.
    """

    y: np.ndarray
    power: np.ndarray
    sr: int
    n_fft: int
    hop_length: int


def spectrum(y: np.ndarray, sr: int, *, n_fft: int, hop_length: int) -> Spectrum:
    """Transform a clip once, for all the inputs that are wanted of it."""
    power = spectral.power_spectrogram(y, n_fft=n_fft, hop_length=hop_length)
    return Spectrum(y, power, sr, n_fft, hop_length)


def functional_vector(clip: Spectrum, settings) -> np.ndarray:
    """Return the statistics of all descriptors over the frames of speech, float32 of shape (features,).

    Pauses, frames more than ``silence_db`` below the loudest, tell of the room and not of the voice.
    `settings` is ``extract.functionals``.
    """
    descriptors = np.stack(list(frame_descriptors(clip, settings).values()))
    level = spectral.energy(clip.power, n_fft=clip.n_fft)
    return functionals(descriptors[:, level >= level.max() - settings.silence_db], settings.statistics).astype(
        np.float32
    )


def frame_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return MFCC and their derivatives frame by frame, float32 of shape (frames, n_mfcc * (1 + deltas)).

    `settings` is ``extract.frames``.
    """
    mel = spectral.log_mel(clip.power, sr=clip.sr, n_mels=settings.n_mels)
    coefficients = spectral.mfcc(mel, n_mfcc=settings.n_mfcc)
    deltas = [spectral.derivative(coefficients, order=order) for order in range(1, settings.deltas + 1)]
    return np.concatenate([coefficients, *deltas]).T.astype(np.float32)


def log_mel_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return the log-mel spectrogram in dB, float32 of shape (frames, n_mels); settings: ``extract.logmel``."""
    return spectral.log_mel(clip.power, sr=clip.sr, n_mels=settings.n_mels).T.astype(np.float32)


INPUTS = {"functionals": functional_vector, "frames": frame_sequence, "logmel": log_mel_sequence}


def frame_descriptors(clip: Spectrum, settings) -> dict[str, np.ndarray]:
    """Return the descriptors that the functionals summarise, by name, each of shape (frames,)."""
    y, power, sr, n_fft, hop_length = clip
    mel = spectral.log_mel(power, sr=sr, n_mels=settings.n_mels)
    descriptors: dict[str, np.ndarray] = {}
    for group in settings.groups:
        if group == "mfcc":
            descriptors |= _numbered("mfcc", spectral.mfcc(mel, n_mfcc=settings.n_mfcc))
        elif group == "chroma":
            descriptors |= _numbered("chroma", spectral.chroma(power, sr=sr))
        elif group == "mel":
            descriptors |= _numbered("mel", mel)
        elif group == "spectral":
            descriptors |= spectral.spectral_shape(y, power, sr=sr, n_fft=n_fft, hop_length=hop_length)
        elif group == "energy":
            descriptors["rms"] = spectral.energy(power, n_fft=n_fft)
        elif group == "pitch":
            descriptors["f0"] = prosody.f0_semitones(y, sr=sr, hop_length=hop_length)
    if settings.deltas:
        deltas = spectral.derivative(np.stack(list(descriptors.values())))
        descriptors |= {f"{name}_delta": delta for name, delta in zip(descriptors, deltas, strict=True)}
    return descriptors


def input_names(kind: str, sr: int, extract) -> list[str]:
    """Return the names of the columns of an input.

    Those of the functionals are read off a second of noise, so that they cannot differ from what is computed.

    Parameters
    ----------
    kind : {"functionals", "frames", "logmel"}
    sr : int
        Hz.
    extract : ser.params.Extract
    """
    settings = getattr(extract, kind)
    if kind == "logmel":
        return [f"mel_{band}" for band in range(settings.n_mels)]
    if kind == "frames":
        suffixes = ["", "_delta", "_delta_2"][: settings.deltas + 1]
        return [f"mfcc_{number}{suffix}" for suffix in suffixes for number in range(settings.n_mfcc)]
    noise = np.random.default_rng(0).standard_normal(sr).astype(np.float32)
    clip = spectrum(noise, sr, n_fft=extract.n_fft, hop_length=extract.hop_length)
    return functional_names(list(frame_descriptors(clip, settings)), settings.statistics)


def _numbered(name: str, descriptors: np.ndarray) -> dict[str, np.ndarray]:
    return {f"{name}_{number}": values for number, values in enumerate(descriptors)}
