"""The inputs of the models for one clip: functionals, frame sequence and log-mel spectrogram."""

import numpy as np

from ser.features.frame_sequences import frame_names, frame_sequence, log_mel_sequence
from ser.features.frames import spectrum
from ser.features.functional_sets import functional_names, functional_vector

INPUTS = {"functionals": functional_vector, "frames": frame_sequence, "logmel": log_mel_sequence}


def input_names(kind: str, sr: int, extract) -> list[str]:
    """Return the names of the columns of an input.

    Those of functionals and frames are read off a second of noise, so that they cannot differ from what is computed.

    Parameters
    ----------
    kind : {"functionals", "frames", "logmel"}
    sr : int
        Hz.
    extract : ser.settings.extract_section.Extract
    """
    settings = getattr(extract, kind)
    if kind == "logmel":
        return [f"mel_{band}" for band in range(settings.n_mels)]
    noise = np.random.default_rng(0).standard_normal(sr).astype(np.float32)
    clip = spectrum(noise, sr, n_fft=extract.n_fft, hop_length=extract.hop_length)
    return (frame_names if kind == "frames" else functional_names)(clip, settings)
