"""What a model reads of a recording, made just as the pipeline makes it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ser.audio.cleaning import load_clip, to_float
from ser.errors import InputError
from ser.features.extraction import INPUTS
from ser.features.frames import spectrum
from ser.prediction.model_folder import SAMPLES
from ser.storage.shards import Ragged


def model_input(file: Path, description: dict) -> np.ndarray:
    """Compute what the model reads from one file, just as the pipeline does.

    Parameters
    ----------
    file : Path
    description : dict
        The ``input`` of the model's description: its kind, and the settings of audio and features it was trained on.

    Raises
    ------
    UnusableAudioError, OSError
        If the file cannot be used.
    InputError
        If a setting is missing.
    """
    try:
        return _computed(file, description)
    except AttributeError as error:  # of the settings, which are attributes here
        if not isinstance(error.obj, SimpleNamespace):
            raise
        raise InputError(f"model.json lacks the setting {error.name}: `dvc pull` or train the model again") from None


def _computed(file: Path, description: dict) -> np.ndarray:
    audio, kind = SimpleNamespace(**description["audio"]), description["kind"]
    samples = load_clip(file, audio)
    if kind in SAMPLES:
        return samples
    extract = description["extract"]
    clip = spectrum(to_float(samples), audio.sample_rate, n_fft=extract["n_fft"], hop_length=extract["hop_length"])
    return INPUTS[kind](clip, SimpleNamespace(**extract[kind]))


def stacked(inputs: list[np.ndarray], kind: str) -> np.ndarray | Ragged:
    """Put functionals below one another; sequences of frames or samples keep their own lengths."""
    if kind == "functionals":
        return np.stack(inputs)
    lengths = np.array([len(frames) for frames in inputs])
    index = np.stack([np.zeros_like(lengths), np.cumsum(lengths) - lengths, lengths], axis=1)
    return Ragged([np.concatenate(inputs)], index)
