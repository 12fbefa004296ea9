"""What a model reads of a recording, made just as the pipeline makes it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ser.audio.cleaning import load_clip, to_float
from ser.features.extraction import INPUTS, spectrum
from ser.prediction.model_folder import SAMPLES
from ser.storage.shards import Ragged


def model_input(file: Path, description: dict) -> np.ndarray:
    """Compute what the model reads from one file, just as the pipeline does."""
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
