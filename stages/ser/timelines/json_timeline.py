"""Timelines as JSON, which alone holds all of a timeline and is read back."""

import json
import math
from collections.abc import Mapping

import numpy as np

from ser.timelines.annotations import SURROGATES, encodable
from ser.timelines.segments import Channel, Segment, Timeline

PEAK_DIGITS = 4  # decimal places: finer than any screen
JOINT = 1e-6  # s by which a segment may begin before or after the end of the one before it: rounding, not a gap


def write_json(timeline: Timeline) -> str:
    """Return a timeline as JSON, without peaks."""
    return json.dumps(as_dict(timeline), indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def as_dict(timeline: Timeline, most_peaks: int | None = None) -> dict:
    """Return what the JSON of a timeline holds.

    Parameters
    ----------
    timeline : Timeline
    most_peaks : int or None
        To how many values a channel's peaks are thinned, each the largest of those that it stands for; None: none.
    """
    channels = []
    for channel in timeline.channels:
        described = channel_as_dict(channel, timeline.emotions)
        if most_peaks is not None:
            described["peaks"], described["peaks_per_second"] = thinned(channel, most_peaks)
        channels.append(described)
    return {
        "name": encodable(timeline.name),
        "seconds": timeline.seconds,
        "emotions": [encodable(emotion) for emotion in timeline.emotions],
        "model": encodable(timeline.model),
        "remarks": [encodable(remark) for remark in timeline.remarks],
        "channels": channels,
    }


def channel_as_dict(channel: Channel, emotions: tuple[str, ...]) -> dict:
    """Return a channel without its peaks."""
    return {
        "shares": {encodable(emotion): round(share, 6) for emotion, share in channel.shares().items()},
        "speaking_seconds": round(channel.speaking_seconds(), 6),
        "segments": [segment_as_dict(segment, emotions) for segment in channel.segments],
    }


def segment_as_dict(segment: Segment, emotions: tuple[str, ...]) -> dict:
    """Return a segment; the probabilities with as few digits as give the same float32 again."""
    each = None
    if segment.probabilities is not None:
        shortest = (float(str(np.float32(value))) for value in segment.probabilities)
        each = dict(zip(map(encodable, emotions), shortest, strict=True))
    return {
        "start": segment.start,
        "end": segment.end,
        "speech": segment.speech,
        "emotion": encodable(segment.emotion),
        "probabilities": each,
        "unfamiliar": encodable(segment.unfamiliar),
    }


def thinned(channel: Channel, most: int) -> tuple[list[float], float]:
    """Return at most so many peaks, and how many of them are a s."""
    together = max(1, math.ceil(len(channel.peaks) / max(1, most)))
    starts = np.arange(0, len(channel.peaks), together)
    largest = np.maximum.reduceat(channel.peaks, starts) if len(starts) else channel.peaks
    return [round(float(peak), PEAK_DIGITS) for peak in largest], channel.peaks_per_second / together


def read_json(text: str | bytes) -> Timeline:
    """Return the timeline that `write_json` or `as_dict` has described.

    Shares and speaking times are not read: they follow from the segments.

    Raises
    ------
    ValueError
        It is none; the message says in one line where and why.
    """
    try:
        content = json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    if not isinstance(content, dict):
        raise ValueError("an object is wanted")
    seconds = number(content, "seconds")
    if seconds == 0:
        raise ValueError("seconds: more than 0 are wanted")
    emotions = tuple(text_of(each, f"emotions[{i}]") for i, each in enumerate(items(content, "emotions")))
    if len(set(emotions)) < len(emotions):
        raise ValueError("emotions: one is there twice")
    channels = items(content, "channels")
    if not channels:
        raise ValueError("channels: none")
    return Timeline(
        text_of(content.get("name"), "name"),
        seconds,
        emotions,
        tuple(channel_of(each, f"channels[{i}]", emotions, seconds) for i, each in enumerate(channels)),
        text_of(content.get("model"), "model"),
        tuple(text_of(each, f"remarks[{i}]") for i, each in enumerate(items(content, "remarks"))),
    )


def channel_of(content: object, place: str, emotions: tuple[str, ...], seconds: float) -> Channel:
    """Return a channel read from `place`; ValueError where it is none or doesn't cover the recording."""
    described = object_of(content, place)
    segments: list[Segment] = []
    last = 0.0
    for index, each in enumerate(items(described, "segments", f"{place}.")):
        segment = segment_of(each, f"{place}.segments[{index}]", emotions)
        if abs(segment.start - last) > JOINT:
            raise ValueError(f"{place}.segments[{index}].start: {segment.start} s; the one before it ends at {last} s")
        segments.append(segment)
        last = segment.end
    if abs(last - seconds) > JOINT:
        raise ValueError(f"{place}.segments: they end at {last} s, the recording at {seconds} s")
    if "peaks" not in described:
        return Channel(tuple(segments), np.empty(0, np.float32))
    values = items(described, "peaks", f"{place}.")
    peaks = np.array([finite(value, f"{place}.peaks[{i}]") for i, value in enumerate(values)], np.float32)
    rate = number(described, "peaks_per_second", f"{place}.")
    if rate == 0:
        raise ValueError(f"{place}.peaks_per_second: more than 0 are wanted")
    return Channel(tuple(segments), peaks, rate)


def segment_of(content: object, place: str, emotions: tuple[str, ...]) -> Segment:
    """Return a segment read from `place`; ValueError where it is none."""
    described = object_of(content, place)
    start, end = (number(described, key, f"{place}.") for key in ("start", "end"))
    if start >= end:
        raise ValueError(f"{place}.end: {end} s is not after its start, {start} s")
    speech = described.get("speech")
    if not isinstance(speech, bool):
        raise ValueError(f"{place}.speech: true or false is wanted")
    emotion = text_of(described.get("emotion"), f"{place}.emotion")
    if emotion and not speech:
        raise ValueError(f"{place}.emotion: where nobody speaks there is none")
    each, probabilities = described.get("probabilities"), None
    if each is not None:
        named = object_of(each, f"{place}.probabilities")
        if {*named} != {*emotions}:
            raise ValueError(f"{place}.probabilities: one of each emotion is wanted")
        probabilities = np.array([number(named, key, f"{place}.probabilities.") for key in emotions], np.float32)
        if (probabilities > 1).any():
            raise ValueError(f"{place}.probabilities: 0 to 1 are wanted")
    return Segment(
        start, end, speech, emotion, probabilities, text_of(described.get("unfamiliar"), f"{place}.unfamiliar")
    )


def refuse(constant: str) -> None:
    """Refuse NaN and the infinities, which are no JSON."""
    raise ValueError(f"{constant} is no number of JSON")


def object_of(content: object, place: str) -> Mapping[str, object]:
    """Return an object, or raise ValueError."""
    if not isinstance(content, dict):
        raise ValueError(f"{place}: an object is wanted")
    return content


def items(content: Mapping[str, object], key: str, place: str = "") -> list:
    """Return a list, or raise ValueError."""
    found = content.get(key)
    if not isinstance(found, list):
        raise ValueError(f"{place}{key}: a list is wanted")
    return found


def number(content: Mapping[str, object], key: str, place: str = "") -> float:
    """Return a number of 0 or more, or raise ValueError."""
    found = finite(content.get(key), f"{place}{key}")
    if found < 0:
        raise ValueError(f"{place}{key}: 0 or more is wanted")
    return found


def finite(value: object, place: str) -> float:
    """Return a number that is finite, or raise ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{place}: a number is wanted")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found) or found > 1e30:  # more no float32 holds, nor any recording
        raise ValueError(f"{place}: too large")
    return found


def text_of(value: object, place: str) -> str:
    """Return a text, or raise ValueError."""
    if not isinstance(value, str) or SURROGATES.search(value):
        raise ValueError(f"{place}: a text is wanted")
    return value
