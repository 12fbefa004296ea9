"""The inputs of the models for one clip: functionals, frame sequence and log-mel spectrogram."""

import numpy as np

from ser.features import spectral
from ser.features.frames import Spectrum, spectrum
from ser.features.sets import functional_names, functional_vector


def frame_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return MFCC and their derivatives frame by frame, float32 of shape (frames, n_mfcc * (1 + deltas)).

    `settings` is ``extract.frames``.
    """
    log_mel = spectral.power_to_db(spectral.mel(clip.power, sr=clip.sr, n_mels=settings.n_mels))
    parts = [spectral.mfcc(log_mel, n_mfcc=settings.n_mfcc).T]
    for _ in range(settings.deltas):
        parts.append(spectral.delta(parts[-1]))
    return np.concatenate(parts).T.astype(np.float32)


def log_mel_sequence(clip: Spectrum, settings) -> np.ndarray:
    """Return the log-mel spectrogram in dB, float32 of shape (frames, n_mels); settings: ``extract.logmel``."""
    return spectral.power_to_db(spectral.mel(clip.power, sr=clip.sr, n_mels=settings.n_mels)).astype(np.float32)


INPUTS = {"functionals": functional_vector, "frames": frame_sequence, "logmel": log_mel_sequence}


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
        suffixes = ["_delta" * order for order in range(settings.deltas + 1)]
        return [f"mfcc_{number}{suffix}" for suffix in suffixes for number in range(settings.n_mfcc)]
    noise = np.random.default_rng(0).standard_normal(sr).astype(np.float32)
    return functional_names(spectrum(noise, sr, n_fft=extract.n_fft, hop_length=extract.hop_length), settings)
