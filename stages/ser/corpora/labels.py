"""What a file's name says about the clip in it."""

from collections.abc import Container, Mapping
from typing import NamedTuple

Table = Mapping[str, Mapping[str, str]]  # of a corpus's side table: what is known of a clip or a speaker, by its key


class UnusableNameError(Exception):
    """A name that the corpus's scheme cannot have produced; the message is the reason for the quarantine."""


class Labels(NamedTuple):
    """Labels of one clip; an empty string is unknown.

    ``global_speaker`` is who speaks in the sense of all corpora and counts before ``speaker``, an id of this one.
    ``take`` tells apart recordings of one text in one manner, ``name`` is the name under which the clip is published
    (without suffix), unique in its corpus however a copy arranges its folders; ``written`` is the label as it stands in
    a corpus of one's own.
    """

    speaker: str
    sex: str
    emotion: str
    intensity: str = ""
    statement: str = ""
    language: str = ""
    fold: str = ""
    take: str = ""
    age: str = ""
    ethnicity: str = ""
    name: str = ""
    global_speaker: str = ""
    written: str = ""


def require_codes(corpus: str, *codes: tuple[str, str, Container[str]]) -> None:
    """Refuse the first of the codes (field, code and what is allowed there) that a corpus does not have."""
    for field, code, allowed in codes:
        if code not in allowed:
            raise UnusableNameError(f"{field} {code} does not exist in {corpus}")


def require_folder(name: str, folder: str, of_name: object, of_folder: object) -> None:
    """Refuse a clip whose folder says something else than its name; None is a folder that says nothing."""
    if of_folder not in (None, of_name):
        raise UnusableNameError(f"the name says {name}, the folder {folder}")


def code_of(codes: Mapping[str, str], label: str) -> str:
    """Return the first code that stands for a label."""
    return next(code for code, meaning in codes.items() if meaning == label)


def name_by_scheme(stem: str, oddities: Mapping[str, str]) -> str:
    """Return what a clip would be called by its scheme; `oddities` are by that name what was published instead."""
    return next((regular for regular, published in oddities.items() if published == stem), stem)
