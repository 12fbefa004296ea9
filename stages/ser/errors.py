"""Errors that are the input's fault and not the program's: one line for the user instead of a traceback."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class InputError(Exception):
    """Parameters or data that the pipeline cannot work with; the message names what, where and the remedy."""


def install(extra: str) -> str:
    """Return the command that installs what some part needs, such as ``train`` (see pyproject.toml)."""
    return f"pip install -e '.[{extra}]' -c constraints.txt (in a clone of the project)"


def print_any_letters() -> None:
    """Let a terminal of any encoding show what it can of labels and names of files, and the rest as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def stage_errors() -> Iterator[None]:
    """Turn an `InputError` into one line on standard error and exit code 1."""
    print_any_letters()
    try:
        yield
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
