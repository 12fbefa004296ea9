"""A file of any length, block by block, as `ser.audio.decoding.decode` reads a short one whole."""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from ser.audio.decoding import PlainSource, plain_source
from ser.audio.recordings import Signal, UnusableAudioError, check_limits, limited, truncated
from ser.audio.sndfile_decoder import BadContainerError


class Part(NamedTuple):
    """A stretch of a recording that has one rate; most have one.

    Attributes
    ----------
    sample_rate : int
        Hz.
    channels : int
    blocks : iterator of np.ndarray of float32, shape (samples, channels)
        Full scale 1.
    seconds : float or None
        s, where the file says so.
    encoding : str
        See `ser.audio.recordings.Recording`.
    """

    sample_rate: int
    channels: int
    blocks: Iterator[np.ndarray]
    seconds: float | None = None
    encoding: str = ""


@contextmanager
def file_parts(file: Path | str | BinaryIO, max_seconds: float) -> Iterator[Iterator[Part]]:
    """Open a file of any format; yields its parts, each to be read to its end before the next.

    Parameters
    ----------
    file : Path, str or binary file
    max_seconds : float
        s, of each part.

    Raises
    ------
    UnusableAudioError, OSError
        As of `ser.audio.decoding.decode`; from the parts and their blocks too. That a file is cut off is told behind
        all that there is of it.
    """
    with ExitStack() as stack:
        if not isinstance(file, Path | str):
            yield stack.enter_context(closing(_parts(file, str(getattr(file, "name", "")), file, max_seconds)))
            return
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise UnusableAudioError("no regular file")  # opening a named pipe would wait for ever
        opened = stack.enter_context(open(file, "rb", buffering=0))
        yield stack.enter_context(closing(_parts(opened, os.fspath(file), file, max_seconds)))


def _parts(opened: BinaryIO, name: str, file: Path | str | BinaryIO, max_seconds: float) -> Generator[Part]:
    plain = plain_source(opened, name, max_seconds)
    if plain is not None:
        yield from _plain_part(plain, max_seconds)
        return
    from ser.streams.block_decoder import decoded_apart  # most runs need none

    with decoded_apart(file, max_seconds) as signals:
        for signal in signals:
            yield Part(signal.sample_rate, signal.channels, iter(signal.blocks), encoding=signal.encoding)


def _plain_part(plain: PlainSource, max_seconds: float) -> Iterator[Part]:
    begun = False
    for source in filter(None, (plain.open_signal, plain.open_bare)):
        try:
            with source() as signal:
                check_limits(signal.sample_rate, signal.channels)
                blocks = _checked(signal, max_seconds, plain)
                first = next(blocks, None)
                if first is None:
                    raise UnusableAudioError("no samples")
                begun = True
                seconds = signal.promised / signal.sample_rate if signal.promised else None
                yield Part(signal.sample_rate, signal.channels, chain([first], blocks), seconds, signal.encoding)
                return
        except BadContainerError:
            if begun or plain.open_bare is None or source is plain.open_bare:
                raise


def _checked(signal: Signal, max_seconds: float, plain: PlainSource) -> Iterator[np.ndarray]:
    count = 0
    for block in limited(signal.blocks, max_seconds, signal.sample_rate):
        own = block if plain.samples is None else block[: max(plain.samples - count, 0)]
        count += len(block)
        if len(own):
            yield own
    if plain.cut or count < (signal.promised or 0):
        raise truncated(count / signal.sample_rate)
