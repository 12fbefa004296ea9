"""From a recording to clean mono audio: remove offset, resample, denoise, trim, normalise."""

from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

import numpy as np
import soxr

from ser.audio.decoding import LOUDEST_DB, UnusableAudioError, decode
from ser.storage.recorded_level import RecordedLevel, measure_level
from ser.storage.samples import amplitude, to_float, to_int16

__all__ = [
    "AudioSettings",
    "CleanClip",
    "UnusableAudioError",
    "amplitude",
    "clean",
    "load_clip",
    "to_float",
    "to_int16",
]

SILENCE_DB = -80.0  # dBFS; a clip whose loudest sample is below is silent: amplifying it would amplify its noise
LOUDNESS_SECONDS = 0.4  # of a block of the gate (ITU-R BS.1770-4); a shorter clip is one block
LOUDNESS_FILTER = "DeMan"  # the filters of the recommendation; pyloudnorm's own are built from rounded frequencies
TRIM_BLOCK = 512  # samples; the level is that of four blocks (librosa's defaults)


class AudioSettings(Protocol):
    """The audio keys of the ``prepare`` section of the parameters."""

    sample_rate: int
    remove_dc: bool
    denoise_db: float | None
    trim_db: float | None
    normalize: str
    peak_db: float
    rms_db: float
    loudness_lufs: float
    fixed_samples: int | None
    min_seconds: float
    max_seconds: float


class CleanClip(NamedTuple):
    """What training and prediction work on.

    Attributes
    ----------
    samples : np.ndarray of int16, shape (samples,)
        Mono at the ``sample_rate`` of the settings.
    level : RecordedLevel
        Of the clip before it was normalised.
    start : int
        How many samples of silence were cut off before them.
    """

    samples: np.ndarray
    level: RecordedLevel
    start: int = 0


def load_clip(file: Path | str | BinaryIO, settings: AudioSettings) -> np.ndarray:
    """Read one file, by its path or open, and make it what training and prediction work on.

    Returns
    -------
    np.ndarray of int16, shape (samples,)
        Mono at ``settings.sample_rate``.

    Raises
    ------
    UnusableAudioError
        See `ser.audio.decoding.decode` and `clean`.
    """
    recording = decode(file, max_seconds=settings.max_seconds)
    return clean(recording.y, recording.sample_rate, settings).samples


def clean(y: np.ndarray, sr: int, settings: AudioSettings) -> CleanClip:
    """Remove the offset, resample, reduce noise, trim, normalise and bring to a fixed length, each if asked for.

    The order is that of what needs what: an offset would ring at the ends when resampled; noise is known best from the
    pauses that trimming removes, and trimming finds the ends of speech better without it; the level is that of what is
    left, measured before it is normalised.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
    sr : int
        Hz.
    settings : AudioSettings

    Raises
    ------
    UnusableAudioError
        If the clip is silent, or too short after trimming.
    """
    _require_audible(y)
    if settings.remove_dc:
        # the mean and no high-pass filter: it is exact, has no transient at the ends and leaves deep voices alone
        y = y - y.mean(dtype=np.float64).astype(y.dtype)
        _require_audible(y)
    if sr != settings.sample_rate:
        y = soxr.resample(y, sr, settings.sample_rate)
        _require_audible(y)  # all there was may have lain above what the new rate can hold
    if settings.denoise_db is not None:
        from ser.audio.denoising import denoise  # imports scipy.signal, which takes a second in every worker process

        y = denoise(y, settings.sample_rate, settings.denoise_db)
        _require_audible(y)
    start, end = (0, len(y)) if settings.trim_db is None else loud_part(y, settings.trim_db)
    y = y[start:end]
    if len(y) < settings.min_seconds * settings.sample_rate:
        seconds = len(y) / settings.sample_rate
        raise UnusableAudioError(
            f"too short: {seconds:.2f} s after trimming, at least {settings.min_seconds:g} s wanted"
        )
    level = measure_level(y, settings.sample_rate)
    y = normalize(y, settings)
    if settings.fixed_samples is not None:
        y = np.pad(y[: settings.fixed_samples], (0, max(0, settings.fixed_samples - len(y))))
    return CleanClip(to_int16(y), level, start)


def trim(y: np.ndarray, top_db: float) -> np.ndarray:
    """Cut off the ends that are more than `top_db` below the loudest frame, as `librosa.effects.trim` does.

    Written anew because librosa compiles on import, in every worker process of a fresh installation.
    """
    start, end = loud_part(y, top_db)
    return y[start:end]


def loud_part(y: np.ndarray, top_db: float) -> tuple[int, int]:
    """Return where what `trim` leaves begins and ends, samples."""
    blocks = y[: len(y) // TRIM_BLOCK * TRIM_BLOCK].reshape(-1, TRIM_BLOCK)
    rest = y[blocks.size :]
    energy = np.zeros(len(blocks) + 5)  # two on either side, and what is left of a block
    energy[2:-3] = np.vecdot(blocks, blocks)
    energy[-3] = np.vdot(rest, rest)
    level = (energy[:-3] + energy[1:-2] + energy[2:-1] + energy[3:])[: 1 + len(y) // TRIM_BLOCK]
    loud = np.flatnonzero(level > level.max() * amplitude(-top_db) ** 2)
    return int(loud[0]) * TRIM_BLOCK, min(int(loud[-1] + 1) * TRIM_BLOCK, len(y))


def _peak(y: np.ndarray) -> np.floating:
    """Return the largest magnitude, without an array of all magnitudes."""
    return np.maximum(y.max(initial=0.0), -y.min(initial=0.0))


def _require_audible(y: np.ndarray) -> None:
    peak = _peak(y)
    if peak < amplitude(SILENCE_DB):
        raise UnusableAudioError(f"silent: no sample reaches {SILENCE_DB:g} dB of full scale")
    if peak > amplitude(LOUDEST_DB):
        raise UnusableAudioError(f"no sound: samples exceed full scale by more than {LOUDEST_DB:g} dB")


def normalize(y: np.ndarray, settings: AudioSettings) -> np.ndarray:
    """Scale a clip by its peak, its root mean square or its loudness, never beyond full scale."""
    if settings.normalize == "none":
        return y
    peak = _peak(y)
    if settings.normalize == "peak":
        return y * (amplitude(settings.peak_db) / peak)
    if settings.normalize == "rms":
        gain = amplitude(settings.rms_db) / np.sqrt(np.mean(np.square(y, dtype=np.float64)))
    else:
        gain = amplitude(settings.loudness_lufs - integrated_loudness(y, settings.sample_rate))
        if not np.isfinite(gain):
            raise UnusableAudioError("silent: no loudness, only frequencies that nobody hears")
    return y * min(gain, 1.0 / peak)


def integrated_loudness(y: np.ndarray, sr: int) -> float:
    """Measure the integrated loudness of a clip as if its loudest sample were at full scale.

    The absolute gate, -70 LUFS, then leaves out the same blocks whatever the level of the recording, so that copies of
    different levels become equally loud.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
    sr : int
        Hz.

    Returns
    -------
    float
        LUFS of ``y`` itself; minus infinity for what nobody hears, such as an offset.

    References
    ----------
    ITU-R BS.1770-4 (2015). Algorithms to measure audio programme loudness and true-peak audio level.
    EBU R 128 (2023). Loudness normalisation and permitted maximum level of audio signals.
    """
    import pyloudnorm  # imports scipy.signal, which takes a second in every worker process

    peak = np.abs(y).max()
    block = min(LOUDNESS_SECONDS, (len(y) - 0.5) / sr)  # half a sample less: a block must not be longer than the clip
    meter = pyloudnorm.Meter(sr, filter_class=LOUDNESS_FILTER, block_size=block)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(meter.integrated_loudness(y.astype(np.float64) / peak) + 20 * np.log10(peak))
