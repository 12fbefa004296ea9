"""Writing files such that a reader, or a run killed half-way, never meets half a file."""

import json
import math
import numbers
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PROBE = 2**16  # bytes
METRIC_DIGITS = 4  # behind the point; one clip of 7,442 (CREMA-D) is 0.00013


@contextmanager
def written(path: Path | str) -> Iterator[Path]:
    """Yield a temporary name beside `path`, renamed to `path` when the block ends without an error.

    Of two processes that write the same file at the same time the later one wins, and neither meets the other's half.
    A refusal of the system (`OSError`) names the file, also where a library has hidden it.
    """
    with _own_name(path) as temporary:
        try:
            yield temporary
            temporary.replace(path)
        except BaseException as error:
            refused = _refused(error, temporary, path)
            with suppress(OSError):  # none was begun
                temporary.unlink()
            if refused is None:
                raise
            raise refused from None


@contextmanager
def _own_name(path: Path | str) -> Iterator[Path]:
    """Yield the temporary name of `path` or, where another process or thread writes into the folder, one of its own.

    The usual name is always the same: what a killed process has left is written anew and not left for ever.
    """
    usual = temporary_name(path)
    try:
        folder = os.open(usual.parent, os.O_RDONLY)
    except OSError:  # Windows; a folder that may be written to and not read
        yield usual
        return
    try:
        yield usual if _lock(folder) else usual.with_name(f"{_mark()}{usual.name.removeprefix('.tmp-')}")
    finally:
        os.close(folder)  # which ends the lock


def _mark() -> str:
    return f".tmp-{os.getpid()}-{threading.get_ident()}-"


def _lock(folder: int) -> bool:
    """Lock an open folder; False if something else has."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def _refused(error: BaseException, temporary: Path, path: Path | str) -> OSError | None:
    """Return what the system refused as a file was written, with the name that the file would have had.

    NumPy, PyTorch and HDF5 say no more than that too little was written: some more bytes then tell why.
    """
    if isinstance(error, OSError) and error.errno:
        return OSError(error.errno, os.strerror(error.errno), str(path)) if _is_of(error, temporary) else None
    if not isinstance(error, Exception) or not temporary.exists():
        return None
    try:
        with temporary.open("ab") as file:
            file.write(bytes(PROBE))
    except OSError as found:
        return OSError(found.errno, found.strerror, str(path))
    return None


def _is_of(error: OSError, temporary: Path) -> bool:
    """Tell whether an error is of a file that was being written: writing to an open file names none."""
    return error.filename is None or os.fspath(error.filename) in (str(temporary), os.fspath(temporary.parent))


def temporary_name(path: Path | str) -> Path:
    """Return the name of `path` while it is being written, in a folder that exists."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".tmp-{path.name}")


def write_text(text: str, path: Path | str) -> None:
    """Write a text in UTF-8, with the line ends that it has."""
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_bytes(content: bytes, path: Path | str) -> None:
    """Write a file of bytes."""
    with written(path) as temporary:
        temporary.write_bytes(content)


def write_json(content: dict | list, path: Path | str) -> None:
    """Write a dictionary or a list as indented JSON; NaN is refused because JSON has none."""
    text = json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False)
    write_text(text + "\n", path)  # in UTF-8 whatever the terminal's is: labels are any words


def write_metrics(metrics: dict[str, Any], path: Path | str) -> None:
    """Write numbers, nested in dictionaries by name, that ``dvc metrics diff`` compares.

    It shows five digits (DVC 3.67): a smaller change would be a line with twice the same number and 0.0. So a number
    has `METRIC_DIGITS`, and equals the other or differs visibly. What is undefined (NaN, infinite, None) is left out:
    NaN would be a change each time, as it does not equal itself.

    Raises
    ------
    TypeError
        For a list, which DVC leaves out without a word, a truth value, which changes by 1 or -1, and a text.
    """
    write_json(_comparable(metrics, ""), path)


def _comparable(metrics: dict[str, Any], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in metrics.items():
        if isinstance(value, dict):
            found[name] = _comparable(value, f"{place}{name}.")
        elif isinstance(value, numbers.Real) and not isinstance(value, bool):
            if isinstance(value, numbers.Integral):
                found[name] = int(value)
            elif math.isfinite(value):
                found[name] = round(float(value), METRIC_DIGITS) + 0.0  # no -0.0
        elif value is not None:
            raise TypeError(f"metric {place}{name} is {value!r}; allowed are numbers, and None for an undefined one")
    return found
