"""One channel of a recording on its way to a timeline: speech is found as it comes in, and each utterance predicted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import soxr

from ser.audio.recordings import UnusableAudioError
from ser.prediction.asked_timeline import Asked, Windows
from ser.prediction.clip_inputs import SHORTEST
from ser.speech.utterance_cutting import Cutting, UtteranceCutter
from ser.speech.voice_activity import RATE, VoiceActivity
from ser.timelines.segments import PEAKS_PER_SECOND, Channel, Segment

if TYPE_CHECKING:
    from ser.prediction.answers import Prediction
    from ser.prediction.trained_model import TrainedModel

HEARD_SECONDS = 3.0  # s of speech that an answer while somebody speaks is of
PEAK = RATE // PEAKS_PER_SECOND  # samples


class ChannelTimeline:
    """What is known of a channel so far; how it is cut into blocks makes no difference.

    Parameters
    ----------
    model : TrainedModel
    asked : Asked
    """

    def __init__(self, model: TrainedModel, asked: Asked):
        self._model, self._asked = model, asked
        self._rate: int = model.sample_rate  # Hz, that the model hears
        self._activity, self._cutter = VoiceActivity(), UtteranceCutter(Cutting())
        self._resampling: _Resampling | None = None
        self._samples = _Samples()
        self._judged = 0  # samples at `RATE` that the detector got
        self._peaks: list[np.ndarray] = []
        self._peak_rest = np.empty(0, np.float32)
        self._speech: list[tuple[float, float]] = []  # s, utterances that windows have not passed
        self._step = 0  # the number of the next window
        self._segments: list[Segment] = []
        self._before = 0.0  # s that came in at other rates

    @property
    def seconds(self) -> float:
        """How many s have come in."""
        return self._before + (self._resampling.seconds if self._resampling else 0.0)

    def feed(self, y: np.ndarray, sample_rate: int) -> list[Segment]:
        """Take in samples, and return the segments of speech that are finished by them.

        Parameters
        ----------
        y : np.ndarray of float32, shape (samples,)
            Full scale 1.
        sample_rate : int
            Hz.
        """
        if self._resampling is None or self._resampling.sample_rate != sample_rate:
            self._flush()
            self._resampling = _Resampling(sample_rate, self._rate)
        to_model, to_detector = self._resampling.feed(y)
        self._samples.append(to_model)
        return self._finished(self._judge(to_detector))

    def now(self) -> tuple[bool, Prediction | None]:
        """Return whether somebody is speaking, and what the last seconds of it sound like, if that can be said."""
        since = self._cutter.speaking_since
        if since is None:
            return False, None
        end = self._samples.end
        start = max(round(since * self._rate / RATE), end - round(HEARD_SECONDS * self._rate))
        return True, self._predicted(start, end)[0]

    def finish(self) -> Channel:
        """Return the whole: nothing more will come in."""
        self._flush()
        found = self._judge(np.empty(0, np.float32))
        found += self._cutter.feed(self._activity.finish())
        found += self._cutter.finish(self._judged)
        self._finished(found, last=True)
        peaks = self._peaks
        if len(self._peak_rest):
            peaks = [*peaks, np.abs(self._peak_rest).max(keepdims=True)]
        envelope = np.concatenate([np.empty(0, np.float32), *peaks])
        return Channel(tuple(with_pauses(self._segments, self.seconds)), envelope)

    def _flush(self) -> None:
        if self._resampling is not None:
            to_model, to_detector = self._resampling.feed(np.empty(0, np.float32), last=True)
            self._samples.append(to_model)
            self._finished(self._judge(to_detector))
            self._before, self._resampling = self.seconds, None

    def _judge(self, y: np.ndarray) -> list[tuple[int, int]]:
        self._judged += len(y)
        together = np.concatenate([self._peak_rest, y])
        whole = len(together) // PEAK * PEAK
        self._peak_rest = together[whole:]
        if whole:
            self._peaks.append(np.abs(together[:whole].reshape(-1, PEAK)).max(axis=1))
        return self._cutter.feed(self._activity.feed(y))

    def _finished(self, utterances: list[tuple[int, int]], *, last: bool = False) -> list[Segment]:
        times = [(start / RATE, min(end / RATE, self.seconds)) for start, end in utterances]
        if self._asked.windows:
            self._speech += times
            finished = list(self._windows(self._asked.windows, last=last))
        else:
            finished = [self._segment(start, end, start, end) for start, end in times]
        self._segments += finished
        settled = self._cutter.settled / RATE
        if self._asked.windows:
            settled = min(settled, self._step * self._asked.windows.hop - self._asked.windows.length)
        self._samples.forget(int(settled * self._rate))
        return finished

    def _windows(self, windows: Windows, *, last: bool) -> Iterator[Segment]:
        """Yield the segments of the windows of which all is known."""
        while True:
            start = self._step * windows.hop
            end = min((self._step + 1) * windows.hop, self.seconds)  # to the last bit the start of the next
            centre = start + windows.hop / 2
            known = min(self._cutter.settled / RATE, self._samples.end / self._rate - windows.length / 2)
            if start >= self.seconds or not (last or known >= end):
                return
            spoken = sum(max(min(b, end) - max(a, start), 0.0) for a, b in self._speech)
            if end - start > 0 and spoken >= (end - start) / 2:
                heard = max(centre - windows.length / 2, 0.0), min(centre + windows.length / 2, self.seconds)
                yield self._segment(start, end, *heard)
            self._step += 1
            self._speech = [each for each in self._speech if each[1] > end]

    def _segment(self, start: float, end: float, heard_from: float, heard_to: float) -> Segment:
        """Return a segment of speech, with the answer to what is heard in it."""
        answer, reason = self._predicted(round(heard_from * self._rate), round(heard_to * self._rate))
        if answer is None:
            return Segment(start, end, speech=True, unfamiliar=reason)
        return Segment(start, end, True, answer.emotion, answer.probabilities, answer.unfamiliar)

    def _predicted(self, start: int, end: int) -> tuple[Prediction | None, str]:
        samples = self._samples.between(start, end)
        if len(samples) < SHORTEST * self._rate:
            return None, f"too short: {len(samples) / self._rate:.2f} s"
        try:
            asked = self._asked
            answer = self._model.predict(samples, self._rate, calibrated=asked.calibrated, certainty=asked.certainty)
        except UnusableAudioError as error:
            return None, str(error)
        return answer, ""


def with_pauses(speech: list[Segment], seconds: float) -> Iterator[Segment]:
    """Yield segments of speech, and what lies between them, from the start of a recording to its end."""
    end = 0.0
    for segment in speech:
        if segment.start > end:
            yield Segment(end, segment.start, speech=False)
        yield segment
        end = segment.end
    if end < seconds:
        yield Segment(end, seconds, speech=False)


class _Resampling:
    """`soxr.resample` to the rates of the model and of the detector, as samples come in."""

    def __init__(self, sample_rate: int, model_rate: int):
        self.sample_rate, self._count = sample_rate, 0
        self._streams = [
            soxr.ResampleStream(sample_rate, rate, 1) if rate != sample_rate else None
            for rate in dict.fromkeys((model_rate, RATE))
        ]

    @property
    def seconds(self) -> float:
        return self._count / self.sample_rate

    def feed(self, y: np.ndarray, *, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
        self._count += len(y)
        found = [y if stream is None else stream.resample_chunk(y, last=last) for stream in self._streams]
        return found[0], found[-1]


class _Samples:
    """The samples that may still be wanted, numbered from the start of the recording."""

    def __init__(self) -> None:
        self._kept = np.empty(0, np.float32)
        self._start = 0

    @property
    def end(self) -> int:
        return self._start + len(self._kept)

    def append(self, y: np.ndarray) -> None:
        self._kept = np.concatenate([self._kept, y])

    def between(self, start: int, end: int) -> np.ndarray:
        return self._kept[max(start - self._start, 0) : max(end - self._start, 0)]

    def forget(self, before: int) -> None:
        surplus = min(before - self._start, len(self._kept))
        if surplus > 0:
            self._kept = self._kept[surplus:]
            self._start += surplus
