"""A piece of a recording of any length, from one time to another; no more of it is kept in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ser.audio.recordings import UnusableAudioError
from ser.streams.file_blocks import file_parts


def read_piece(
    file: Path | str | BinaryIO,
    start: float,
    end: float,
    *,
    channel: int | None = None,
    max_seconds: float,
    check: Callable[[], object] | None = None,
) -> tuple[np.ndarray, int]:
    """Read the samples between two times.

    Parameters
    ----------
    file : Path, str or binary file
    start, end : float
        s.
    channel : int, optional
        From 1; without it the mean of all.
    max_seconds : float
        s, of the file up to the end of the piece.
    check : callable, optional
        Is called now and then, and may raise what ends the reading.

    Returns
    -------
    y : np.ndarray of float32, shape (samples,)
        Full scale 1; what follows the end of the recording is missing.
    sample_rate : int
        Hz.

    Raises
    ------
    UnusableAudioError, OSError
        If the file cannot be used, has no such channel, or ends before the piece begins; or where its rate changes.
    """
    kept: list[np.ndarray] = []
    rate, at = 0, 0
    with file_parts(file, max_seconds) as parts:
        for part in parts:
            if rate not in (0, part.sample_rate):
                raise UnusableAudioError("its sampling rate changes on the way")
            if channel is not None and channel > part.channels:
                raise UnusableAudioError(f"no channel {channel}: it has {part.channels}")
            rate = part.sample_rate
            first, last = round(start * rate), round(end * rate)
            for block in part.blocks:
                if check:
                    check()
                y = block.mean(axis=1, dtype=np.float32) if channel is None else block[:, channel - 1]
                kept.append(np.array(y[max(0, first - at) : max(0, last - at)]))
                at += len(block)
                if at >= last:
                    return np.concatenate(kept), rate
    if at <= round(start * rate):
        raise UnusableAudioError(f"it ends before {start:g} s")
    return np.concatenate(kept), rate
