"""What a model reads of a recording, made just as the pipeline makes it."""

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from ser.audio.cleaning import clean, to_float
from ser.audio.decoding import decode
from ser.audio.recording_profile import profile
from ser.errors import InputError
from ser.features.extraction import INPUTS
from ser.features.frames import spectrum
from ser.prediction.model_folder import SAMPLES
from ser.storage.shards import Ragged


class Heard(NamedTuple):
    """A recording as a model hears it.

    Attributes
    ----------
    values : np.ndarray
        What the model reads: functionals (columns,), frames (frames, columns) or int16 samples.
    profile : np.ndarray
        What the recording sounded like before it was cleaned; see `ser.audio.recording_profile`.
    """

    values: np.ndarray
    profile: np.ndarray


def hear(file: Path, description: dict) -> Heard:
    """Compute what the model reads from one file, just as the pipeline does, and what the file sounds like.

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


def _computed(file: Path, description: dict) -> Heard:
    audio, kind = SimpleNamespace(**description["audio"]), description["kind"]
    recording = decode(file, max_seconds=audio.max_seconds)
    samples = clean(recording.y, recording.sample_rate, audio)
    sound = profile(recording.y, recording.sample_rate, audio.sample_rate)
    if kind in SAMPLES:
        return Heard(samples, sound)
    extract = description["extract"]
    clip = spectrum(to_float(samples), audio.sample_rate, n_fft=extract["n_fft"], hop_length=extract["hop_length"])
    return Heard(INPUTS[kind](clip, SimpleNamespace(**extract[kind])), sound)


def stacked(inputs: list[np.ndarray], kind: str) -> np.ndarray | Ragged:
    """Put functionals below one another; sequences of frames or samples keep their own lengths."""
    if kind == "functionals":
        return np.stack(inputs)
    lengths = np.array([len(frames) for frames in inputs])
    index = np.stack([np.zeros_like(lengths), np.cumsum(lengths) - lengths, lengths], axis=1)
    return Ragged([np.concatenate(inputs)], index)
