"""Pictures of timelines, told from their pixels, and the same bytes each time."""

import subprocess
import sys

import matplotlib.image
import numpy as np
import pytest

from conftest import environment
from made_timelines import EMOTIONS, conversation, later
from ser.timelines.segments import Channel, Segment, Timeline
from ser.timelines.timeline_picture import COLORS, DPI, GREY, WIDTH, clock, draw, mean_probabilities

HOSTILE = ("$x_1$", "a\n<b>", "_u", '"', "", "very very long word for an emotion", "高兴", "h", "i")


def pixels_of(path, color: str) -> np.ndarray:
    """Which pixels have exactly a colour."""
    pixels = np.round(matplotlib.image.imread(path)[..., :3] * 255).astype(int)
    return (pixels == [int(color[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_picture_shows_each_emotion_and_is_the_same_twice(channels, tmp_path):
    timeline = conversation(120, channels=channels)
    for name in ("one.png", "two.png"):
        draw(timeline, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png"]
    height, width = matplotlib.image.imread(tmp_path / "one.png").shape[:2]
    assert width == WIDTH * DPI and channels * 2.5 * DPI < height < (channels * 4 + 2) * DPI
    heard = {segment.emotion for channel in timeline.channels for segment in channel.segments}
    for emotion, color in zip(EMOTIONS, COLORS, strict=False):
        assert emotion not in heard or pixels_of(tmp_path / "one.png", color).sum() > 500
    assert pixels_of(tmp_path / "one.png", GREY).sum() > 500  # unsure


def test_an_utterance_is_drawn_where_it_is(tmp_path):
    """The second of ten equal parts of the recording is angry: nothing blue lies outside it."""
    sure = np.eye(len(EMOTIONS), dtype=np.float32)[0]
    segments = (Segment(0, 1, False), Segment(1, 2, True, "anger", sure), Segment(2, 10, False))
    channel = Channel(segments, np.full(500, 0.5, np.float32))
    draw(Timeline("x.wav", 10.0, EMOTIONS, (channel,), "svm"), tmp_path / "x.png")
    columns = np.flatnonzero(pixels_of(tmp_path / "x.png", COLORS[0]).any(axis=0))
    assert len(columns) == columns[-1] - columns[0] + 1
    assert len(columns) == pytest.approx(0.1 * 0.88 * WIDTH * DPI, rel=0.05)
    assert columns[0] == pytest.approx((0.1 + 0.1 * 0.88) * WIDTH * DPI, rel=0.1)


@pytest.mark.parametrize(
    "timeline",
    [
        conversation(20, emotions=HOSTILE)._replace(name="$f_1$\n<x>.wav", remarks=("50 $ & a_b",)),
        later(conversation(60), 10 * 3600),
        Timeline("silence.wav", 0.3, EMOTIONS, (Channel((Segment(0, 0.3, False),), np.zeros(15, "f4")),), ""),
    ],
    ids=["any words", "ten hours, no peaks", "nobody speaks"],
)
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_any_timeline_is_drawn(timeline, suffix, tmp_path):
    draw(timeline, tmp_path / f"x{suffix}")
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert (tmp_path / f"x{suffix}").read_bytes().startswith(start)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=".gif: a picture ends in .png, .svg or .pdf"):
        draw(conversation(10), tmp_path / "x.gif")
    assert not list(tmp_path.iterdir())


def test_means_count_each_part_of_an_utterance():
    """By hand: of the second from 1 to 2 s, half a s is of each utterance; none speaks from 3 s on."""
    first, second = np.array([0.2, 0.8], np.float32), np.array([0.6, 0.4], np.float32)
    segments = (Segment(0, 1.5, True, "b", first), Segment(1.5, 2.5, True, "a", second), Segment(2.5, 4, False))
    means = mean_probabilities(Channel(segments, np.empty(0)), 2, np.arange(5.0))
    np.testing.assert_allclose(means, [[0.2, 0.4, 0.6, np.nan], [0.8, 0.6, 0.4, np.nan]], atol=1e-6)


def test_times_are_of_minutes_or_hours():
    assert [clock(65, hours=False), clock(3600, hours=True), clock(36_065, hours=True)] == [
        "1:05",
        "1:00:00",
        "10:01:05",
    ]


def test_formats_need_no_matplotlib():
    code = "import sys, ser.timelines.formats, ser.timelines.timeline_picture; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert run.stdout.strip() == "False", run.stderr
