"""A process of its own for decoders of compressed audio: what kills one costs the file that did, and nothing else.

Such decoders are megabytes of C that a hostile or broken file leads anywhere. So they run beside this process, with
limits of processor time and memory, and without a standard error that they would fill with remarks. A thread keeps its
process for all its files; it ends with this one.
"""

import io
import json
import os
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np

from ser.audio.recordings import MAX_RATE, Recording, UnusableAudioError
from ser.errors import InputError

try:
    import resource
except ImportError:  # Windows, where nothing limits it
    resource = None

CPU_SECONDS = 2.0  # of processor time for a file, and besides
CPU_PER_SECOND = 0.05  # for each second that it may be long: decoding takes less than a hundredth
MEMORY = 2 << 30  # bytes of address space for the libraries and a file's tables, and besides
BYTES_PER_SECOND = 16 * MAX_RATE  # for each second that it may be long: blocks, the samples of all and their copy
LENGTH = struct.Struct("<Q")
START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ser.audio.decoder_process import serve; serve()"
SINGLE_THREADED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
TOO_LONG = "it keeps the decoder busy for ever: damaged, or made to be so"
DIED = "the decoder crashed on it: damaged, or made to do so"
FAILED = "the decoder failed on it, with {}: damaged, or made to do so"

_own = threading.local()  # the `_Decoder` of this thread
if hasattr(os, "register_at_fork"):  # nothing forks on Windows
    os.register_at_fork(after_in_child=_own.__dict__.clear)  # the parent's is not ours


def decode_apart(
    file: BinaryIO, path: str | None, max_seconds: float, name: str, channel: int | None = None
) -> Recording:
    """Decode a file in the other process; see `ser.audio.compressed_decoding.decode_compressed`.

    Parameters
    ----------
    file : binary file
    path : str or None
        Where it lies; None: it is in memory, and sent.
    max_seconds : float
        s.
    name : str
    channel : int or None

    Raises
    ------
    UnusableAudioError
        Also if the decoder crashes, or takes too much time or memory.
    """
    # the real path, as /dev/stdin is another file in the other process
    request: dict = {"max_seconds": max_seconds, "name": name, "channel": channel}
    request["path"] = path and os.path.realpath(path)
    content = b""
    if path is None:
        file.seek(0)
        content = file.read()
    with _process() as process:
        try:
            send(process.stdin, json.dumps(request).encode())
            send(process.stdin, content)
            reply = json.loads(receive(process.stdout))
            samples = receive(process.stdout)
        except (EOFError, BrokenPipeError):
            raise death(process) from None
    if "refused" in reply:
        raise UnusableAudioError(reply["refused"])
    if "os_error" in reply:
        raise OSError(*reply["os_error"], path)
    different = tuple(reply.pop("different"))
    return Recording(np.frombuffer(samples, np.float32).copy(), **reply, different=different)


def serve() -> None:
    """Answer requests until there are no more; runs in the other process."""
    from ser.audio.compressed_decoding import decode_compressed

    requests, replies = ready()
    while True:
        try:
            request = json.loads(receive(requests))
            content = receive(requests)
        except EOFError:
            return
        limit(request["max_seconds"])
        reply, y = _answer(decode_compressed, request, content)
        send(replies, json.dumps(reply).encode())
        send(replies, y)
        limit(request["max_seconds"])  # what is left to clean up may take long, and not be taken from the next file


def ready() -> tuple[BinaryIO, BinaryIO]:
    """Return what requests are read from and replies written to, in the other process, which says that it is there."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no reply
    send(replies, b"ready")
    return sys.stdin.buffer, replies


def _answer(decode, request: dict, content: bytes) -> tuple[dict, bytes]:
    try:
        with open(request["path"], "rb") if request["path"] else io.BytesIO(content) as file:
            recording = decode(file, request["max_seconds"], request["name"], request["channel"])
    except Exception as error:
        return refusal(error), b""
    return {key: value for key, value in recording._asdict().items() if key != "y"}, recording.y.tobytes()


def refusal(error: Exception) -> dict:
    """Return the reply to a request that failed."""
    if isinstance(error, UnusableAudioError):
        return {"refused": str(error)}
    if isinstance(error, MemoryError):
        return {"refused": "it asks for more memory than its length explains: damaged, or made to do so"}
    if isinstance(error, OSError):
        return {"os_error": [error.errno, error.strerror]}
    # what a binding does not expect of a file costs that file and not the run either
    return {"refused": FAILED.format(type(error).__name__)}


def limit(max_seconds: float) -> None:
    """Allow the processor time and memory of so many seconds more, in the other process."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime + CPU_SECONDS + CPU_PER_SECOND * max_seconds
    memory = MEMORY + int(BYTES_PER_SECOND * max_seconds)
    for what, value in ((resource.RLIMIT_CPU, int(seconds) + 1), (resource.RLIMIT_AS, memory)):
        hard = resource.getrlimit(what)[1]
        with suppress(ValueError, OSError):  # macOS refuses one of address space that is below what is mapped
            resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Decoder:
    """The other process; it is ended when the thread that had it is."""

    def __init__(self):
        self.process = start_process(START)
        self.end = weakref.finalize(self, end_process, self.process)


def start_process(code: str, descriptors: tuple[int, ...] = ()) -> subprocess.Popen:
    """Start another process, and wait until it is `ready`.

    Parameters
    ----------
    code : str
        Python, which is run with this process's path.
    descriptors : tuple of int
        Of open files that the other process gets too, under the same numbers.

    Raises
    ------
    InputError
        If it ends instead.
    """
    process = subprocess.Popen(
        # -P: a json.py that lies where a person works, amid downloads, is not run
        [sys.executable, "-P", "-S", "-c", code, json.dumps([x for x in sys.path if isinstance(x, str)])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | SINGLE_THREADED,
        pass_fds=descriptors,
    )
    try:
        receive(process.stdout)
    except EOFError:
        end_process(process)
        raise InputError(
            f"no decoder of compressed audio: `{sys.executable} -c 'import av, soundfile'` says why"
        ) from None
    return process


def end_process(process: subprocess.Popen) -> None:
    """End the other process, whatever it does."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            pipe.close()


def death(process: subprocess.Popen) -> UnusableAudioError:
    """Return why the other process has ended."""
    out_of_time = resource is not None and process.wait() == -_signal_number("SIGXCPU")
    return UnusableAudioError(TOO_LONG if out_of_time else DIED)


@contextmanager
def _process() -> Iterator[subprocess.Popen]:
    """Lend this thread's process, started if need be; one whose exchange was broken off is ended."""
    decoder = getattr(_own, "decoder", None)
    if decoder is None or decoder.process.poll() is not None:
        decoder = _own.decoder = _Decoder()
    try:
        yield decoder.process
    except BaseException:
        del _own.decoder
        decoder.end()
        raise


def _signal_number(name: str) -> int:
    import signal

    return int(getattr(signal, name))


def send(pipe: BinaryIO, content: bytes) -> None:
    """Write a message."""
    pipe.write(LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes:
    """Read a message; `EOFError` if there is none any more."""
    length = LENGTH.unpack(_exactly(pipe, LENGTH.size))[0]
    return _exactly(pipe, length)


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    content = pipe.read(count)
    if len(content) < count:
        raise EOFError
    return content
