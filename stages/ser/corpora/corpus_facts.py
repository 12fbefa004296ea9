"""What is known of a published corpus besides its names: who made it, under which licence, where it is had."""

from typing import NamedTuple


class Download(NamedTuple):
    """A file that the publisher hands out without a form.

    ``size`` (bytes) and ``md5`` are what the publisher states; 0 and an empty string where none is stated.
    """

    url: str
    file: str
    size: int = 0
    md5: str = ""


class About(NamedTuple):
    """A published corpus.

    ``language`` is an ISO 639-1 code, ``names`` says how its files are named, ``instructions`` how to get it where
    there is no `downloads`; ``clips`` and ``speakers`` are the published numbers of audio clips and of speakers.
    ``licence`` is its name, or what the publisher says in a few words: `ser.storage.model_cards.terms_of` reads it.
    """

    title: str
    language: str
    clips: int
    speakers: int
    names: str
    citation: str
    licence: str
    home: str
    downloads: tuple[Download, ...] = ()
    instructions: str = ""
