"""Timelines as labels of Audacity (File > Import > Labels)."""

from ser.timelines.annotations import MICROSECONDS, annotations, channel_name, decimal
from ser.timelines.segments import Timeline


def write_audacity(timeline: Timeline) -> str:
    """Return a line a stretch of speech: start and end in s and the label, by tabs; channels one after the other."""
    lines = []
    for number, channel in enumerate(timeline.channels, start=1):
        whose = channel_name(timeline, number)
        for each in annotations(timeline, channel, MICROSECONDS):
            times = f"{decimal(each.start, MICROSECONDS)}\t{decimal(each.end, MICROSECONDS)}"
            lines.append(f"{times}\t{whose}{': ' if whose else ''}{each.label}\n")
    return "".join(lines)
