"""Decoding by FFmpeg (PyAV), of what libsndfile does not read: telephones, browsers, messengers, videos' sound.

FFmpeg is given an open file and the one container that it may be: left to itself it would guess, and follow playlists
and addresses. Only decoders of audio are let run, in one thread.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cache
from itertools import chain
from typing import BinaryIO

import av
import numpy as np
import soxr
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec import Codec, CodecContext, codecs_available
from av.container import InputContainer
from av.packet import Packet

from ser.audio.codec_delays import Delay, delay_of
from ser.audio.container_headers import DEMUXERS, sound_of
from ser.audio.recordings import Signal, UnusableAudioError, codec_name, truncated

EDGE = 1  # packets at either end of a stream of frames that may be cut: it was recorded on its way
STREAMS = {"MPEG", "ADTS", "LOAS", "AC3", "EAC3", "DTS", "GSM", "G722", "AMR", "MPEG_TS", "MPEG_PS"}  # of such frames
COUNTED = {"APE", "WAVPACK", "TTA", "DSF"}  # whose header counts the samples, exactly
BOUNDED = {"MP4"}  # whose durations end before the padding of the last frame
ENCRYPTED = ("drms", "enca", "aavd")  # sample entries of FairPlay, Common Encryption, Audible
LOCKED = "encrypted: only the program it was bought for plays it"
AMR_DECODERS = {"amrnb": "libopencore_amrnb", "amrwb": "libopencore_amrwb"}
MOST_PLANES = 7  # channels apart; of more PyAV reads on behind the list of their places
BLOCK = 1 << 16  # samples that are gathered from frames before they are handed on
CUT_BYTES = 1 << 13  # of a frame that was cut, and of tags behind it
HELD = 1 << 13  # samples that are held back, as the end may cut some of them off: two frames of the longest codec


class _Reader:
    """A file without a name, from a place on; a seek to nowhere leads to one of its ends."""

    def __init__(self, file: BinaryIO, start: int):
        self._file, self._start = file, start
        self._size = file.seek(0, os.SEEK_END)
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        target = offset + {os.SEEK_SET: self._start, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._size}[whence]
        return self._file.seek(min(max(target, self._start), self._size)) - self._start


def _refuse_to_open(url: str, flags: int, options: dict) -> None:
    raise PermissionError("no other file is opened")


@contextmanager
def ffmpeg_signal(file: BinaryIO, kind: str, start: int = 0, stated_packets: int = 0) -> Iterator[Signal]:
    """Open a file with FFmpeg.

    Parameters
    ----------
    file : binary file
    kind : str
        One of `ser.audio.container_headers.DEMUXERS`.
    start : int
        Where the container begins.
    stated_packets : int
        How many packets the file says it has; 0: it does not say.

    Raises
    ------
    UnusableAudioError
        If it holds no audio, or is encrypted, damaged or of a codec that FFmpeg has no decoder of; from the blocks of
        the signal too.
    """
    try:
        with open_container(file, kind, start) as container:
            yield _signal(container, kind, stated_packets)
    except av.FFmpegError as error:
        raise UnusableAudioError(f"not readable as audio: {error.strerror}") from None


def open_container(file: BinaryIO, kind: str, start: int = 0) -> InputContainer:
    """Open a file as one kind of container, with no other file or address and no decoder but those of audio in reach.

    Raises
    ------
    av.FFmpegError
        If it is none.
    """
    return open_reader(_Reader(file, start), kind, {})


def open_reader(reader: object, kind: str, options: dict[str, str]) -> InputContainer:
    """Open what has ``read`` and, if it can, ``seek`` and ``tell``, with further options of FFmpeg; as above."""
    return av.open(
        reader,
        format=DEMUXERS[kind],
        container_options=options
        | {
            "format_whitelist": DEMUXERS[kind],
            "codec_whitelist": _audio_decoders(),
            "protocol_whitelist": "none",
        },
        metadata_errors="replace",
        io_open=_refuse_to_open,
    )


@cache
def _audio_decoders() -> str:
    """Return the names of all decoders of audio: whatever else a file holds is not looked at."""
    return ",".join(sorted(name for name in codecs_available if _is_audio_decoder(name)))


def _is_audio_decoder(name: str) -> bool:
    try:
        return Codec(name, "r").type == "audio"
    except ValueError:  # only encodes
        return False


def _signal(container: InputContainer, kind: str, stated_packets: int) -> Signal:
    stream = container.streams.best("audio")
    if container.streams.audio and (stream is None or stream.codec_context is None):
        raise UnusableAudioError("not readable as audio: of a codec that no decoder here knows, or encrypted")
    if stream is None:
        others = ", ".join(sorted({other.type for other in container.streams})) or "nothing"
        raise UnusableAudioError(f"no audio in it, only {others}")
    codec = stream.codec_context
    with suppress(UnicodeDecodeError):  # the tag is a number in most containers
        if codec.codec_tag in ENCRYPTED:
            raise UnusableAudioError(LOCKED)
    extradata = codec.extradata or b""
    manual = delay_of(codec.name, 0, 0, extradata, container.metadata).manual
    if manual:
        codec.options = {"flags2": "+skip_manual"}
    decoding = _Decoding(stream, kind, manual, stated_packets)
    frames = decoding.frames(container)
    first = next(frames, None)
    if first is None:
        raise truncated(0.0) if kind in COUNTED else UnusableAudioError("no samples")
    rate, channels = first.sample_rate, first.layout.nb_channels
    delay = delay_of(codec.name, rate, first.samples, extradata, container.metadata)
    delay = delay._replace(samples=0) if decoding.skipped else delay
    promised = round(stream.duration * stream.time_base * rate) if kind in COUNTED and stream.duration else None
    encoding = f"{_container_name(container, kind)} {codec_name(codec.name)}"
    return Signal(rate, channels, encoding, decoding.blocks(chain([first], frames), channels, delay), promised)


class _Decoding:
    """A stream on its way from packets to blocks of samples, and what is learnt of its ends meanwhile."""

    def __init__(self, stream: AudioStream, kind: str, manual: bool, stated_packets: int):
        self.stream, self.kind, self.manual, self.stated_packets = stream, kind, manual, stated_packets
        self.decoder = _decoder(stream)
        self.skipped = 0  # samples before the recording, as the container states them
        self.padding = 0  # samples behind it, as the last packet states them
        self.seconds = Fraction(0)  # of all packets, as stated
        self.reached = 0  # bytes, where the last packet ends; 0: unknown

    def frames(self, container: InputContainer) -> Iterator[AudioFrame]:
        """Decode packet by packet; an error is that of the file, but at the ends of a stream of frames."""
        failed: list[int] = []
        count = 0
        for packet in self._packets(container):
            count += packet.size > 0
            self._look_at(packet, count)
            sound = self._sound(packet)
            try:
                if sound is None or sound.size:
                    yield from self.decoder.decode(sound)
            except av.FFmpegError:
                failed.append(count)
            if len(failed) > 2 * EDGE:
                break
        edges = {*range(EDGE + 1), *range(count - EDGE + 1, count + 1)} if self.kind in STREAMS else set()
        if {*failed} - edges:
            raise UnusableAudioError("damaged: a part of it cannot be decoded")
        if count < self.stated_packets - 1:  # some count the frame that holds the count
            raise truncated(float(self.seconds))

    def _packets(self, container: InputContainer) -> Iterator[Packet]:
        try:
            yield from container.demux(self.stream)
        except IndexError:  # of PyAV, behind the last packet, about streams that were not there at the start
            pass
        except av.FFmpegError:
            # the last frame of a stream may be cut, and tags are no block of a file that counts its samples
            if not (self.kind in STREAMS or (self.kind in COUNTED and self.stream.duration)):
                raise
            if self.kind in STREAMS and container.size - (self.reached or container.size) > CUT_BYTES:
                raise UnusableAudioError("damaged: what is no audio lies amid it") from None

    def _sound(self, packet: Packet) -> Packet | None:
        """Return what is to be decoded of a packet; None, which ends the stream, of the empty one behind the last."""
        if not packet.size or not self.decoder.name.startswith("mp3"):
            return packet if packet.size else None
        sound = sound_of(bytes(packet))
        return packet if len(sound) == packet.size else Packet(sound)

    def _look_at(self, packet: Packet, count: int) -> None:
        if packet.has_sidedata("encryption_info"):
            raise UnusableAudioError(LOCKED)
        if packet.is_corrupt and self.kind not in STREAMS:
            raise UnusableAudioError("truncated: the file ends within a packet")
        self.seconds += (packet.duration or 0) * self.stream.time_base
        self.reached = packet.pos + packet.size if packet.pos else self.reached
        if packet.has_sidedata("skip_samples"):
            stated = bytes(packet.get_sidedata("skip_samples"))
            self.padding = int.from_bytes(stated[4:8], "little")
            if count == 1 and not self.manual:
                self.skipped = int.from_bytes(stated[:4], "little")
        elif packet.size:
            self.padding = 0

    def blocks(self, frames: Iterator[AudioFrame], channels: int, delay: Delay) -> Iterator[np.ndarray]:
        """Gather frames to blocks of shape (samples, channels), all at the rate of the first one, without the delay."""
        drop, count, longest, rate = delay.samples, 0, 0, 0
        held = np.empty((0, channels), np.float32)
        for group in _groups(frames):
            rate = rate or group[0].sample_rate
            longest = max(longest, *(frame.samples for frame in group))
            y = np.concatenate([frame_samples(frame, channels) for frame in group])
            if group[0].sample_rate != rate:
                y = soxr.resample(y, group[0].sample_rate, rate)
            held = np.concatenate([held, y[drop:]])
            drop -= min(drop, len(y))
            if len(held) > HELD:
                yield held[:-HELD]
                count += len(held) - HELD
                held = held[-HELD:]
        end = self._end(count + len(held), longest, rate, delay) if delay.heed_end else count + len(held)
        yield held[: max(0, end - count)]

    def _end(self, samples: int, longest: int, rate: int, delay: Delay) -> int:
        """Return where the recording ends, if what is stated behind it can be the padding of a frame."""
        stated = [samples - self.padding] if self.manual else []  # or FFmpeg has taken it off
        if self.kind in BOUNDED:
            stated.append(round(self.seconds * rate) - self.skipped - delay.samples)
        if self.kind in BOUNDED and self.stream.duration:
            stated.append(round(self.stream.duration * self.stream.time_base * rate))
        return min([samples, *(end for end in stated if end > samples - longest)])


def _decoder(stream: AudioStream) -> AudioCodecContext:
    """Return the decoder of a stream; FFmpeg's own of AMR knows no comfort noise, which telephones send in pauses."""
    codec = stream.codec_context
    codec.thread_count = 1
    if codec.name not in AMR_DECODERS:
        return codec
    decoder = CodecContext.create(AMR_DECODERS[codec.name], "r")
    decoder.sample_rate, decoder.layout = codec.sample_rate, "mono"
    return decoder


def _groups(frames: Iterator[AudioFrame]) -> Iterator[list[AudioFrame]]:
    """Gather frames of one rate: `BLOCK` samples of the first rate, of another all that follow each other."""
    group: list[AudioFrame] = []
    first_rate, count = 0, 0
    for frame in frames:
        first_rate = first_rate or frame.sample_rate
        if group and (frame.sample_rate != group[0].sample_rate or (count > BLOCK and frame.sample_rate == first_rate)):
            yield group
            group, count = [], 0
        group.append(frame)
        count += frame.samples
    if group:
        yield group


def frame_samples(frame: AudioFrame, channels: int) -> np.ndarray:
    """Return the samples of a frame as float32 of full scale 1, shape (samples, channels)."""
    if frame.format.is_planar and frame.layout.nb_channels > MOST_PLANES:
        together = AudioResampler(frame.format.packed, frame.layout, frame.sample_rate)
        return np.concatenate([frame_samples(part, channels) for part in together.resample(frame)])
    y = frame.to_ndarray()
    y = y.T if frame.format.is_planar else y.reshape(frame.samples, -1)
    if y.dtype.kind != "f":
        y = (y.astype(np.float64) - (128 if y.dtype.kind == "u" else 0)) / 2.0 ** (8 * y.dtype.itemsize - 1)
    if y.shape[1] != channels:  # a stream may change on its way
        y = np.repeat(y.mean(axis=1, keepdims=True), channels, axis=1)
    return y.astype(np.float32)


def _container_name(container: InputContainer, kind: str) -> str:
    brand = container.metadata.get("major_brand", "")
    if kind == "MP4":
        return "MOV" if brand.startswith("qt") else "3GP" if brand.startswith("3g") else "MP4"
    return {"MPEG": "MP3", "RIFF": "WAV", "ADTS": "AAC"}.get(kind, kind)
