"""The timeline of a recording of any length, and of one that is still going on; memory does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ser.audio.recordings import TOO_LONG, UnusableAudioError, check_limits, limited
from ser.channels.cancelling_channels import Powers
from ser.errors import InputError
from ser.prediction.asked_timeline import Asked
from ser.prediction.channel_timeline import ChannelTimeline
from ser.prediction.clip_inputs import as_channels, check_file, name_of
from ser.streams.file_blocks import Part, file_parts
from ser.timelines.segments import CUT_OFF, Channel, Segment, Timeline

if TYPE_CHECKING:
    from ser.prediction.answers import Prediction
    from ser.prediction.trained_model import TrainedModel

LONGEST = 24 * 3600.0  # s of a recording
BLOCK = 1 << 16  # samples taken in at a time
CANCELLED = "the channels cancel each other in their mean: it is not what was recorded; do not mix them"


class _DifferError(Exception):
    """The channels of a recording differ, after all."""


def timeline_of(
    model: TrainedModel,
    recording: Path | str | BinaryIO | np.ndarray,
    sampling_rate: int | None,
    asked: Asked,
    *,
    mix: bool,
    max_seconds: float,
    progress: Callable[[float, float | None], object] | None,
) -> Timeline:
    """Return the timeline of a recording; see `ser.prediction.trained_model.TrainedModel.timeline`."""
    refuse_by_speaker(model)
    try:  # channels that are the same are one; that they are is known at the end
        return _timeline(model, recording, sampling_rate, asked, mix, max_seconds, progress, together=not mix)
    except _DifferError:
        return _timeline(model, recording, sampling_rate, asked, mix, max_seconds, progress, together=False)


def refuse_by_speaker(model: TrainedModel) -> None:
    """Raise `InputError` of a model that wants all clips of a speaker at once."""
    if model.by_speaker:
        raise InputError(
            f"{model.folder} normalises each speaker's voice by itself: who speaks when is not known in a long "
            "recording; take a model that was trained with train.normalization=train"
        )


def _timeline(
    model: TrainedModel,
    recording: Path | str | BinaryIO | np.ndarray,
    sampling_rate: int | None,
    asked: Asked,
    mix: bool,
    max_seconds: float,
    progress: Callable[[float, float | None], object] | None,
    *,
    together: bool,
) -> Timeline:
    made = _Making(model, asked, mix=mix, together=together)
    try:
        with _opened(recording, sampling_rate, max_seconds) as parts:
            for part in parts:
                for seconds in made.take(part):
                    if seconds > max_seconds:
                        raise UnusableAudioError(f"{TOO_LONG} {max_seconds:g} s")
                    if progress:
                        progress(seconds, part.seconds)
    except UnusableAudioError as error:
        if not made.seconds or str(error).startswith(TOO_LONG):
            raise
        made.remarks.append(f"{CUT_OFF}: {error}")
    if not made.seconds:
        raise UnusableAudioError("no samples")
    return _whole(model, name_of(recording), made.channels, made.remarks)


class _Making:
    """The timelines of a recording's channels on their way through its parts."""

    def __init__(self, model: TrainedModel, asked: Asked, *, mix: bool, together: bool):
        self._model, self._asked, self._mix, self._together = model, asked, mix, together
        self.channels: list[ChannelTimeline] = []
        self.remarks: list[str] = []

    @property
    def seconds(self) -> float:
        return self.channels[0].seconds if self.channels else 0.0

    def take(self, part: Part) -> Iterator[float]:
        """Take in a part, block by block; yields the s that have been taken in."""
        if not self.channels:
            count = 1 if self._mix or self._together else part.channels
            self.channels = [ChannelTimeline(self._model, self._asked) for _ in range(count)]
        count = len(self.channels)
        mixed = not self._together and part.channels > 1 and part.channels != count
        powers = Powers(part.channels) if mixed else None
        for block in part.blocks:
            for y, channel in zip(_columns(block, count, together=self._together), self.channels, strict=True):
                channel.feed(y, part.sample_rate)
            if powers:
                powers.add(block, block.mean(axis=1, dtype=np.float32))
            yield self.seconds
        if self._together and part.channels > 1:
            self._remark(f"its {part.channels} channels are the same, and one timeline")
        if not self._together and not self._mix and part.channels != count:
            self._remark(_others(count, part.channels))
        if powers and powers.louder() is not None:
            self._remark(CANCELLED)

    def _remark(self, remark: str) -> None:
        if remark not in self.remarks:
            self.remarks.append(remark)


def _others(first: int, channels: int) -> str:
    """Return the remark on a part with other channels than the first one."""
    instead = "it is taken for each" if channels == 1 else "their mean is taken"
    return f"it begins with {first} channel{'s' if first > 1 else ''}; a part has {channels}: {instead}"


def _whole(model: TrainedModel, name: str, channels: list[ChannelTimeline], remarks: list[str]) -> Timeline:
    made: list[Channel] = [channel.finish() for channel in channels]
    about = f"{model.description['trainer']}/{model.description['model']}"
    return Timeline(name, channels[0].seconds, model.emotions, tuple(made), about, tuple(remarks))


def _columns(block: np.ndarray, count: int, *, together: bool) -> list[np.ndarray]:
    """Return what each timeline takes of a block of shape (samples, channels)."""
    if together:
        if block.shape[1] > 1 and not (block == block[:, :1]).all():
            raise _DifferError
        return [np.ascontiguousarray(block[:, 0])]
    if count == 1 or block.shape[1] != count:  # mixed, or the number has changed on the way
        return [block.mean(axis=1, dtype=np.float32)] * count
    return [np.ascontiguousarray(block[:, place]) for place in range(count)]


@contextmanager
def _opened(
    recording: Path | str | BinaryIO | np.ndarray, sampling_rate: int | None, max_seconds: float
) -> Iterator[Iterator[Part]]:
    if isinstance(recording, np.ndarray):
        if sampling_rate is None:
            raise TypeError("samples need their sampling_rate in Hz")
        samples = as_channels(recording)
        check_limits(sampling_rate, samples.shape[1])
        blocks = limited((samples[at : at + BLOCK] for at in range(0, len(samples), BLOCK)), max_seconds, sampling_rate)
        yield iter([Part(sampling_rate, samples.shape[1], blocks, len(samples) / sampling_rate)])
        return
    check_file(recording, sampling_rate)
    with file_parts(recording, max_seconds) as parts:
        yield parts


class Live:
    """A timeline of one channel while it is recorded; what `TrainedModel.live` returns.

    Parameters
    ----------
    model : TrainedModel
    sampling_rate : int
        Hz.
    asked : Asked
    """

    def __init__(self, model: TrainedModel, sampling_rate: int, asked: Asked):
        refuse_by_speaker(model)
        check_limits(sampling_rate, 1)
        self._model, self._rate = model, sampling_rate
        self._channel = ChannelTimeline(model, asked)

    @property
    def seconds(self) -> float:
        """How many s have come in."""
        return self._channel.seconds

    def feed(self, samples: np.ndarray) -> list[Segment]:
        """Take in samples, and return the segments of speech that are finished by them.

        Parameters
        ----------
        samples : np.ndarray, shape (samples,)
            Floats of full scale 1 or integers of that of their type.

        Raises
        ------
        UnusableAudioError, ValueError
            If they are none of sound, or in another shape.
        """
        if samples.ndim != 1:
            raise ValueError(f"samples have the shape {samples.shape}: wanted is (samples,)")
        (block,) = limited([as_channels(samples)], LONGEST, self._rate)
        return self._channel.feed(np.ascontiguousarray(block[:, 0]), self._rate)

    def now(self) -> tuple[bool, Prediction | None]:
        """Return whether somebody is speaking, and what the last 3 s of it sound like, if that can be said."""
        return self._channel.now()

    def finish(self, name: str = "live") -> Timeline:
        """Return the whole: nothing more will come in."""
        return _whole(self._model, name, [self._channel], [])
