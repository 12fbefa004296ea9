"""A recording from its start to its end: where somebody speaks, and with which emotion."""

import unicodedata
from typing import NamedTuple

import numpy as np

CUT_OFF = "it ends where the rest cannot be used"  # so begins the remark on a damaged recording
LEFT_TO_RIGHT = "\u200e"  # a mark of Unicode that shows nothing
PEAKS_PER_SECOND = 50  # of the waveform's envelope: as fine as a picture of a minute can show


class Segment(NamedTuple):
    """A part of one channel in which somebody speaks, or nobody.

    Attributes
    ----------
    start, end : float
        s from the start of the recording.
    speech : bool
    emotion : str
        Of speech the most probable one, ``unsure`` where it is less probable than was asked for; empty where nobody
        speaks, and where what was said cannot be answered.
    probabilities : np.ndarray of float32, shape (emotions,), or None
        None where `emotion` is empty.
    unfamiliar : str
        In what the speech is unlike the recordings that the model learnt from, or why there is no answer.
    """

    start: float
    end: float
    speech: bool
    emotion: str = ""
    probabilities: np.ndarray | None = None
    unfamiliar: str = ""

    @property
    def seconds(self) -> float:
        """Its length in s."""
        return self.end - self.start


class Channel(NamedTuple):
    """The timeline of one channel of a recording.

    Attributes
    ----------
    segments : tuple of Segment
        In order; they cover the recording without a gap and without overlap.
    peaks : np.ndarray of float32, shape (parts,)
        The waveform's envelope: the largest magnitude in each part of ``1 / peaks_per_second`` s, full scale 1.
    peaks_per_second : float
        Fewer than `PEAKS_PER_SECOND` where they were thinned.
    """

    segments: tuple[Segment, ...]
    peaks: np.ndarray
    peaks_per_second: float = PEAKS_PER_SECOND

    def shares(self) -> dict[str, float]:
        """Return what share of the speaking time each emotion has, the largest first; "" is speech without answer."""
        seconds: dict[str, float] = {}
        for segment in self.segments:
            if segment.speech:
                seconds[segment.emotion] = seconds.get(segment.emotion, 0.0) + segment.seconds
        whole = sum(seconds.values())
        return {emotion: own / whole for emotion, own in sorted(seconds.items(), key=lambda each: (-each[1], each[0]))}

    def speaking_seconds(self) -> float:
        """Return for how many s somebody speaks."""
        return sum(segment.seconds for segment in self.segments if segment.speech)


class Timeline(NamedTuple):
    """The timelines of a recording's channels, side by side.

    Attributes
    ----------
    name : str
        Of the recording, without its folder.
    seconds : float
        s, of the whole recording.
    emotions : tuple of str
        In the order of the probabilities.
    channels : tuple of Channel
    model : str
        What said so, such as ``fuse/ensemble``.
    remarks : tuple of str
        What is to be known of it: that the file was cut off, say.
    """

    name: str
    seconds: float
    emotions: tuple[str, ...]
    channels: tuple[Channel, ...]
    model: str
    remarks: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is of the whole recording: the rest of a damaged file cannot be used."""
        return not any(remark.startswith(CUT_OFF) for remark in self.remarks)

    def in_words(self) -> list[str]:
        """Return a line a channel: for how long somebody speaks, and the shares of the emotions."""
        lines = []
        for number, channel in enumerate(self.channels, start=1):
            shares = ", ".join(
                f"{_among_others(emotion) or 'no answer'} {100 * share:.0f} %"
                for emotion, share in channel.shares().items()
            )
            whose = f"channel {number}: " if len(self.channels) > 1 else ""
            spoken = f"{channel.speaking_seconds():.1f} s of {self.seconds:.1f} s is speech"
            lines.append(f"{whose}{spoken}{': ' if shares else ''}{shares}")
        return lines


def _among_others(word: str) -> str:
    """Return a word as it stands in a line: one from right to left with a mark, or the number after it goes before."""
    return word + LEFT_TO_RIGHT if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in word) else word
