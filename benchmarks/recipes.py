"""What is compared: whole recipes from a file to one vector; mel bands and changes of a clip in memory."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import soundfile
import soxr

from ser.audio.cleaning import clean, to_float
from ser.audio.decoding import decode
from ser.augmentation.changed_copies import augment
from ser.features.extraction import INPUTS, spectrum
from ser.settings.all_sections import Params

SETS = ("mean", "compact", "full")
RATE = 16000  # Hz, of the floor
FRAME, HOP = 400, 160  # samples, 25 and 10 ms at that rate
BANDS = 80  # what asrfront knows
SEMITONES, FACTOR = 2.0, 1.1  # what clips are changed by, of librosa as of ours: small changes cost ours less


def file_recipes(params: Params) -> dict[str, Callable[[Path], np.ndarray]]:
    """Return the recipes by name; those of openSMILE only if it is installed.

    Parameters
    ----------
    params : Params
        Ours are computed with its ``prepare`` and ``extract``, but for the set of functionals.
    """
    recipes: dict[str, Callable] = {"floor": floor, "librosa": naive_librosa}
    for name in SETS:
        settings = params.extract.functionals.model_copy(update={"set": name})
        recipes[name] = partial(functional_set, params=params, settings=settings)
    try:
        import opensmile
    except ImportError:
        print("openSMILE is left out: not installed (`make bench` installs it)")
        return recipes
    for name in ("eGeMAPSv02", "ComParE_2016"):
        smile = opensmile.Smile(opensmile.FeatureSet[name], opensmile.FeatureLevel.Functionals)
        recipes[name] = partial(open_smile, smile=smile)
    return recipes


def floor(path: Path) -> np.ndarray:
    """Do what no recipe can do without: decode, resample, and transform every frame once."""
    y, sr = read_mono(path)
    if sr != RATE:
        y = soxr.resample(y, sr, RATE)
    frames = np.lib.stride_tricks.sliding_window_view(y, FRAME)[::HOP]
    return scipy.fft.rfft(frames, axis=1)


def naive_librosa(path: Path) -> np.ndarray:
    """Average 40 MFCC, 12 chroma and 128 mel bands, each from an STFT of its own, at the rate of the file.

    The ``extract_feature`` that most public repositories on RAVDESS share. They read at the native rate (as here) or,
    fewer of them, at librosa's default of 22,050 Hz.
    """
    y, sr = librosa.load(path, sr=None)
    chroma = librosa.feature.chroma_stft(S=np.abs(librosa.stft(y)), sr=sr)
    mfcc = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=40)
    mel = librosa.feature.melspectrogram(y=y, sr=sr)
    return np.concatenate([descriptor.mean(axis=1) for descriptor in (mfcc, chroma, mel)])


def functional_set(path: Path, params: Params, settings) -> np.ndarray:
    """Compute one of our sets of functionals, of the clip as `prepare` would store it."""
    recording = decode(path, max_seconds=params.prepare.max_seconds)
    y, level, _ = clean(recording.y, recording.sample_rate, params.prepare)
    sizes = {"n_fft": params.extract.n_fft, "hop_length": params.extract.hop_length}
    clip = spectrum(to_float(y), params.prepare.sample_rate, level=level, **sizes)
    return INPUTS["functionals"](clip, settings)


def open_smile(path: Path, smile) -> np.ndarray:
    """Compute a set of openSMILE at the rate of the file."""
    y, sr = read_mono(path)
    return smile.process_signal(y, sr).to_numpy()[0]


def read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Read a file as float32 of shape (samples,), and its rate in Hz."""
    y, sr = soundfile.read(path, dtype="float32", always_2d=True)
    return y.mean(axis=1), sr


def band_recipes(params: Params) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return the ways from samples to a sequence of 80 mel bands, or of the MFCC of them, by name.

    asrfront, if it is installed, makes the input of Whisper: frames of 400 samples, always at 16 kHz and every 10 ms.
    """
    logmel = params.extract.logmel.model_copy(update={"n_mels": BANDS})
    mfcc = params.extract.frames.model_copy(update={"groups": ["mfcc"], "n_mels": BANDS, "deltas": 0})
    recipes: dict[str, Callable] = {
        "log-mel": partial(sequence, kind="logmel", n_fft=params.extract.n_fft, params=params, settings=logmel),
        "log-mel of 400": partial(sequence, kind="logmel", n_fft=FRAME, params=params, settings=logmel),
        "mfcc": partial(sequence, kind="frames", n_fft=params.extract.n_fft, params=params, settings=mfcc),
    }
    if params.prepare.sample_rate != RATE:
        print("asrfront is left out: it knows 16 kHz only")
        return recipes
    try:
        from asrfront import whisper
    except ImportError:
        print("asrfront is left out: not installed (`make bench` installs it)")
        return recipes
    recipes["asrfront"] = partial(whisper.log_mel, n_mels=BANDS, pad_or_trim=False)
    return recipes


def sequence(y: np.ndarray, kind: str, n_fft: int, params: Params, settings) -> np.ndarray:
    """Compute one of our sequences of frames, as `extract` does if it is the only input."""
    clip = spectrum(y, params.prepare.sample_rate, n_fft=n_fft, hop_length=params.extract.hop_length)
    return INPUTS[kind](clip, settings)


def change_recipes(params: Params) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return the changes of a clip in memory by name."""
    sr = params.prepare.sample_rate
    recipes: dict[str, Callable] = {
        "librosa pitch": lambda y: librosa.effects.pitch_shift(y, sr=sr, n_steps=SEMITONES),
        "librosa stretch": lambda y: librosa.effects.time_stretch(y, rate=FACTOR),
    }
    settings = params.augment.model_copy(
        update={"semitones": [SEMITONES] * 2, "stretch": [FACTOR] * 2, "speed": [FACTOR] * 2}
    )
    for kind in ("pitch", "stretch", "speed"):
        recipes[kind] = partial(change_clip, sr=sr, kind=kind, settings=settings)
    return recipes


def change_clip(y: np.ndarray, sr: int, kind: str, settings) -> np.ndarray:
    """Change a clip as `augment` does."""
    return augment(y, sr, kind, settings, np.random.default_rng(1))[0]
