"""The detector as it comes in: blocks of any size, speech of any level, what stands out from noise."""

import numpy as np
import pytest

from ser.speech.utterance_cutting import Cutting, UtteranceCutter
from ser.speech.voice_activity import FRAME, LEAST_NOISE, RATE, Frames, VoiceActivity
from sounds import at_level, noise
from speech_samples import DEMO_RATE, speech


def spoken(level: float, seconds_before: float = 2.0) -> np.ndarray:
    """Return a clip of the demo between two pauses with a little noise."""
    y, sr = speech("demo")
    assert sr == DEMO_RATE == RATE
    pause = at_level(noise("pink", seconds_before), level - 40)
    return np.concatenate([pause, at_level(y, level), pause]).astype(np.float32)


def judged(y: np.ndarray, step: int) -> Frames:
    activity = VoiceActivity()
    parts = [activity.feed(y[start : start + step]) for start in range(0, len(y), step)]
    return Frames(*(np.concatenate(values) for values in zip(*parts, activity.finish(), strict=True)))


@pytest.mark.parametrize("step", [1, 511, 512, 700, 100_000])
def test_the_size_of_blocks_makes_no_difference(step):
    y = spoken(-26.0, 0.4)[: 20 * RATE // 10] if step == 1 else spoken(-26.0)
    whole = judged(y, len(y))
    for found, expected in zip(judged(y, step), whole, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert len(whole.probability) == -(-len(y) // FRAME)


@pytest.mark.parametrize("level", [-6.0, -26.0, -46.0, -66.0])
def test_speech_of_any_level_is_found(level):
    y = spoken(level)
    start, end = 2 * RATE, len(y) - 2 * RATE
    found = utterances(y)
    assert len(found) == 1
    (first, last) = found[0]
    assert abs(first - start) < 0.3 * RATE and abs(last - end) < 0.3 * RATE


def test_speech_that_begins_at_once_is_found_as_well():
    y = spoken(-26.0)[2 * RATE : -RATE]
    ((first, last),) = utterances(y)
    assert first < 0.2 * RATE and abs(last - (len(y) - RATE)) < 0.3 * RATE


def utterances(y: np.ndarray, step: int = 4096) -> list[tuple[int, int]]:
    activity, cutter = VoiceActivity(), UtteranceCutter(Cutting())
    found = []
    for start in range(0, len(y), step):
        found += cutter.feed(activity.feed(y[start : start + step]))
    found += cutter.feed(activity.finish())
    return found + cutter.finish(len(y))


def test_noise_is_known_after_a_while_and_speech_stands_out_from_it():
    frames = judged(spoken(-26.0), 512)
    assert np.isnan(frames.above[:LEAST_NOISE]).all()
    assert np.isfinite(frames.above[40:]).all()
    speaking = frames.probability > 0.9
    assert speaking.sum() > 10
    assert np.median(frames.above[speaking]) > 15
    quiet = (frames.probability < 0.1) & np.isfinite(frames.above)
    assert (frames.above[quiet] > 0).mean() < 0.3


def frames_of(*parts: tuple[int, float, float]) -> Frames:
    """Return frames from numbers of frames, probabilities and dB above the noise."""
    columns = [np.concatenate([np.full(part[0], part[place], np.float32) for part in parts]) for place in (1, 2)]
    return Frames(columns[0], np.full(len(columns[0]), -30, np.float32), columns[1])


def cut(frames: Frames) -> list[tuple[float, float]]:
    cutting = Cutting(padding=0.0)
    cutter = UtteranceCutter(cutting)
    found = cutter.feed(frames) + cutter.finish(len(frames.level) * FRAME)
    return [(first / FRAME, last / FRAME) for first, last in found]


def test_a_breath_beside_speech_belongs_to_it_and_what_lies_farther_off_does_not():
    assert cut(frames_of((40, 0, -5), (5, 0, 5), (30, 1, 20), (40, 0, -5))) == [(40, 75)]
    assert cut(frames_of((40, 0, -5), (30, 1, 20), (2, 0, -5), (5, 0, 5), (40, 0, -5))) == [(40, 77)]
    assert cut(frames_of((40, 0, -5), (30, 1, 20), (3, 0, -5), (5, 0, 5), (40, 0, -5))) == [(40, 70)]
    assert cut(frames_of((40, 0, -5), (30, 1, 20), (60, 0, 5))) == [(40, 89)]  # no farther than 0.6 s


def test_noise_that_is_taken_for_speech_at_its_end_is_cut_off():
    assert cut(frames_of((40, 0, -5), (30, 1, 20), (2, 1, -5), (40, 0, -5))) == [(40, 70)]
    assert cut(frames_of((40, 0, -5), (30, 1, 20), (9, 1, -5), (40, 0, -5))) == [(40, 76)]  # but no more than 0.1 s


def test_where_no_noise_is_known_the_edges_stay():
    assert cut(frames_of((40, 0, np.nan), (30, 1, np.nan), (40, 0, np.nan))) == [(40, 70)]


def test_speech_without_end_is_cut_while_it_goes_on():
    cutter = UtteranceCutter(Cutting())
    found = []
    for _ in range(60):
        found += cutter.feed(frames_of((31, 1, 20)))
        assert len(cutter._speech) * FRAME / RATE < 20  # what is kept does not grow
    assert len(found) > 4
    assert cutter.speaking_since is not None
    assert all(0.3 <= (last - first) / RATE <= 8 for first, last in found)
    assert [last for _, last in found[:-1]] == [first for first, _ in found[1:]]


def test_what_is_settled_is_not_needed_again():
    frames, cutter, found = frames_of((40, 0, -5), (30, 1, 20), (40, 0, -5), (90, 1, 20), (40, 0, -5)), None, []
    cutter = UtteranceCutter(Cutting())
    for number in range(len(frames.level)):
        settled = cutter.settled
        new = cutter.feed(Frames(*(values[number : number + 1] for values in frames)))
        assert all(first >= settled for first, _ in new)
        found += new
    assert len(found) == 2
