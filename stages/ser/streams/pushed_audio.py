"""Audio that a client sends while it is recorded, decoded as it comes in."""

import json
import threading
from contextlib import suppress

import numpy as np

from ser.audio.decoder_process import end_process, send, start_process
from ser.audio.recordings import UnusableAudioError
from ser.streams.block_decoder import PUSHED, signals


class PushedDecoder:
    """A decoder of WebM, which browsers record: bytes go in, samples come out; several threads may call it.

    Parameters
    ----------
    max_seconds : float
        s, after which no more is decoded.

    Attributes
    ----------
    sample_rate : int or None
        Hz; None until the first samples have come out.
    """

    def __init__(self, max_seconds: float):
        self.sample_rate: int | None = None
        self._process = start_process(PUSHED)
        send(self._process.stdin, json.dumps({"max_seconds": max_seconds}).encode())
        self._lock = threading.Lock()
        self._decoded: list[np.ndarray] = []
        self._error: Exception | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def push(self, content: bytes) -> None:
        """Hand on what has come in.

        Raises
        ------
        UnusableAudioError
            If what came before could not be decoded.
        """
        try:
            self._process.stdin.write(content)
            self._process.stdin.flush()
        except (OSError, ValueError):  # the other process has ended, and said why; or `finish` was called
            self._reader.join()
            raise self._error or UnusableAudioError("more was sent after the end") from None

    def take(self) -> np.ndarray:
        """Return what was decoded since the last call, float32 of shape (samples,), the mean of the channels.

        Raises
        ------
        UnusableAudioError
            If it cannot be decoded.
        """
        with self._lock:
            decoded, self._decoded = self._decoded, []
            error = self._error
        if error and not decoded:
            raise error
        return np.concatenate([np.empty(0, np.float32), *decoded])

    def finish(self) -> np.ndarray:
        """Return the last samples: nothing more will be pushed; see `take`."""
        with suppress(OSError):
            self._process.stdin.close()
        self._reader.join()
        y = self.take()
        if self._error:
            raise self._error
        return y

    def close(self) -> None:
        """End it, whatever it does."""
        end_process(self._process)

    def _read(self) -> None:
        try:
            for signal in signals(self._process):
                self.sample_rate = signal.sample_rate
                for block in signal.blocks:
                    with self._lock:
                        self._decoded.append(block.mean(axis=1, dtype=np.float32))
        except Exception as error:
            self._error = error
