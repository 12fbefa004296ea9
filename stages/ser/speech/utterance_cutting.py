"""Speech in a recording, cut at pauses into utterances as it comes in."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np

from ser.speech.voice_activity import FRAME, RATE, Frames, VoiceActivity

HYSTERESIS = 0.15  # speech ends below the threshold by this
LEAST_SPEECH = 0.5  # share of an utterance, without its padding
REACH = 19  # frames, 0.6 s: what stands out from the noise so near to speech belongs to it, such as a breath
HOLD = 2  # frames, 64 ms, that need not stand out on the way there
HANGOVER = 3  # frames, 96 ms, for which the network takes noise for speech that has just ended
BLOCK = FRAME * 1024  # samples that are judged at a time


class CuttingSettings(Protocol):
    """How utterances are cut; seconds but for the threshold."""

    @property
    def min_seconds(self) -> float: ...

    @property
    def max_seconds(self) -> float: ...

    @property
    def pause(self) -> float: ...

    @property
    def threshold(self) -> float: ...

    @property
    def padding(self) -> float: ...


class Cutting(NamedTuple):
    """How a timeline is cut, chosen on speech stitched from seven speakers of RAVDESS and EMO-DB in noise 20 dB below.

    Attributes
    ----------
    min_seconds, max_seconds : float
        s of an utterance.
    pause : float
        s of silence that end one.
    threshold : float
        Of the probability of speech.
    padding : float
        s before and after.
    """

    min_seconds: float = 0.3
    max_seconds: float = 8.0
    pause: float = 0.35
    threshold: float = 0.4
    padding: float = 0.075


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
    activity, cutter = VoiceActivity(), UtteranceCutter(settings)
    found = []
    for start in range(0, len(samples), BLOCK):
        found += cutter.feed(activity.feed(samples[start : start + BLOCK].astype(np.float32) / np.float32(32768.0)))
    found += cutter.feed(activity.finish())
    return found + cutter.finish(len(samples))


class UtteranceCutter:
    """What is known of the utterances of a recording so far.

    Cut at pauses; within speech only where it goes on for too long without any, at the longest gap or the quietest
    frame.

    Parameters
    ----------
    settings : CuttingSettings
    """

    def __init__(self, settings: CuttingSettings):
        self._threshold, self._padding = settings.threshold, round(settings.padding * RATE)
        self._least = round(settings.min_seconds * RATE)
        self._longest = int((settings.max_seconds * RATE - 2 * self._padding) // FRAME)
        self._shortest = int(-(-max(settings.min_seconds * RATE - 2 * self._padding, FRAME) // FRAME))
        self._pause = settings.pause * RATE / FRAME  # frames
        # after so many frames without speech all is known that the end of an utterance depends on
        self._settled = max(self._pause, REACH + HOLD, 2 * self._padding / FRAME)
        self._base = 0  # the number of the first frame that is kept
        self._speech: list[bool] = []
        self._level: list[float] = []
        self._above: list[float] = []
        self._within = False
        self._passages: list[list[int]] = []  # those that are not handed on: first frame, and the one after the last
        self._end = 0  # the frame at which the utterance before ends

    @property
    def _count(self) -> int:
        return self._base + len(self._speech)

    @property
    def speaking_since(self) -> int | None:
        """The sample at which the speech begins that goes on; None in a pause."""
        if self._passages and self._count - self._passages[-1][1] < self._pause:
            return self._passages[-1][0] * FRAME
        return None

    @property
    def settled(self) -> int:
        """The sample before which no utterance begins that is still to come."""
        first = self._passages[0][0] if self._passages else self._count
        return max(max(first - REACH - HOLD, self._end) * FRAME - self._padding, 0)

    def feed(self, frames: Frames) -> list[tuple[int, int]]:
        """Take in frames, and return the utterances that are finished by them, as `find_utterances` does."""
        found: list[tuple[int, int]] = []
        for p, level, above in zip(*(values.tolist() for values in frames), strict=True):
            self._within = p >= self._threshold or (self._within and p >= self._threshold - HYSTERESIS)
            number = self._count
            self._speech.append(self._within)
            self._level.append(level)
            self._above.append(above)
            if self._within:
                if self._passages and number - self._passages[-1][1] < self._pause:
                    self._passages[-1][1] = number + 1
                else:
                    self._passages.append([number, number + 1])
            found += self._finished()
        self._forget()
        return found

    def finish(self, length: int) -> list[tuple[int, int]]:
        """Return the last utterances.

        Parameters
        ----------
        length : int
            Samples of the recording.
        """
        found: list[tuple[int, int]] = []
        while self._passages:
            found += self._cut(self._passages.pop(0), length)
        return found

    def _finished(self) -> Iterator[tuple[int, int]]:
        while self._passages:
            first, last = self._passages[0]
            if len(self._passages) > 1 or self._count - last >= self._settled:
                yield from self._cut(self._passages.pop(0), self._count * FRAME)
            elif last - first >= 2 * self._longest:
                yield from self._shorten(self._passages[0])
            else:
                return

    def _shorten(self, passage: list[int]) -> Iterator[tuple[int, int]]:
        """Cut off the first part of speech that goes on and on."""
        first, last = passage
        parts = _split(0, last - first, *self._of(first, last), self._shortest, self._longest)
        start = first + parts[1][0]
        passage[0] = start
        yield from self._cut([first, first + parts[0][1]], start * FRAME, next_start=start)

    def _of(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        kept = slice(first - self._base, last - self._base)
        return np.array(self._speech[kept]), np.array(self._level[kept])

    def _cut(self, passage: list[int], length: int, next_start: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield the utterances of a passage: refined at its ends, split where it is too long, padded."""
        if next_start is None and self._passages:
            next_start = self._passages[0][0]
        begin, finish = passage
        speech, level = self._of(begin, finish)
        parts = [
            [begin + start, begin + end]
            for start, end in _split(0, finish - begin, speech, level, self._shortest, self._longest)
            if speech[start:end].mean() >= LEAST_SPEECH
        ]
        if parts:
            parts[0][0] = self._refined(parts[0][0], -1, max(self._end, parts[0][1] - self._longest), parts[0][1])
            most = min(self._count if next_start is None else next_start, parts[-1][0] + self._longest)
            parts[-1][1] = self._refined(parts[-1][1], 1, most, parts[-1][0])
        for number, (start, end) in enumerate(parts):
            # of the silence between two, each gets its half at most
            following = parts[number + 1][0] if number + 1 < len(parts) else next_start
            before = (self._end + start) * FRAME // 2 if self._end else 0
            after = length if following is None else (end + following) * FRAME // 2
            first = max(before, start * FRAME - self._padding)
            last = min(after, end * FRAME + self._padding, length)
            self._end = end
            if last - first >= self._least:
                yield first, last

    def _refined(self, edge: int, way: int, limit: int, other: int) -> int:
        """Move an edge of speech to where what stands out from the noise begins or ends.

        Parameters
        ----------
        edge : int
            The first frame, or the one after the last.
        way : int
            -1 of the first, 1 of the last.
        limit, other : int
            How far it may be moved out, and where the other edge is.
        """

        def stands_out(frame: int) -> bool:
            return self._above[frame - self._base] > 0

        outermost = min(edge + REACH, limit) if way > 0 else max(edge - REACH, limit, self._base)
        place, found = edge, edge
        while place != outermost and abs(place - found) <= HOLD:
            place += way
            if stands_out(place - (way > 0)):
                found = place
        if found != edge:
            return found
        for _ in range(HANGOVER):
            if abs(edge - other) <= self._shortest or not self._above[edge - (way > 0) - self._base] <= 0:
                break
            edge -= way
        return edge

    def _forget(self) -> None:
        first = self._passages[0][0] if self._passages else self._count
        surplus = max(first - REACH - HOLD, 0) - self._base
        if surplus > 0:
            self._base += surplus
            for kept in (self._speech, self._level, self._above):
                del kept[:surplus]


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
        low, high = max(low, start + longest // 2), min(high, start + longest)  # not into splinters
        last = first = low + int(np.argmin(level[low : max(high, low + 1)]))
    return _split(start, last, speech, level, shortest, longest) + _split(first, end, speech, level, shortest, longest)
