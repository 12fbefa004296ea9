"""Ways of writing a format, each from a WAV file of 16 bits: a command, libsndfile, the encoders of AMR."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

EXACT, PLACED = 0, 1  # in place of a codec's frame: the very samples; as many samples at the same places
SECONDS = 60  # that a writer may take
AMR_WB_BEST = 8  # mode of 23.85 kbit/s


class NotWrittenError(Exception):
    """A format that cannot be written here; the message says why."""


class Row(NamedTuple):
    """A format and a writer.

    Attributes
    ----------
    frame : int
        Samples by which the file may be longer than what it was made from, of the codec at the decoded rate; `EXACT`
        where the samples are to come back, `PLACED` where as many are to come back at the same places.
    write : callable
        From a WAV file to what stands beside it under the same name with another `suffix`.
    delay : str
        By what the codec's delay is known.
    """

    format: str
    writer: str
    sample_rate: int
    suffix: str
    frame: int
    write: Callable[[Path, Path], None]
    delay: str = ""
    note: str = ""
    dropped: int = 0  # samples at the decoded rate that the writer may leave out at the end


def run_tool(command: str, wav: Path, target: Path) -> None:
    """Run a command in which ``{wav}`` and ``{out}`` are files; without the latter what it prints is the file."""
    words = [word.format(wav=wav, out=target) for word in command.split()]
    if shutil.which(words[0]) is None:
        raise NotWrittenError(f"{words[0]} is not installed")
    with open(target if "{out}" not in command else "/dev/null", "wb") as printed:
        run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.PIPE, timeout=SECONDS)
    if run.returncode or not target.is_file() or target.stat().st_size == 0:
        last = run.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing was written"]
        raise NotWrittenError(last[0][:120])


def tool(name: str, writer: str, rate: int, suffix: str, frame: int, command: str, **more: str) -> Row:
    """Return a row whose writer is a command."""
    return Row(name, writer, rate, suffix, frame, partial(run_tool, command), **more)


def ffmpeg(name: str, rate: int, suffix: str, frame: int, options: str, **more: str) -> Row:
    """Return a row of FFmpeg's."""
    command = f"ffmpeg -nostdin -v error -y -i {{wav}} {options} {{out}}"
    return tool(name, "FFmpeg", rate, suffix, frame, command, **more)


def ffmpeg_pipe(name: str, rate: int, suffix: str, options: str, **more: str) -> Row:
    """Return a row of FFmpeg writing to a pipe, where it cannot go back to the header."""
    return tool(
        name, "FFmpeg to a pipe", rate, suffix, EXACT, f"ffmpeg -nostdin -v error -i {{wav}} {options} -", **more
    )


def sox(name: str, rate: int, suffix: str, frame: int, options: str = "", **more: str) -> Row:
    """Return a row of SoX's."""
    return tool(name, "SoX", rate, suffix, frame, f"sox -D {{wav}} {options} {{out}}", **more)


def write_sndfile(kind: str, subtype: str, wav: Path, target: Path, **options: object) -> None:
    samples, rate = soundfile.read(wav, dtype="float64")
    try:
        soundfile.write(target, samples, rate, format=kind, subtype=subtype, **options)
    except (soundfile.SoundFileError, ValueError) as error:
        raise NotWrittenError(str(getattr(error, "error_string", error))) from None


def sndfile(name: str, rate: int, suffix: str, frame: int, kind: str, subtype: str, **more: object) -> Row:
    """Return a row of libsndfile's."""
    told = {key: more.pop(key) for key in ("delay", "note") if key in more}
    return Row(name, "libsndfile", rate, suffix, frame, partial(write_sndfile, kind, subtype, **more), **told)


def write_amr_nb(bit_rate: int, wav: Path, target: Path) -> None:
    """Write narrow-band AMR with the encoder in PyAV's FFmpeg (Debian's has none)."""
    import av

    samples, rate = soundfile.read(wav, dtype="int16")
    try:
        with av.open(str(target), "w", format="amr") as container:
            stream = container.add_stream("libopencore_amrnb", rate=rate, layout="mono")
            stream.bit_rate = bit_rate
            for start in range(0, len(samples), 160):
                frame = av.AudioFrame.from_ndarray(samples[None, start : start + 160], "s16", "mono")
                frame.sample_rate, frame.pts = rate, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (av.FFmpegError, av.codec.codec.UnknownCodecError) as error:
        raise NotWrittenError(f"PyAV: {error}") from None


def write_amr_wb(pauses_left_out: bool, wav: Path, target: Path) -> None:
    """Write wide-band AMR with the library of VisualOn that Android has."""
    try:
        library = ctypes.CDLL("libvo-amrwbenc.so.0")
    except OSError:
        raise NotWrittenError("libvo-amrwbenc0 is not installed") from None
    library.E_IF_init.restype = ctypes.c_void_p
    library.E_IF_encode.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    library.E_IF_exit.argtypes = [ctypes.c_void_p]
    samples, _ = soundfile.read(wav, dtype="int16")
    frames = np.pad(samples, (0, -len(samples) % 320)).reshape(-1, 320)
    coded, packet = [b"#!AMR-WB\n"], ctypes.create_string_buffer(512)
    state = library.E_IF_init()
    for frame in frames:
        size = library.E_IF_encode(state, AMR_WB_BEST, frame.ctypes.data, packet, pauses_left_out)
        coded.append(packet.raw[:size])
    library.E_IF_exit(state)
    target.write_bytes(b"".join(coded))


def through(first: Callable[[Path, Path], None], suffix: str, command: str, wav: Path, target: Path) -> None:
    """Write a file and let a command turn it into another container."""
    between = target.with_name(f"{target.stem}-between{suffix}")
    first(wav, between)
    run_tool(command, between, target)
    between.unlink()
