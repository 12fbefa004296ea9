"""What a file's name says about the clip in it."""

from typing import NamedTuple


class UnusableNameError(Exception):
    """A name that the corpus's scheme cannot have produced; the message is the reason for the quarantine."""


class Labels(NamedTuple):
    """Labels of one clip; an empty string is unknown."""

    speaker: str
    sex: str
    emotion: str
    intensity: str = ""
    statement: str = ""
