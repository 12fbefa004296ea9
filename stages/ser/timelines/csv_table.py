"""Timelines as CSV: a row a segment, of all channels, with silence, all probabilities and what is unfamiliar."""

import csv
import io

import numpy as np

from ser.timelines.annotations import MICROSECONDS, decimal, encodable, ticks
from ser.timelines.segments import Timeline


def write_csv(timeline: Timeline) -> str:
    """Return the columns channel, start, end (s), speech (true, false), emotion, p_<emotion>..., unfamiliar."""
    file = io.StringIO(newline="")
    table = csv.writer(file, lineterminator="\r\n")  # as RFC 4180 wants it; so a carriage return is quoted, too
    columns = [f"p_{encodable(emotion)}" for emotion in timeline.emotions]
    table.writerow(["channel", "start", "end", "speech", "emotion", *columns, "unfamiliar"])
    for number, channel in enumerate(timeline.channels, start=1):
        for segment in channel.segments:
            times = [decimal(ticks(time, MICROSECONDS), MICROSECONDS) for time in (segment.start, segment.end)]
            each = [""] * len(columns) if segment.probabilities is None else map(digits, segment.probabilities)
            words = encodable(segment.emotion), encodable(segment.unfamiliar)
            table.writerow([number, *times, str(segment.speech).lower(), words[0], *each, words[1]])
    return file.getvalue()


def digits(probability: np.floating) -> str:
    """Return a probability with 6 significant digits, as `ser predict` prints it."""
    return f"{probability:.6g}"
