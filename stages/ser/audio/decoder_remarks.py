"""Keeping a C library's remarks out of the log."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_depth = 0  # how many threads want silence
_kept = -1  # a copy of the true standard error in the meantime


@contextmanager
def quiet_stderr(wanted: bool = True) -> Iterator[None]:
    """Discard what this process writes to file descriptor 2 meanwhile.

    libmpg123 writes its warnings there, several a file, and libsndfile has no switch for it. The descriptor belongs to
    all threads: a line that another one writes in these milliseconds is lost too.
    """
    if not wanted:
        yield
        return
    _silence()
    try:
        yield
    finally:
        _restore()


def _silence() -> None:
    global _depth, _kept
    with _lock:
        _depth += 1
        if _depth > 1:
            return
        try:
            _kept = os.dup(2)
        except OSError:  # standard error is closed: nothing to silence
            _kept = -1
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)


def _restore() -> None:
    global _depth, _kept
    with _lock:
        _depth -= 1
        if _depth == 0 and _kept >= 0:
            os.dup2(_kept, 2)
            os.close(_kept)
            _kept = -1
