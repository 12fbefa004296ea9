"""The user's own recordings that augmentation draws from: noises and room impulse responses."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from ser.errors import InputError

SUFFIXES = {".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav"}


class Recording(NamedTuple):
    """A name relative to its folder, and samples (float32, mono, not all zero)."""

    name: str
    samples: np.ndarray


@cache
def read_recordings(folder: str, sr: int, key: str, *, mix: bool) -> tuple[Recording, ...]:
    """Read all recordings of a folder and the folders below it, in the order of their names.

    They are read once a process and stay in its memory (an hour at 16 kHz takes 230 MB).

    Parameters
    ----------
    folder : str
    sr : int
        Hz, what they are resampled to.
    key : str
        The parameter that names the folder, for messages.
    mix : bool
        Whether the channels of a recording are averaged, or the first one is taken: the channels of an impulse
        response are microphones in different places, and their average is a room that is nowhere.

    Raises
    ------
    InputError
        If the folder is missing, holds no recording, or one that is unreadable or silent.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"{key} is {folder!r}: no such folder; make it and put recordings into it")
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not names:
        raise InputError(f"{key} is {folder!r}: no recordings in it ({', '.join(sorted(SUFFIXES))}); put some there")
    return tuple(Recording(name, _read(root / name, sr, key, mix=mix)) for name in names)


def _read(path: Path, sr: int, key: str, *, mix: bool) -> np.ndarray:
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        reason = getattr(error, "error_string", str(error)).strip()
        raise InputError(f"{key}: {path} is not readable as audio ({reason}); replace or remove it") from None
    samples = samples.mean(axis=1) if mix else samples[:, 0]
    if len(samples) and rate != sr:
        samples = soxr.resample(samples, rate, sr)
    if not np.isfinite(samples).all() or not samples.any():
        raise InputError(f"{key}: {path} is empty, silent or holds NaN or infinite samples; replace or remove it")
    return np.ascontiguousarray(samples)
