"""Timelines for tests: a conversation, made up, and any that hypothesis thinks of."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from ser.timelines.segments import PEAKS_PER_SECOND, Channel, Segment, Timeline

EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
# what means something to one of the formats, and what no format can hold as it is
HOSTILE = "<&>\"'\\|;,:=%#[]{}()-_\t\n\r\x0b\x0c\x1c\x85\u2028\u2029\ufeff\ufffe\x00\x07\x7f\u200b\u202eé漢🙂 aN"
WORDS = (
    st.text(st.sampled_from(HOSTILE), max_size=12)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["NA", "<NA>", "null", "-->", "a --> b", "]]>", "unsure", "?", "=1+1", "<v x>", "12", '"', ";;"])
)


def conversation(seconds: float, channels: int = 1, emotions: tuple[str, ...] = EMOTIONS, seed: int = 0) -> Timeline:
    """Return a timeline of people who speak in turns: utterances of 1 to 6 s, moods that last, some without answer."""
    rng = np.random.default_rng(seed)
    turns: list[list[tuple[float, float]]] = [[] for _ in range(channels)]
    clock, whose = 0.6, 0
    while clock < seconds - 1:
        for _ in range(rng.integers(1, 5)):
            length = min(rng.uniform(1, 6), seconds - clock)
            turns[whose].append((clock, clock + length))
            clock += length + rng.choice([0.0, rng.uniform(0.3, 1.5)])
            if clock >= seconds - 1:
                break
        whose, clock = (whose + 1) % channels, clock + rng.uniform(0.2, 2)
    return Timeline(
        "conversation.wav",
        float(seconds),
        emotions,
        tuple(spoken(each, seconds, emotions, rng) for each in turns),
        "fuse/ensemble",
    )


def spoken(turns: list[tuple[float, float]], seconds: float, emotions: tuple[str, ...], rng) -> Channel:
    """Return a channel in which somebody speaks at these times."""
    segments, last = [], 0.0
    mood = rng.normal(size=len(emotions))
    peaks = np.abs(rng.normal(0, 0.004, int(np.ceil(seconds * PEAKS_PER_SECOND))))
    for start, end in turns:
        if start > last:
            segments.append(Segment(last, start, False))
        mood = 0.7 * mood + 0.9 * rng.normal(size=len(emotions))
        probabilities = (np.exp(1.6 * mood) / np.exp(1.6 * mood).sum()).astype(np.float32)
        emotion = emotions[int(probabilities.argmax())] if probabilities.max() > 0.35 else "unsure"
        if rng.random() < 0.05:
            segments.append(Segment(start, end, True, unfamiliar="too short to tell"))
        else:
            segments.append(Segment(start, end, True, emotion, probabilities))
        here = slice(int(start * PEAKS_PER_SECOND), int(end * PEAKS_PER_SECOND))
        many = here.stop - here.start
        syllables = np.abs(np.sin(np.arange(many) * 0.28 + rng.uniform(0, 3))) ** 0.7
        peaks[here] += rng.uniform(0.25, 0.8) * syllables * rng.uniform(0.5, 1, many)
        last = end
    if last < seconds:
        segments.append(Segment(last, float(seconds), False))
    return Channel(tuple(segments), peaks.astype(np.float32))


def later(timeline: Timeline, seconds: float) -> Timeline:
    """Return a timeline after so many s of silence, without peaks."""
    channels = []
    for channel in timeline.channels:
        moved = (each._replace(start=each.start + seconds, end=each.end + seconds) for each in channel.segments)
        channels.append(Channel((Segment(0.0, seconds, False), *moved), np.empty(0, np.float32)))
    return timeline._replace(seconds=timeline.seconds + seconds, channels=tuple(channels))


@st.composite
def timelines(draw, words: st.SearchStrategy[str] = WORDS) -> Timeline:
    """Any timeline: 1 to 3 channels, up to 8 segments each, some shorter than a ms, of up to 12 hours."""
    emotions = tuple(draw(st.lists(words, min_size=1, max_size=4, unique=True)))
    lengths = st.floats(1e-5, 3) | st.sampled_from([0.0004, 0.0005, 0.0015, 0.02])
    channels, seconds = [], draw(st.floats(0.001, 10) | st.floats(35_990, 43_200))
    for _ in range(draw(st.integers(1, 3))):
        ends = np.cumsum(draw(st.lists(lengths, max_size=7)))
        offset = draw(st.just(0.0) | st.floats(0, max(0.0, seconds - 5)))
        edges = [0.0, *(edge for edge in (offset + ends).tolist() if 0 < edge < seconds), seconds]
        channels.append(Channel(tuple(draw(segments(a, b, emotions)) for a, b in pairwise(edges)), np.empty(0, "f4")))
    return Timeline(
        draw(words), seconds, emotions, tuple(channels), draw(words), tuple(draw(st.lists(words, max_size=2)))
    )


@st.composite
def segments(draw, start: float, end: float, emotions: tuple[str, ...]) -> Segment:
    """A segment of these times: nobody speaks, there is no answer, or an emotion."""
    kind = draw(st.sampled_from(["silence", "no answer", "emotion", "emotion"]))
    if kind == "silence":
        return Segment(start, end, False)
    if kind == "no answer":
        return Segment(start, end, True, "", None, draw(WORDS))
    each = draw(st.lists(st.floats(0, 1, width=32), min_size=len(emotions), max_size=len(emotions)))
    return Segment(start, end, True, draw(st.sampled_from([*emotions, "unsure"])), np.array(each, np.float32), "")


def same(one: Timeline, other: Timeline) -> bool:
    """Whether two timelines are equal, the peaks aside."""
    flat = [
        [each._replace(channels=()), [list(map(comparable, channel.segments)) for channel in each.channels]]
        for each in (one, other)
    ]
    return flat[0] == flat[1]


def comparable(segment: Segment) -> Segment:
    """A segment whose probabilities can be compared by ==."""
    return segment._replace(probabilities=None if segment.probabilities is None else segment.probabilities.tolist())
