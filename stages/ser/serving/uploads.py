"""Recordings as they come in: counted and timed while they do, and written to a file that is gone with the answer."""

import asyncio
import fcntl
import itertools
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ser.audio.decoding import AUDIO_SUFFIXES
from ser.serving.limits import HELD_BYTES, NAME_CHARACTERS, OVERHEAD_BYTES, SLOWEST, Limits
from ser.serving.work import busy

RAW = re.compile(r"(audio|video)/[\w.+-]+|application/(octet-stream|ogg)", re.ASCII)
FORM = "multipart/form-data"
FIELD = b"file"
PREFIX = "ser-serve-"
LOCK = "lock"  # in the folder; held as long as the service lives, however it ends
MOST_PARTS = 100  # of a form: reading over millions would keep the others waiting

# its warnings quote what a client has sent, and Python prints those of a logger that nobody listens to
logging.getLogger("python_multipart").addHandler(logging.NullHandler())


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that only this user can read, into which whatever writes a temporary file writes it."""
    before = tempfile.tempdir
    remove_abandoned(Path(tempfile.gettempdir()))
    folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    with folder as name, (Path(name) / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tempfile.tempdir = name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of services of this user that were killed: recordings could be in them."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.getuid() and not folder.is_symlink():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder)
            finally:
                os.close(descriptor)


class Upload(NamedTuple):
    """A recording that a client has sent.

    Attributes
    ----------
    path : Path
        Where it is; nothing of its name but a suffix that is known to be one of audio files.
    name : str
        What the client calls it: to be shown, escaped, and for nothing else.
    """

    path: Path
    name: str


class Uploads:
    """The folder that uploads are in while they are worked on.

    Parameters
    ----------
    folder : Path
        Of this service alone.
    limits : Limits
    """

    def __init__(self, folder: Path, limits: Limits):
        self.folder = folder
        self.limits = limits
        self.stored = 0  # bytes, on the disk
        self.held = 0  # bytes, in memory
        self._numbers = itertools.count()
        self._receiving: set[asyncio.Task] = set()

    def refuse(self) -> None:
        """End what is still coming in: the service stops."""
        for task in self._receiving:
            task.cancel()

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Upload]:
        """Yield the recording of a request; it is removed behind the block.

        Raises
        ------
        HTTPException
            400 if the form is none, 408 if it comes too slowly, 413 if it is too large, 415 if it says that it is no
            audio, 422 if there is none, 429 if there is no room for it.
        ClientDisconnect
        """
        path = self.folder / f"{next(self._numbers)}"
        size = 0
        task = asyncio.current_task()
        assert task  # for type checkers
        self._receiving.add(task)
        try:
            with path.open("xb") as file:
                sink = _sink(request, file)
                most = self.limits.upload_bytes + sink.overhead
                async for chunk in body(request, self.limits, most):
                    size += len(chunk)
                    self.stored += len(chunk)
                    if self.stored > self.limits.stored_bytes:
                        raise busy()
                    try:
                        sink.write(chunk)
                    except OSError:
                        raise HTTPException(503, "there is no room for the recording") from None
            self._receiving.discard(task)
            name = sink.finished()
            suffix = Path(name).suffix.lower() if len(name) <= NAME_CHARACTERS else ""
            if suffix in AUDIO_SUFFIXES:  # formats without a header are told by it
                path = path.rename(path.with_suffix(suffix))
            yield Upload(path, name[:NAME_CHARACTERS])
        finally:
            self._receiving.discard(task)
            path.unlink(missing_ok=True)
            self.stored -= size

    @asynccontextmanager
    async def read(self, request: Request, most: int) -> AsyncIterator[bytes]:
        """Yield the body of a request that is no recording, in memory; refused as in `received`."""
        chunks = []
        size = 0
        try:
            async for chunk in body(request, self.limits, most):
                size += len(chunk)
                self.held += len(chunk)
                if self.held > HELD_BYTES:
                    raise busy()
                chunks.append(chunk)
            yield b"".join(chunks)
        finally:
            self.held -= size


async def body(request: Request, limits: Limits, most: int) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes, within limits of time and `most` bytes, whatever its header says of it."""
    promised = request.headers.get("content-length", "")
    if promised.isascii() and promised.isdigit() and int(promised[:20]) > most:
        raise _too_large(most)
    start = time.monotonic()
    size = 0
    while True:
        allowed = min(limits.stall_seconds + size / SLOWEST, limits.body_seconds)
        try:
            async with asyncio.timeout(min(limits.stall_seconds, start + allowed - time.monotonic())):
                message = await request.receive()
        except TimeoutError:
            raise HTTPException(408, "the request's body came too slowly", {"Connection": "close"}) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        if chunk:
            yield chunk
        if not message.get("more_body"):
            return


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"larger than {most / 1e6:.1f} MB, which are allowed")


class _Sink(Protocol):
    overhead: int

    def write(self, chunk: bytes) -> object: ...

    def finished(self) -> str: ...


def _sink(request: Request, file: BinaryIO) -> _Sink:
    """Return what takes a body of the type that the header says."""
    kind, options = parse_options_header(request.headers.get("content-type", "application/octet-stream"))
    if kind == FORM.encode():
        if not 0 < len(options.get(b"boundary", b"")) <= 256:
            raise HTTPException(400, "the form's Content-Type has no boundary")
        return _Form(options[b"boundary"], file)
    if not RAW.fullmatch(kind.decode("latin-1")):
        wanted = "the recording as a form's field `file`, or as the body with a Content-Type such as audio/wav"
        raise HTTPException(415, f"wanted is {wanted}")
    return _Raw(file)


class _Raw:
    """A body that is the recording."""

    overhead = 0

    def __init__(self, file: BinaryIO):
        self.write = file.write

    def finished(self) -> str:
        return ""


class _Form:
    """A form, of which the field `file` is the recording; the others are read over."""

    overhead = OVERHEAD_BYTES

    def __init__(self, boundary: bytes, file: BinaryIO):
        self._file = file
        self._name: str | None = None
        self._parts = 0
        self._writing = self._complete = False
        self._field = self._value = self._disposition = b""
        callbacks = {
            "on_part_begin": self._part_begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise HTTPException(400, "the form cannot be read") from None

    def finished(self) -> str:
        if not self._complete:
            raise HTTPException(400, "the form ends before its last boundary")
        if self._name is None:
            raise HTTPException(422, "the form has no field `file`")
        return self._name

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise HTTPException(400, f"the form has more than {MOST_PARTS} fields")
        self._field = self._value = self._disposition = b""
        self._writing = False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._field.lower() == b"content-disposition":
            self._disposition = self._value
        self._field = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD:
            return
        if self._name is not None:
            raise HTTPException(422, "the form has several fields `file`")
        self._name = options.get(b"filename", b"").decode(errors="replace")
        self._writing = True

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._writing:
            self._file.write(data[start:end])

    def _part_end(self) -> None:
        self._writing = False

    def _end(self) -> None:
        self._complete = True
