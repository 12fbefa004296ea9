"""What a model reads of a recording, made just as the pipeline makes it."""

import json
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO, NamedTuple

import numpy as np

from ser.audio.cleaning import clean
from ser.audio.decoding import decode
from ser.audio.recording_profile import profile
from ser.audio.recordings import Recording, Signal, UnusableAudioError, record
from ser.augmentation.answer_copies import answer_copy
from ser.errors import InputError
from ser.features.extraction import INPUTS
from ser.features.frames import Spectrum, spectrum
from ser.prediction.description_check import SAMPLES
from ser.storage.recorded_level import RecordedLevel
from ser.storage.samples import to_float
from ser.storage.shards import Ragged

SHORTEST = 0.3  # s of a recording that is answered, whatever a model was trained on
LEAST_SOUND = 0.1  # s of it that trimming has to leave
ROWS = "functionals"  # the kind of input that is a row of numbers for a clip; others are sequences


class Heard(NamedTuple):
    """A recording, cleaned as a model wants it.

    Attributes
    ----------
    samples : np.ndarray of int16, shape (samples,)
    level : RecordedLevel
        Before it was normalised.
    profile : np.ndarray
        What the recording sounded like before it was cleaned; see `ser.audio.recording_profile`.
    seconds : float
        s of sound that trimming has left.
    start : float
        s of silence that it has cut off before.
    different : tuple of int
        The channels, from 1, that carry different speech; `samples` is of their mean.
    """

    samples: np.ndarray
    level: RecordedLevel
    profile: np.ndarray
    seconds: float
    start: float = 0.0
    different: tuple[int, ...] = ()


def hear(recording: Path | str | BinaryIO | np.ndarray, sampling_rate: int | None, audio: dict) -> Heard:
    """Decode and clean a recording.

    Parameters
    ----------
    recording : Path, str, binary file or np.ndarray
        A file of any format, or samples of shape (samples,) or (channels, samples): floats of full scale 1, or integers
        of the full scale of their type.
    sampling_rate : int or None
        Hz, of samples; of a file None.
    audio : dict
        The settings of audio that a model was trained on. Only the shortest length is another: a short answer is better
        than none.

    Raises
    ------
    UnusableAudioError, OSError
        If it cannot be used; the message says why.
    TypeError, ValueError
        If samples come without a rate, a file with one, or samples of another shape.
    """
    settings = SimpleNamespace(**audio | {"min_seconds": LEAST_SOUND})
    heard = _recorded(recording, sampling_rate, settings.max_seconds)
    if len(heard.y) < SHORTEST * heard.sample_rate:
        seconds = len(heard.y) / heard.sample_rate
        raise UnusableAudioError(f"too short: {seconds:.2f} s, at least {SHORTEST:g} s wanted")
    samples, level, start = clean(heard.y, heard.sample_rate, settings)
    sound = profile(heard.y, heard.sample_rate, settings.sample_rate)
    sr = settings.sample_rate
    return Heard(samples, level, sound, len(samples) / sr, start / sr, heard.different)


def _recorded(
    recording: Path | str | BinaryIO | np.ndarray, sampling_rate: int | None, max_seconds: float
) -> Recording:
    if not isinstance(recording, np.ndarray):
        check_file(recording, sampling_rate)
        return decode(recording, max_seconds=max_seconds)
    if sampling_rate is None:
        raise TypeError("samples need their sampling_rate in Hz")
    channels = as_channels(recording)
    signal = Signal(sampling_rate, channels.shape[1], "samples", [channels])
    return record(lambda: nullcontext(signal), max_seconds)


def check_file(recording: Path | str | BinaryIO, sampling_rate: int | None) -> None:
    """Raise `TypeError` unless a recording that is no array is a file, which says its own rate."""
    if not isinstance(recording, Path | str) and not (hasattr(recording, "read") and hasattr(recording, "seek")):
        wanted = "wanted is a path, an open file, or samples in an array"
        raise TypeError(f"the recording is of the type {type(recording).__name__}: {wanted}")
    if sampling_rate is not None:
        raise TypeError("sampling_rate goes with samples: a file says its own")


def name_of(recording: Path | str | BinaryIO | np.ndarray) -> str:
    """Return what a recording is called, without its folder."""
    if isinstance(recording, np.ndarray):
        return "samples"
    return Path(recording if isinstance(recording, Path | str) else str(getattr(recording, "name", "recording"))).name


def as_channels(samples: np.ndarray) -> np.ndarray:
    """Return samples of shape (samples,) or (channels, samples) as float32 of shape (samples, channels), full scale 1.

    Raises
    ------
    ValueError
        If they have another shape, or are no numbers.
    """
    channels = np.atleast_2d(samples)
    if channels.ndim != 2 or not 1 <= len(channels) <= max(1, channels.shape[1]):
        raise ValueError(f"samples have the shape {samples.shape}: wanted is (samples,) or (channels, samples)")
    return _of_full_scale(channels).T


def _of_full_scale(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32 of full scale 1."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused
            return samples.astype(np.float32)
    if samples.dtype.kind not in "iu":
        raise ValueError(f"samples are of the type {samples.dtype}: wanted are floats or integers")
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    return ((samples - (half if samples.dtype.kind == "u" else 0.0)) / half).astype(np.float32)


def with_copies(heard: Heard, copies: list[str], sample_rate: int) -> list[Heard]:
    """Return a recording, and the changed copies of it that a model answers by; see `ser.augmentation.answer_copies`.

    Parameters
    ----------
    heard : Heard
    copies : list of str
    sample_rate : int
        Hz, of the samples.
    """
    return [heard, *(heard._replace(samples=answer_copy(heard.samples, sample_rate, text)) for text in copies)]


def model_inputs(heard: Heard, wanted: list[dict]) -> list[np.ndarray]:
    """Return what models read of a recording, what several have in common computed once.

    Parameters
    ----------
    heard : Heard
    wanted : list of dict
        The ``input`` of each model's description: its kind, and the settings of features it was trained on.

    Returns
    -------
    list of np.ndarray
        Functionals (columns,), frames (frames, columns) or int16 samples.

    Raises
    ------
    InputError
        If a setting is missing.
    """
    spectra: dict[tuple, Spectrum] = {}
    found: dict[str, np.ndarray] = {}
    inputs = []
    for description in wanted:
        key = json.dumps([description["kind"], description.get("extract")])
        if key not in found:
            try:
                found[key] = _input(heard, description, spectra)
            except AttributeError as error:  # of the settings, which are attributes here
                if not isinstance(error.obj, SimpleNamespace):
                    raise
                remedy = "`dvc pull` or train the model again"
                raise InputError(f"model.json lacks the setting {error.name}: {remedy}") from None
        inputs.append(found[key])
    return inputs


def features_of_samples(samples: np.ndarray, sampling_rate: int, description: str) -> np.ndarray:
    """Return what one model reads of samples; for programs that run its exported graph, such as audonnx.

    Parameters
    ----------
    samples, sampling_rate
        See `hear`.
    description : str
        The ``input`` of the model's description as JSON. It may name ``copies``: then it is read of these, one below
        the other, of which an empty text is the recording itself.
    """
    wanted = json.loads(description)
    heard, sr = hear(samples, sampling_rate, wanted["audio"]), wanted["audio"]["sample_rate"]
    versions = (with_copies(heard, [text], sr)[-1] if text else heard for text in wanted.get("copies", [""]))
    read = [model_inputs(version, [wanted])[0] for version in versions]
    return read[0] if len(read) == 1 else np.stack(read)


def by_name(kinds: list[str], versions: list[list[np.ndarray]]) -> dict[str, np.ndarray]:
    """Return what models read of a recording and of its copies, by the names that it has in an exported graph.

    Parameters
    ----------
    kinds : list of str
        What each model reads.
    versions : list of list of np.ndarray
        Of the recording, and of each copy, what the models read.
    """
    found: dict[str, np.ndarray] = {}
    for place, kind in enumerate(kinds):
        own = [np.atleast_2d(version[place]) for version in versions]
        found |= dict(
            zip(graph_inputs(kind, len(own) - 1), own if kind != ROWS else [np.concatenate(own)], strict=True)
        )
    return found


def graph_inputs(kind: str, copies: int) -> list[str]:
    """Return the names of what an exported graph reads of a kind: functionals are rows of one, sequences several."""
    return [kind] if kind == ROWS else [kind, *(f"{kind}_copy_{number}" for number in range(1, copies + 1))]


def _input(heard: Heard, description: dict, spectra: dict[tuple, Spectrum]) -> np.ndarray:
    kind = description["kind"]
    if kind in SAMPLES:
        return heard.samples
    extract = description["extract"]
    sizes = extract["n_fft"], extract["hop_length"]
    if sizes not in spectra:
        y, sr = to_float(heard.samples), description["audio"]["sample_rate"]
        spectra[sizes] = spectrum(y, sr, n_fft=sizes[0], hop_length=sizes[1], level=heard.level)
    return INPUTS[kind](spectra[sizes], SimpleNamespace(**extract[kind]))


def stacked(inputs: list[np.ndarray], kind: str) -> np.ndarray | Ragged:
    """Put functionals below one another; sequences of frames or samples keep their own lengths."""
    if kind == ROWS:
        return np.stack(inputs)
    lengths = np.array([len(frames) for frames in inputs])
    index = np.stack([np.zeros_like(lengths), np.cumsum(lengths) - lengths, lengths], axis=1)
    return Ragged([np.concatenate(inputs)], index)
