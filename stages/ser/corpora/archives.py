"""Reading the files in an archive (.zip, .tar, .tar.gz, .tgz) in place, without unpacking and without trusting it."""

import os
import stat
import struct
import tarfile
import threading
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ser.audio.cleaning import UnusableAudioError
from ser.audio.unknown_headers import GZIP, ZIP, what_file_is
from ser.corpora.tar_headers import MOST_FILES, tar_members
from ser.errors import InputError

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
LARGEST_FILE = 128 * 2**20  # bytes a file of an archive may unpack to: 30 s of 8 channels at 96 kHz and 32 bits
LARGEST_RATIO = 100  # a .tar.gz that unpacks to more than this many times its size is no speech but a bomb
LONGEST_NAME = 1024  # characters; without a limit a .tar.gz of a few MB holds GBs of names
SEEK_POINTS = 2**20  # bytes from one point of a .gz that can be read from to the next; inflating as many takes 5 ms
OPEN_ARCHIVES = 128  # each is a file descriptor (the least limit in use is 256) or, for a .gz, 32 KiB a seek point
ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks 500 bytes of bzip2 to 500 MB at once
DAMAGED = (  # what the readers of the standard library raise on bytes that they do not expect
    OSError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class Archive:
    """The files of an archive.

    Attributes
    ----------
    names : list of str
        The files that can be read, in the order of the archive.
    refused : list of (str, str)
        The names of others and why they cannot; what is wrong with the archive as a whole has the name "".

    Raises
    ------
    InputError
        If it is no archive of its kind.
    """

    def __init__(self, path: Path):
        self.refused: list[tuple[str, str]] = []
        self._members: dict[str, zipfile.ZipInfo | tuple[int, int]] = {}
        self._lock = threading.Lock()
        try:
            if path.name.lower().endswith(".zip"):
                self._file = zipfile.ZipFile(path)
                self._list_zip()
            else:
                self._file = _open_tar(path)
                self._list_tar(path.stat().st_size)
        except DAMAGED as error:
            raise InputError(f"{path} cannot be read as an archive: {_why_no_archive(path, error)}") from None
        self.names = list(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises
        ------
        UnusableAudioError
            If it is damaged, or larger than it says.
        """
        return self.first_bytes(name, LARGEST_FILE)

    def first_bytes(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file, or all if it has fewer; see `read`."""
        member = self._members[name]
        size = min(most, member.file_size if isinstance(member, zipfile.ZipInfo) else member[1])
        try:
            with self._lock:
                content = self._read(member, size)
        except DAMAGED as error:
            raise UnusableAudioError(f"damaged inside its archive: {error}") from None
        if len(content) < size:
            raise UnusableAudioError(f"damaged inside its archive: {len(content)} of {size} bytes are there")
        return content

    def _read(self, member, size: int) -> bytes:
        if isinstance(member, zipfile.ZipInfo):
            with self._file.open(member) as file:
                return file.read(size)  # read() without a size unpacks all at once
        file = self._file.raw  # its buffer would read on for 1 MiB, which takes longer than most files
        file.seek(member[0])
        return file.read(size)

    def _list_zip(self) -> None:
        files = self._file.infolist()
        for info in files[:MOST_FILES]:
            if info.is_dir():
                continue
            if stat.S_ISLNK(info.external_attr >> 16):
                reason = "a link"
            elif info.flag_bits & 1:
                reason = "encrypted"
            elif info.compress_type not in ZIP_METHODS:
                reason = f"packed by a method that is not read ({info.compress_type}): pack it again"
            else:
                reason = ""
            self._add(_zip_name(info), info, info.file_size, reason)
        if len(files) > MOST_FILES:
            self._refuse("", f"the archive holds {len(files)} files: only the first {MOST_FILES} were read")

    def _list_tar(self, archive_bytes: int) -> None:
        largest = max(LARGEST_RATIO * archive_bytes, LARGEST_FILE)
        try:
            for member, sparse in tar_members(self._file, largest):
                if member.offset_data + member.size > largest:
                    self._refuse(member.name, "the archive unpacks to far more than speech can: not read further")
                    return
                if not member.isdir():
                    reason = "" if member.isreg() and not sparse else "a link or another special file"
                    self._add(member.name, (member.offset_data, member.size), member.size, reason)
        except DAMAGED as error:
            if not self._members and not self.refused:
                raise
            read = f"only its first {len(self._members)} files were read"
            self._refuse("", f"the archive is damaged or cut off ({error}): {read}")

    def _add(self, name: str, member, size: int, reason: str) -> None:
        if len(name) > LONGEST_NAME:
            self._refuse(name, f"its name has more than {LONGEST_NAME} characters")
            return
        path = PurePosixPath(name.replace("\\", "/"))
        name = path.as_posix()
        if path.is_absolute() or ".." in path.parts or name[1:2] == ":":
            reason = "its name leads out of the archive"
        elif not path.parts:
            reason = "it has no name"
        elif size > LARGEST_FILE:
            reason = (
                f"it unpacks to {size / 2**20:.0f} MiB; {LARGEST_FILE / 2**20:.0f} are read at most: unpack the archive"
            )
        elif name in self._members:
            reason = "the archive holds two files of this name, of which the first is read"
        if reason:
            self._refuse(name, reason)
        else:
            self._members[name] = member

    def _refuse(self, name: str, reason: str) -> None:
        self.refused.append((name if len(name) <= LONGEST_NAME else f"{name[:100]}...", reason))


def open_archive(path: Path | str) -> Archive:
    """Open an archive; this process keeps it open for the next call, as long as the file stays the same."""
    state = os.stat(path)
    return _open_archive(Path(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=OPEN_ARCHIVES)
def _open_archive(path: Path, *_state: int) -> Archive:
    return Archive(path)


def is_archive(path: Path) -> bool:
    """Tell by its name whether a file is an archive."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES)


def _why_no_archive(path: Path, error: Exception) -> str:
    """Say what a file is that is called as an archive is, and what helps."""
    try:
        with path.open("rb") as file:
            known = what_file_is(file)
    except OSError as unread:
        return unread.strerror or str(unread)
    if path.stat().st_size == 0:
        return "it is empty: download it again"
    own = path.name.lower().endswith(".zip") and known == ZIP or known == GZIP  # of its kind, and damaged
    if not known or own:
        return f"{error}: download it again"
    return f"it is {known}" + ("" if ":" in known else ": download it again")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a name as it was meant: many programs write UTF-8 without the flag that says so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _open_tar(path: Path) -> BinaryIO:
    if path.name.lower().endswith(".tar"):
        return path.open("rb")
    from indexed_gzip import IndexedGzipFile  # predicting lists folders by this room, and needs no such package

    return IndexedGzipFile(str(path), spacing=SEEK_POINTS)
