"""Timelines as subtitles, which players show in step with the recording: WebVTT and SubRip (SRT).

References
----------
.. [1] W3C, "WebVTT: The Web Video Text Tracks Format".
"""

from ser.timelines.annotations import MILLISECONDS, Annotation, annotations, channel_name, one_line
from ser.timelines.segments import Timeline

# SubRip has tags (<i>, {\an8}) and no way to escape them
NO_TAGS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def write_webvtt(timeline: Timeline) -> str:
    """Return a timeline as WebVTT: a cue for each stretch of speech, its channel as the voice if there are several."""
    blocks = ["WEBVTT", f"NOTE Emotions in the speech of {escaped(one_line(timeline.name))}, as a model estimates them"]
    for cue, channel in cues(timeline):
        times = f"{clock(cue.start)} --> {clock(cue.end)}"
        blocks.append(f"{times}\n{f'<v {channel}>' if channel else ''}{escaped(cue.in_words())}")
    return "\n\n".join(blocks) + "\n"


def write_subrip(timeline: Timeline) -> str:
    """Return a timeline as SubRip, which cannot escape ``<``, ``>`` and braces: they become ``‹``, ``›``, brackets."""
    blocks = []
    for number, (cue, channel) in enumerate(cues(timeline), start=1):
        times = f"{clock(cue.start, ',')} --> {clock(cue.end, ',')}"
        text = f"{channel}: {cue.in_words()}" if channel else cue.in_words()
        blocks.append(f"{number}\n{times}\n{text.translate(NO_TAGS)}\n")
    return "\n".join(blocks)


def cues(timeline: Timeline) -> list[tuple[Annotation, str]]:
    """Return the speech of all channels in order of time, in ms, each with its channel's name."""
    found = [
        (cue, channel_name(timeline, number))
        for number, channel in enumerate(timeline.channels, start=1)
        for cue in annotations(timeline, channel, MILLISECONDS)
    ]
    return sorted(found, key=lambda each: each[0].start)  # of the same start the lower channel first: it is stable


def clock(milliseconds: int, mark: str = ".") -> str:
    """Return a time as ``hh:mm:ss.mmm``; the hours have more digits where they need them."""
    seconds, milliseconds = divmod(milliseconds, MILLISECONDS)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{mark}{milliseconds:03d}"


def escaped(text: str) -> str:
    """Return a text as WebVTT writes it: no tag, no entity, no arrow."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
