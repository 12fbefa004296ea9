"""Pieces of long files, read in place: those of one file, in the order in which they lie there, cost about one pass.

To a sample of a file that libsndfile reads, as of WAV or FLAC, it is a step. What is compressed can only be decoded
from its start: so the decoder of the last file is kept where it has come to, and goes on with the next piece. What it
has decoded last is kept too, as pieces may overlap.
"""

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ser.audio.decoding import PlainSource, decode, plain_source
from ser.audio.recordings import TOO_LONG, Recording, Signal, UnusableAudioError, record, truncated
from ser.audio.sndfile_decoder import BadContainerError
from ser.streams.file_blocks import Part, file_parts

LONGEST = 24 * 3600.0  # s of a file
BEYOND = 0.05  # s that a piece may end behind its file: tables round to tenths, and players count a codec's padding
KEPT_SECONDS = 30.0  # s that are kept of what was decoded
KEPT_BYTES = 1 << 26  # of these at most
OUTSIDE = "the piece is not in the file: it"
CORRECT = "correct its start and end, which are seconds"

_own = threading.local()  # the `_Decoded` of this thread
if hasattr(os, "register_at_fork"):  # nothing forks on Windows
    os.register_at_fork(after_in_child=_own.__dict__.clear)  # the parent's is not ours


def read_piece(
    file: Path | str | BinaryIO,
    start: float | None,
    end: float | None,
    *,
    max_seconds: float,
    channel: int | None = None,
) -> Recording:
    """Decode a piece of a file; `ser.audio.decoding.decode` of the whole has the same samples there.

    Parameters
    ----------
    file : Path, str or binary file
        See `decode`. Of one that is open it matters that it is the same object for all its pieces.
    start, end : float or None
        s, rounded to the next sample; None: the begin and the end of the file.
    max_seconds : float
        s, of the piece.
    channel : int or None
        From 1; None: the mean of all.

    Raises
    ------
    UnusableAudioError
        If there is no such piece, it is longer than `max_seconds`, or the file is damaged before the piece ends; and
        as `decode` of the piece alone.
    OSError
        If there is no such file, or it may not be read.
    """
    if start is None and end is None:
        return decode(file, max_seconds=max_seconds, channel=channel)
    first_second = start or 0.0
    if end is not None and end <= first_second:
        raise UnusableAudioError(f"no piece: it starts at {first_second:g} s and ends at {end:g} s; {CORRECT}")
    if end is not None and end - first_second > max_seconds:
        raise UnusableAudioError(f"{TOO_LONG} {max_seconds:g} s ({end - first_second:.1f} s)")
    wanted = partial(_record_piece, start=first_second, end=end, max_seconds=max_seconds, channel=channel)
    known: _Decoded | None = getattr(_own, "decoded", None)
    if known is None or not known.is_of(file):
        found = _of_plain_file(file, wanted)
        if found is not None:
            return found
        if known is not None:
            known.close()
        known = _own.decoded = _Decoded(file)
    return wanted(known.piece)


Cut = Callable[[float, float | None], AbstractContextManager[Signal]]


def _record_piece(cut_out: Cut, start: float, end: float | None, max_seconds: float, channel: int | None) -> Recording:
    return record(lambda: cut_out(start, end), max_seconds, channel=channel)


def _of_plain_file(file: Path | str | BinaryIO, wanted: Callable[[Cut], Recording]) -> Recording | None:
    """Return a piece of a file in which any sample is found at once; None if there is no such way."""
    with ExitStack() as stack:
        if isinstance(file, Path | str):
            if not os.path.isfile(file) and os.path.exists(file):
                raise UnusableAudioError("no regular file")  # opening a named pipe would wait for ever
            opened, name = stack.enter_context(open(file, "rb", buffering=0)), os.fspath(file)
        else:
            opened, name = file, str(getattr(file, "name", ""))
        plain = plain_source(opened, name, LONGEST)
        if plain is None:
            return None
        try:
            return wanted(partial(_plain_piece, plain, plain.open_signal))
        except BadContainerError:
            if plain.open_bare is None:
                raise
            return wanted(partial(_plain_piece, plain, plain.open_bare))
        except _NotSeekableError:
            return None


class _NotSeekableError(Exception):
    """A file that can only be decoded from its start."""


@contextmanager
def _plain_piece(
    plain: PlainSource,
    open_signal: Callable[[], AbstractContextManager[Signal]],
    start: float,
    end: float | None,
) -> Iterator[Signal]:
    with open_signal() as signal:
        if signal.piece is None or signal.promised is None or plain.samples is not None:
            raise _NotSeekableError
        sr, there = signal.sample_rate, signal.promised
        first, last = _samples(start, end, sr)
        if plain.cut and (last is None or last > there):
            raise truncated(there / sr)
        last = _within(first, last, there, sr)
        blocks = _all_there(signal.piece(first, last), first, last, sr)
        yield signal._replace(blocks=blocks, promised=None, piece=None)


def _samples(start: float, end: float | None, sr: int) -> tuple[int, int | None]:
    return round(start * sr), None if end is None else round(end * sr)


def _within(first: int, last: int | None, there: int, sr: int) -> int:
    """Return where a piece ends in a file of so many samples, or refuse it."""
    file_ends = f"and the file ends at {there / sr:.2f} s; {CORRECT}"
    if first >= there:
        raise UnusableAudioError(f"{OUTSIDE} starts at {first / sr:g} s, {file_ends}")
    if last is not None and last > there + BEYOND * sr:
        raise UnusableAudioError(f"{OUTSIDE} ends at {last / sr:g} s, {file_ends}")
    return there if last is None else min(last, there)


def _all_there(blocks: Iterator[np.ndarray], first: int, last: int, sr: int) -> Iterator[np.ndarray]:
    place = first
    for block in blocks:
        place += len(block)
        yield block
    if place < last:
        raise truncated(place / sr)


class _Decoded:
    """A file on its way through the decoder, and what was decoded last.

    What ends it, be it its end or damage, is known from then on.
    """

    def __init__(self, file: Path | str | BinaryIO):
        self._file, self._state = file, _state(file)
        self._end: int | None = None  # samples, where it ends
        self._refusal = ""  # why it does, if that is not its end
        self._broken = False  # whether the decoder was interrupted
        self._open()

    def _open(self) -> None:
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)  # also when the thread or the program ends
        self._first: Part | None = None
        self._blocks = _decode(self._file, stack)
        self._kept: deque[np.ndarray] = deque()
        self._kept_from = self._place = 0  # samples: what is kept, and where it ends

    def is_of(self, file: Path | str | BinaryIO) -> bool:
        """Tell whether it can go on with a file, which has not changed."""
        same = file is self._file or (isinstance(file, Path | str) and file == self._file)
        return same and not self._broken and _state(file) == self._state

    @contextmanager
    def piece(self, start: float, end: float | None) -> Iterator[Signal]:
        """Decode up to a piece and hand it out; the parameters are those of `read_piece`."""
        if self._first is None and self._end is None:
            self._go_on()
        first = self._first
        if first is None:
            raise UnusableAudioError(self._refusal or "no samples")
        place, last = _samples(start, end, first.sample_rate)
        self._refuse_behind_the_end(place, last)
        if place < self._kept_from:
            self.close()
            self._open()
            self._go_on()
        yield Signal(first.sample_rate, first.channels, first.encoding, self._piece(place, last))

    def _piece(self, first: int, last: int | None) -> Iterator[np.ndarray]:
        begin = self._kept_from
        for block in [*self._kept]:
            yield from _part_of(block, begin, first, last)
            begin += len(block)
        while (last is None or self._place < last) and self._go_on():
            block = self._kept[-1]
            yield from _part_of(block, self._place - len(block), first, last)
        self._refuse_behind_the_end(first, last)

    def _refuse_behind_the_end(self, first: int, last: int | None) -> None:
        if self._end is None or self._first is None:
            return
        if self._refusal and (last is None or last > self._end):
            raise UnusableAudioError(self._refusal)
        _within(first, last, self._end, self._first.sample_rate)

    def _go_on(self) -> bool:
        """Decode another block, if there is one."""
        if self._end is not None and self._place >= self._end:
            return False
        try:
            found = next(self._blocks, None)
        except UnusableAudioError as error:
            self._refusal, found = str(error), None
        except BaseException:
            self._broken = True
            self.close()
            raise
        if found is None:
            self._end = self._place
            self.close()
            return False
        self._first = self._first or found[0]
        self._keep(found[1], self._first.sample_rate)
        return True

    def _keep(self, block: np.ndarray, sr: int) -> None:
        self._kept.append(block)
        self._place += len(block)
        most = min(KEPT_SECONDS * sr, KEPT_BYTES / (4 * block.shape[1]))
        while self._place - self._kept_from - len(self._kept[0]) >= most:
            self._kept_from += len(self._kept.popleft())


def _decode(file: Path | str | BinaryIO, stack: ExitStack) -> Iterator[tuple[Part, np.ndarray]]:
    """Yield the blocks of a file with the part that they are of, all of one rate and number of channels."""
    first: Part | None = None
    for part in stack.enter_context(file_parts(file, LONGEST)):
        first = first or part
        if (part.sample_rate, part.channels) != (first.sample_rate, first.channels):
            raise UnusableAudioError(
                "a part of the file has another rate or number of channels: convert it to WAV to read pieces of it"
            )
        for block in part.blocks:
            yield part, block


def _part_of(block: np.ndarray, begin: int, first: int, last: int | None) -> Iterator[np.ndarray]:
    """Yield what of a block that begins at a sample of the file lies between two others, if anything does."""
    part = block[max(first - begin, 0) : None if last is None else max(last - begin, 0)]
    if len(part):
        yield part


def _state(file: Path | str | BinaryIO) -> tuple[int, ...]:
    """Return what changes when a file does; nothing of one that is in memory."""
    if not isinstance(file, Path | str):
        return ()
    about = os.stat(file)
    return about.st_ino, about.st_size, about.st_mtime_ns
