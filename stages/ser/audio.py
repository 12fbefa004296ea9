"""From a file to clean mono audio: decode, resample, trim, normalise."""

from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

SILENCE_DB = -80.0  # dBFS; a clip whose loudest sample is below is silent: amplifying it would amplify its noise
LOUDEST_DB = 60.0  # dBFS; float files may exceed full scale, but none that holds sound by this much
TRIM_BLOCK = 512  # samples; the level is that of four blocks (librosa's defaults)
UNKNOWN_LENGTH = 2**63 - 1  # frames, what libsndfile says of FLAC that was written to a pipe


class UnusableAudioError(Exception):
    """Audio that cannot be used; the message is the reason for the quarantine."""


class AudioSettings(Protocol):
    """The audio keys of the ``prepare`` section of the parameters."""

    sample_rate: int
    trim_db: float | None
    normalize: str
    peak_db: float
    rms_db: float
    fixed_samples: int | None
    min_seconds: float
    max_seconds: float


def load_clip(path: Path | str, settings: AudioSettings) -> np.ndarray:
    """Read one file and make it what training and prediction work on.

    Returns
    -------
    np.ndarray of int16, shape (samples,)
        Mono at ``settings.sample_rate``.

    Raises
    ------
    UnusableAudioError
        See `decode` and `clean`.
    """
    y, sr = decode(path, max_seconds=settings.max_seconds)
    return clean(y, sr, settings)


def decode(path: Path | str, *, max_seconds: float) -> tuple[np.ndarray, int]:
    """Decode a WAV or FLAC file of any rate, depth and number of channels.

    Returns
    -------
    y : np.ndarray of float32, shape (samples,)
        The mean of the channels; full scale is 1.
    sr : int
        Hz.

    Raises
    ------
    UnusableAudioError
        If the file is empty, no audio, truncated, longer than `max_seconds`, or holds NaN, infinity or samples
        far beyond full scale.
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise UnusableAudioError("the file is empty")
    try:
        with soundfile.SoundFile(path) as file:
            promised, sr = file.frames, file.samplerate
            if promised == UNKNOWN_LENGTH:
                raise UnusableAudioError("its header states no length (FLAC written to a pipe): encode it again")
            if promised > max_seconds * sr:
                raise UnusableAudioError(f"longer than {max_seconds:g} s ({promised / sr:.1f} s)")
            y = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UnusableAudioError(f"not readable as audio: {error.error_string.strip()}") from None
    if len(y) < promised or _is_cut_riff(path):
        raise UnusableAudioError(f"truncated: the header promises more audio than the {len(y) / sr:.2f} s there are")
    if len(y) == 0:
        raise UnusableAudioError("no samples")
    if not np.isfinite(y).all():
        raise UnusableAudioError("NaN or infinite samples")
    _require_audible(y)  # before the channels are added up, which could overflow
    return y[:, 0] if y.shape[1] == 1 else y.mean(axis=1), sr


def _is_cut_riff(path: Path) -> bool:
    """Tell whether a WAV file ends before its RIFF chunk does (libsndfile silently reads what is there)."""
    with path.open("rb") as file:
        header = file.read(8)
    size = int.from_bytes(header[4:8], "little")
    streamed = size == 0 or size >= 0x7FFFF000  # written by a program that could not seek back: the size is unknown
    return header[:4] == b"RIFF" and not streamed and path.stat().st_size < size + 8


def clean(y: np.ndarray, sr: int, settings: AudioSettings) -> np.ndarray:
    """Resample, trim, normalise and, if asked for, bring to a fixed length.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
    sr : int
        Hz.
    settings : AudioSettings

    Returns
    -------
    np.ndarray of int16, shape (samples,)

    Raises
    ------
    UnusableAudioError
        If the clip is silent, or too short after trimming.
    """
    _require_audible(y)
    if sr != settings.sample_rate:
        y = soxr.resample(y, sr, settings.sample_rate)
        _require_audible(y)  # all there was may have lain above what the new rate can hold
    if settings.trim_db is not None:
        y = trim(y, settings.trim_db)
    if len(y) < settings.min_seconds * settings.sample_rate:
        seconds = len(y) / settings.sample_rate
        raise UnusableAudioError(
            f"too short: {seconds:.2f} s after trimming, at least {settings.min_seconds:g} s wanted"
        )
    y = normalize(y, settings)
    if settings.fixed_samples is not None:
        y = np.pad(y[: settings.fixed_samples], (0, max(0, settings.fixed_samples - len(y))))
    return to_int16(y)


def trim(y: np.ndarray, top_db: float) -> np.ndarray:
    """Cut off the ends that are more than `top_db` below the loudest frame, as `librosa.effects.trim` does.

    Written anew because librosa compiles on import, in every worker process of a fresh installation.
    """
    starts = np.arange(0, len(y), TRIM_BLOCK)
    energy = np.pad(np.add.reduceat(np.square(y), starts, dtype=np.float64), 2)
    level = (energy[:-3] + energy[1:-2] + energy[2:-1] + energy[3:])[: 1 + len(y) // TRIM_BLOCK]
    loud = np.flatnonzero(level > level.max() * amplitude(-top_db) ** 2)
    return y[loud[0] * TRIM_BLOCK : (loud[-1] + 1) * TRIM_BLOCK]


def amplitude(db: float) -> float:
    """Return the amplitude of a level in dB relative to full scale 1."""
    return 10 ** (db / 20)


def _require_audible(y: np.ndarray) -> None:
    peak = np.abs(y).max(initial=0.0)
    if peak < amplitude(SILENCE_DB):
        raise UnusableAudioError(f"silent: no sample reaches {SILENCE_DB:g} dB of full scale")
    if peak > amplitude(LOUDEST_DB):
        raise UnusableAudioError(f"no sound: samples exceed full scale by more than {LOUDEST_DB:g} dB")


def normalize(y: np.ndarray, settings: AudioSettings) -> np.ndarray:
    """Scale a clip by its peak or its root mean square, never beyond full scale."""
    if settings.normalize == "peak":
        return y * (amplitude(settings.peak_db) / np.abs(y).max())
    if settings.normalize == "rms":
        gain = amplitude(settings.rms_db) / np.sqrt(np.mean(np.square(y, dtype=np.float64)))
        return y * min(gain, 1.0 / np.abs(y).max())
    return y


def to_int16(y: np.ndarray) -> np.ndarray:
    """Quantise samples of full scale 1 to 16 bits, clipping what lies beyond."""
    return np.clip(np.rint(y * 32768.0), -32768, 32767).astype(np.int16)


def to_float(samples: np.ndarray) -> np.ndarray:
    """Return 16-bit samples as float32 of full scale 1."""
    return samples.astype(np.float32) / 32768.0
