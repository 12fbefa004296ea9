"""Timelines as TextGrids of Praat, in its long text format.

References
----------
.. [1] P. Boersma and D. Weenink, Praat's manual, "TextGrid file formats".
"""

from ser.timelines.annotations import MICROSECONDS, Annotation, annotations, channel_name, decimal, ticks
from ser.timelines.segments import Timeline


def write_textgrid(timeline: Timeline) -> str:
    """Return a timeline as TextGrid: for each channel a tier of emotions and one of their probabilities."""
    whole = ticks(timeline.seconds, MICROSECONDS)
    tiers: list[str] = []
    for number, channel in enumerate(timeline.channels, start=1):
        whose = channel_name(timeline, number)
        of = f" of {whose}" if whose else ""
        found = annotations(timeline, channel, MICROSECONDS)
        tiers += [
            tier(f"emotion{of}", found, [each.label for each in found], whole),
            tier(f"probability{of}", found, [percentless(each) for each in found], whole),
        ]
    head = (
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = {decimal(whole, MICROSECONDS)}\n'
        f"tiers? <exists>\nsize = {len(tiers)}\nitem []:\n"
    )
    return head + "".join(f"    item [{number}]:\n{text}" for number, text in enumerate(tiers, start=1))


def tier(name: str, found: list[Annotation], texts: list[str], whole: int) -> str:
    """Return an interval tier: what lies between the annotations is intervals without a text, as Praat wants them."""
    intervals, last = [], 0
    for each, text in zip(found, texts, strict=True):
        if last < each.start:
            intervals.append((last, each.start, ""))
        intervals.append((each.start, each.end, text))
        last = each.end
    if last < whole or not intervals:
        intervals.append((last, whole, ""))
    lines = [
        '        class = "IntervalTier"',
        f"        name = {quoted(name)}",
        "        xmin = 0",
        f"        xmax = {decimal(whole, MICROSECONDS)}",
        f"        intervals: size = {len(intervals)}",
    ]
    for number, (start, end, text) in enumerate(intervals, start=1):
        lines += [
            f"        intervals [{number}]:",
            f"            xmin = {decimal(start, MICROSECONDS)}",
            f"            xmax = {decimal(end, MICROSECONDS)}",
            f"            text = {quoted(text)}",
        ]
    return "\n".join(lines) + "\n"


def percentless(each: Annotation) -> str:
    """Return a probability as a number from 0 to 1; nothing where there is none."""
    return "" if each.probability is None else f"{each.probability:.3f}"


def quoted(text: str) -> str:
    """Return a text as Praat writes it: quotes are doubled."""
    return '"' + text.replace('"', '""') + '"'
