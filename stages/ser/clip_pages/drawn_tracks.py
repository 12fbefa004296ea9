"""Tracks of a clip as shapes of SVG, in a box of `WIDTH` by `HEIGHT` that is stretched over the page."""

import io
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from ser.clip_pages.sound_tracks import SoundTracks
from ser.features.frames import Spectrum
from ser.reporting.sound_sources import as_source
from ser.timelines.segments import Segment

WIDTH, HEIGHT = 1000, 100
DYNAMIC_RANGE_DB = 70.0  # of a spectrogram; what is quieter is as white as paper
USUAL_F0 = (75.0, 400.0)  # Hz, that the picture shows of every voice
LEVEL_RANGE = 60.0  # dB below the loudest frame
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10)  # s between marks of the time axis
MOST_MARKS = 10


class Scale(NamedTuple):
    """A vertical axis, and the values that are named on it: text and place, percent from the top."""

    low: float
    high: float
    logarithmic: bool
    marks: tuple[tuple[str, float], ...]

    def places(self, values: np.ndarray) -> np.ndarray:
        """Return how far below the top values lie, 0 to `HEIGHT`; what lies outside is put on the edge."""
        low, high = self.low, self.high
        if self.logarithmic:
            values, low, high = np.log(np.maximum(values, 1e-9)), math.log(low), math.log(high)
        return HEIGHT * (1 - np.clip((values - low) / (high - low), 0, 1))


def scale(low: float, high: float, marks: Sequence[float], *, logarithmic: bool = False, unit: float = 1) -> Scale:
    """Return an axis from `low` to `high` with those of the marks that lie between, written in multiples of `unit`."""
    axis = Scale(low, high, logarithmic, ())
    inside = np.array([mark for mark in marks if low <= mark <= high])
    texts = [f"{mark / unit:g}".replace("-", "−") for mark in inside.tolist()]
    return axis._replace(marks=tuple(zip(texts, np.round(axis.places(inside), 1).tolist(), strict=True)))


def f0_scale(f0: np.ndarray) -> Scale:
    """Return the axis of a pitch track: octaves, as voices are heard."""
    voiced = f0[f0 > 0]
    low = min(USUAL_F0[0], float(voiced.min(initial=USUAL_F0[0])) * 0.95)
    high = max(USUAL_F0[1], float(voiced.max(initial=USUAL_F0[1])) * 1.05)
    return scale(low, high, (50, 100, 200, 400, 800), logarithmic=True)


def level_scale(level: np.ndarray) -> Scale:
    """Return the axis of a level in dB: the loudest frame and what lies `LEVEL_RANGE` below it."""
    high = 10 * math.ceil(float(level.max()) / 10)
    return scale(high - LEVEL_RANGE, high, [high - below for below in range(0, int(LEVEL_RANGE) + 1, 20)])


def across(tracks: SoundTracks) -> np.ndarray:
    """Return how far from the left the frames of a clip are, 0 to `WIDTH`."""
    return np.arange(len(tracks.f0)) * tracks.clip.hop_length * (WIDTH / len(tracks.clip.y))


def line(x: np.ndarray, y: np.ndarray, shown: np.ndarray) -> str:
    """Return the ``d`` of a path through points, with gaps where they are not shown; a point alone is a dot."""
    parts, before = [], -2
    for place in np.flatnonzero(shown).tolist():
        parts.append(f"{'L' if place == before + 1 else 'M'}{x[place]:.1f} {y[place]:.1f}")
        if place != before + 1:
            parts.append("h.01")  # which a round cap makes a dot
        before = place
    return "".join(parts)


def dots(x: np.ndarray, y: np.ndarray, shown: np.ndarray) -> str:
    """Return the ``d`` of a path of dots at points."""
    return "".join(f"M{x[place]:.1f} {y[place]:.1f}h.01" for place in np.flatnonzero(shown).tolist())


def runs(shown: np.ndarray, x: np.ndarray) -> list[tuple[float, float]]:
    """Return start and width of the runs of frames that are shown, each as wide as from frame to frame."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shown, [False]]).astype(int)))
    step = float(x[1] - x[0]) if len(x) > 1 else float(WIDTH)
    spans = []
    for first, last in edges.reshape(-1, 2).tolist():
        left, right = max(first * step - step / 2, 0.0), min((last - 0.5) * step, float(WIDTH))
        spans.append((round(left, 1), round(right - left, 1)))
    return spans


def spectrogram_image(clip: Spectrum) -> str:
    """Return a power spectrum as the source of an image, a pixel a frame and bin: black is loud, as in Praat."""
    level = 10 * np.log10(np.maximum(clip.power.T[::-1], 1e-12))
    grey = np.clip((level.max() - level) / DYNAMIC_RANGE_DB, 0, 1)
    picture = Image.fromarray((255 * grey).round().astype(np.uint8), "L")
    with io.BytesIO() as file:
        picture.save(file, format="PNG", optimize=True)
        return as_source(file.getvalue(), "image/png")


def time_marks(start: float, seconds: float) -> list[tuple[str, float]]:
    """Return the times to name below the pictures: text, and percent from the left."""
    step = next((step for step in STEPS if seconds / step <= MOST_MARKS), STEPS[-1])
    decimals = 0 if step >= 1 else 1
    numbers = range(math.ceil(start / step - 1e-9), math.floor((start + seconds) / step + 1e-9) + 1)
    return [(f"{number * step:.{decimals}f}", round(100 * (number * step - start) / seconds, 2)) for number in numbers]


def visible(parts: Sequence[Segment], tracks: SoundTracks) -> list[tuple[float, float, Segment]]:
    """Return the parts of a timeline that lie in the sound of a clip, with left edge and width, 0 to `WIDTH`."""
    found = []
    for part in parts:
        left = max((part.start - tracks.start) / tracks.seconds, 0.0) * WIDTH
        right = min((part.end - tracks.start) / tracks.seconds, 1.0) * WIDTH
        if right > left:
            found.append((round(left, 1), round(right - left, 1), part))
    return found


def areas(parts: Sequence[Segment], tracks: SoundTracks, emotions: Sequence[str]) -> dict[str, str]:
    """Return by emotion the ``d`` of its probabilities over time, stacked in the order of the emotions from below."""
    paths = {emotion: "" for emotion in emotions}
    for left, width, part in visible(parts, tracks):
        if part.probabilities is None:
            continue
        edges = HEIGHT * (1 - np.concatenate([[0], np.cumsum(part.probabilities, dtype=np.float64)]))
        for emotion, lower, upper in zip(emotions, edges[:-1], edges[1:], strict=True):
            paths[emotion] += f"M{left} {lower:.2f}V{max(upper, 0):.2f}h{width}V{lower:.2f}Z"
    return paths


def named_runs(parts: Sequence[Segment], tracks: SoundTracks) -> list[dict]:
    """Return the stretches with one most probable emotion: left edge and width in percent."""
    stretches: list[dict] = []
    for left, width, part in visible(parts, tracks):
        word, left, width = part.emotion or "?", left * 100 / WIDTH, width * 100 / WIDTH
        last = stretches[-1] if stretches else None
        if last and last["emotion"] == word and abs(last["left"] + last["width"] - left) < 0.1:
            last["width"] = left + width - last["left"]
        else:
            stretches.append({"emotion": word, "left": left, "width": width})
    for each in stretches:
        each |= {"left": round(each["left"], 2), "width": round(each["width"], 2)}
    return stretches
