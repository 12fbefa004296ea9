"""Timelines as RTTM (Rich Transcription Time Marked), which tools for speaker diarization read and score.

An emotion stands where a diarization has the speaker's name.

References
----------
.. [1] NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.
"""

from pathlib import PurePath

from ser.timelines.annotations import MILLISECONDS, NO_ANSWER, annotations, decimal, one_line
from ser.timelines.segments import Timeline

# what pandas, and so pyannote, takes for a missing value
MISSING = {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"}
MISSING |= {"NA", "NULL", "NaN", "None", "n/a", "nan", "null"}


def write_rttm(timeline: Timeline) -> str:
    """Return the speech that has an emotion, a line a segment; channels count from 1."""
    recording = word(PurePath(one_line(timeline.name)).stem)
    lines = []
    for number, channel in enumerate(timeline.channels, start=1):
        for each in annotations(timeline, channel, MILLISECONDS):
            if each.label != NO_ANSWER:
                start, length = decimal(each.start, MILLISECONDS), decimal(each.end - each.start, MILLISECONDS)
                sure = "<NA>" if each.probability is None else f"{each.probability:.6f}"
                times = f"{recording} {number} {start} {length}"
                lines.append(f"SPEAKER {times} <NA> <NA> {word(each.label)} {sure} <NA>\n")
    return "".join(lines)


def word(text: str) -> str:
    """Return one line as a word of RTTM: ``_`` for white space, ``'`` for the quotes that some readers look for."""
    text = text.replace(" ", "_").replace('"', "'")
    return f"{text}_" if text in MISSING else text
