"""What a file is that begins as no audio format does: a pointer to the file, a page of an error, an archive, a picture.

Nothing of this is needed to refuse it; a person who has a thousand such files needs to know what to do.
"""

import codecs
import os
import re
from typing import BinaryIO

LOOKED_AT = 512  # bytes; of fewer less is told
GIT_LFS = "a pointer of Git LFS, not the file itself: run `git lfs pull`"
GIT_ANNEX = "a pointer of git-annex, not the file itself: run `git annex get`"
DS2 = "DS2 of dictation machines, which only their makers' programs decode: convert it to WAV with these"
SILK = "SILK, the voice messages of QQ and WeChat: convert it to WAV with a SILK decoder"
RESOURCE_FORK = "what macOS keeps beside a file, not the file itself: leave it out"
ZIP_END, ZIP_END_REACH = b"PK\x05\x06", 22 + 0xFFFF  # its mark, and how far before the last byte that may be
WEB_PAGE = "a web page, as an error or a login sends it: download it again"
CUT_ZIP = "a zip archive without its end, as of a download or copy that was broken off: download it again"
ZIP, GZIP = "a zip archive: unpack it", "a file packed by gzip: unpack it"
ZIP_START = b"PK\x03\x04"
MARKS = {
    b"version https://git-lfs.github": GIT_LFS,
    b"version https://hawser.github": GIT_LFS,  # its first name
    b"/annex/objects/": GIT_ANNEX,
    ZIP_START: ZIP,
    b"PK\x05\x06": "an empty zip archive",
    b"\x1f\x8b": GZIP,
    b"BZh": "a file packed by bzip2: unpack it",
    b"\xfd7zXZ\x00": "a file packed by xz: unpack it",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    b"Rar!\x1a\x07": "a RAR archive: unpack it",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "a document of Microsoft Office",
    b"\x89PNG\r\n": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"\x00\x05\x16\x07": RESOURCE_FORK,
    b"\x00\x05\x16\x00": RESOURCE_FORK,
    b"#!SILK": SILK,
    b"\x02#!SILK": SILK,
    b"\x02ds2": DS2,
    b"\x03ds2": DS2,
    b"MS_VOICE": "a format of Sony's voice recorders that only Sony's program decodes: convert it to WAV with that",
    b"MThd": "MIDI, which holds notes and no sound",
    b"\x93NUMPY": "an array of NumPy: write it as WAV, with its sample rate",
    b"\x89HDF\r\n": "an HDF5 file: write what it holds as WAV",
    b"PAR1": "a Parquet table: name it .parquet if its rows name files",
    b"SQLite format 3\x00": "a database of SQLite",
    b"Salted__": "encrypted by OpenSSL: decrypt it",
    b"-----BEGIN PGP": "encrypted by PGP: decrypt it",
}
TEXTS = (  # what a text begins with, white space apart, in lower case
    (("<!doctype html", "<html", "<head", "<body", "<script", "<!--"), WEB_PAGE),
    (("<?xml", "<error"), "a text in XML, as an error sends it: download it again"),
    (("{", "[{", '["'), "a text in JSON, as an error sends it: download it again"),
    (("data:audio/", "data:video/", "data:application/"), "an address that holds the file as base64: decode it"),
    (("#extm3u", "[playlist]"), "a playlist, which names files and holds no sound"),
)
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def what_file_is(file: BinaryIO) -> str:
    """Say what an open file is as `what_it_is` does, and of an archive whether it is whole."""
    before = file.tell()
    file.seek(0)
    header, ends = file.read(LOOKED_AT), True
    if header.startswith(ZIP_START):
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - ZIP_END_REACH))
        ends = ZIP_END in file.read(ZIP_END_REACH)
    file.seek(before)
    return what_it_is(header) if ends else CUT_ZIP


def what_it_is(header: bytes) -> str:
    """Say what a file is by its first bytes, and what helps; an empty text if they tell nothing.

    Parameters
    ----------
    header : bytes
        `LOOKED_AT` of them, or the whole of a shorter file.
    """
    for start, said in MARKS.items():
        if header.startswith(start):
            return said
    if header[4:8] == b"ftyp" and header[8:12] in (b"heic", b"heix", b"mif1", b"avif", b"crx "):
        return "a picture (HEIC, AVIF or CR3)"
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "a picture (WebP)"
    if len(header) >= 16 and not any(header):
        return "zeros where it should begin: a copy or download that was broken off, or samples without a header"
    return _what_text(header)


def _what_text(header: bytes) -> str:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(header)  # which may end amid a letter
    except UnicodeDecodeError:
        return ""
    beginning = text.lstrip().lower()
    if not beginning or CONTROL.search(text):
        return ""
    return next((said for starts, said in TEXTS if beginning.startswith(starts)), "a text")
