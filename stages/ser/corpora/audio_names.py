"""What the name of a file says of its sound: audio that is read, audio that is not and why, or nothing.

`ser.audio.decoding.AUDIO_SUFFIXES` is the list of what is read; here is only what cannot be derived from it.
"""

import os
import re
from pathlib import PurePath

from ser.audio.container_headers import kind_of
from ser.audio.decoding import AUDIO_SUFFIXES
from ser.audio.unknown_headers import DS2, SILK

LOSSLESS = (
    ".wav", ".wave", ".bwf", ".w64", ".rf64", ".flac", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist",
    ".voc", ".ape", ".wv", ".tta", ".dsf", ".8svx", ".tak", ".shn", ".thd", ".mlp",
)  # fmt: skip
CONVERT = "convert it to WAV or FLAC"
HEADERLESS = "samples without a header, so that nothing says their rate and encoding: " + CONVERT
ENCRYPTED = "encrypted by who sold it, so that nobody else decodes it: record or buy it without"
MAKERS = "a recorder's own format, which only its maker's program decodes: convert it to WAV with that"
PROJECT = "a project of an audio editor, not a recording: export it from there as WAV"
NO_SOUND = "notes or the address of a track, not a recording: take the recording itself"
NO_DECODER = "no format that is read: " + CONVERT
REASONS = {
    HEADERLESS: (".raw", ".pcm", ".vox", ".ul", ".ulaw", ".al", ".alaw", ".sln", ".g726", ".g729", ".adpcm"),
    ENCRYPTED: (".m4p", ".aa", ".aax", ".aaxc"),
    MAKERS: (".dvf", ".msv", ".nmf"),
    DS2: (".ds2",),
    SILK: (".silk", ".slk"),
    PROJECT: (".aup", ".aup3", ".sesx"),
    NO_SOUND: (".cda", ".mid", ".midi", ".kar"),
    NO_DECODER: (
        ".wve", ".qcp", ".oma", ".aa3", ".at3", ".ofr", ".dff", ".mmf", ".vqf", ".aud", ".dct",
    ),
}  # fmt: skip
UNREAD = {suffix: reason for reason, suffixes in REASONS.items() for suffix in suffixes}
SAYS_NOTHING = (".audio", ".bin", ".blob", ".dat", ".data", ".file", ".sound", ".tmp")  # of what a file holds
SHORT_MARKS = ("AC3", "EAC3", "LOAS", "MPEG_TS", "GSM")  # what is known by too few bits to be looked for
NUMBER = re.compile(r"\.\d*")  # the end of a time or a version (``Memo 10.30``), and no suffix


def suffix_of(name: str) -> str:
    """Return the suffix of a file in lower case; a number is none."""
    suffix = os.path.splitext(name)[1].lower()
    return "" if NUMBER.fullmatch(suffix) else suffix


def stem_of(path: PurePath) -> PurePath:
    """Return a path without the suffix of its file."""
    return path.with_suffix("") if suffix_of(path.name) else path


def names_audio(name: str) -> bool:
    """Tell whether a file is called as audio is, be it read or not."""
    suffix = suffix_of(name)
    return suffix in AUDIO_SUFFIXES or suffix in UNREAD


def may_be_audio(name: str) -> bool:
    """Tell whether only a file's first bytes tell if it is audio: its name does not, or says that it has no header."""
    suffix = suffix_of(name)
    return not suffix or suffix in SAYS_NOTHING or UNREAD.get(suffix) == HEADERLESS


def why_unread(name: str) -> str:
    """Say why a file of this name is not read; an empty text if it is, or is not called as audio is."""
    return UNREAD.get(suffix_of(name), "")


def is_lossy(name: str) -> bool:
    """Tell by its name whether a file's encoding loses sound, or may."""
    return suffix_of(name) not in LOSSLESS


def begins_as_audio(header: bytes) -> bool:
    """Tell whether a file whose name says nothing is audio by its first `HEADER_BYTES`.

    Frames without a container begin with a few bits, which texts (the mark of UTF-16) and samples have as well: of
    those only MPEG and ADTS are believed, whose headers must make sense.
    """
    return kind_of(header) not in (None, *SHORT_MARKS) and header[:2] != b"\xff\xfe"
