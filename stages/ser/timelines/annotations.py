"""What every annotation format is written from: a channel's speech at times of a whole number of ticks, in plain words.

Emotions and file names are a user's own words, of any characters. In an annotation they are one line without control
characters; each format then escapes what means something to it. CSV and JSON keep them as they are.
"""

import re
import unicodedata
from typing import NamedTuple

from ser.timelines.segments import Channel, Segment, Timeline

NO_ANSWER = "?"  # the label of speech that cannot be answered
MILLISECONDS, MICROSECONDS = 1_000, 1_000_000  # in a s
SURROGATES = re.compile(r"[\ud800-\udfff]")  # what Python makes of file names that are not UTF-8
NO_CHARACTERS = re.compile(r"[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # XML has none of them
BYTE_ORDER = "\ufeff"  # which readers take off, wherever it stands
WHITE_SPACE = re.compile(r"\s+")  # of Unicode: the line ends that only some readers know, too


class Annotation(NamedTuple):
    """A stretch of speech with its label.

    Attributes
    ----------
    start, end : int
        Ticks from the start of the recording; `end` is larger, and no stretch of a channel begins before the end of
        the one before it.
    label : str
        The emotion, ``unsure``, or ``?`` where there is no answer; one line, never empty.
    probability : float or None
        Of the emotion; None where the label is none of the emotions.
    """

    start: int
    end: int
    label: str
    probability: float | None

    def in_words(self) -> str:
        """Return the label with its probability: ``anger 83 %``."""
        return self.label if self.probability is None else f"{self.label} {100 * self.probability:.0f} %"


def annotations(timeline: Timeline, channel: Channel, per_second: int) -> list[Annotation]:
    """Return the speech of a channel of a timeline.

    Ends that are the same time stay the same tick. What is shorter than a tick may vanish; nothing gets longer by
    more than a tick.

    Parameters
    ----------
    timeline : Timeline
    channel : Channel
    per_second : int
        Ticks in a s.
    """
    found = []
    last, whole = 0, ticks(timeline.seconds, per_second)
    for segment in channel.segments:
        start, end = max(last, ticks(segment.start, per_second)), min(whole, ticks(segment.end, per_second))
        if segment.speech and start < end:
            label = one_line(segment.emotion) or NO_ANSWER
            found.append(Annotation(start, end, label, probability(timeline, segment)))
            last = end
    return found


def ticks(seconds: float, per_second: int) -> int:
    """Return a time in whole ticks."""
    return round(seconds * per_second)


def probability(timeline: Timeline, segment: Segment) -> float | None:
    """Return the probability of a segment's emotion; None of ``unsure`` and of no answer."""
    if segment.probabilities is None or segment.emotion not in timeline.emotions:
        return None
    return float(segment.probabilities[timeline.emotions.index(segment.emotion)])


def decimal(tick: int, per_second: int) -> str:
    """Return a time as s with all digits of a tick: ``12.345000``."""
    whole, part = divmod(tick, per_second)
    return f"{whole}.{part:0{len(str(per_second)) - 1}d}"


def one_line(text: str) -> str:
    """Return a text as one line: white space is one blank, control characters go, what is no character is �."""
    text = WHITE_SPACE.sub(" ", text)
    text = "".join(each for each in text if unicodedata.category(each) != "Cc" and each != BYTE_ORDER)
    return NO_CHARACTERS.sub("\ufffd", text).strip()


def encodable(text: str) -> str:
    """Return a text as it is, but that UTF-8 can hold it: half a surrogate pair is �."""
    return SURROGATES.sub("\ufffd", text)


def channel_name(timeline: Timeline, number: int, otherwise: str = "") -> str:
    """Return what a channel is called, from 1 on; `otherwise` where there is only one."""
    return f"channel {number}" if len(timeline.channels) > 1 else otherwise
