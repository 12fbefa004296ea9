"""Speech in a recording is found, silence, noise and music are not; utterances are cut at pauses."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from ser.audio.cleaning import to_int16, trim
from ser.speech.utterance_cutting import UtteranceCutter, find_utterances
from ser.speech.voice_activity import FRAME, RATE, Frames
from sounds import MUSIC, NOISES, at_level, music, noise
from speech_samples import SPEECH, recordings, speech

CUTTING = SimpleNamespace(min_seconds=1.0, max_seconds=10.0, pause=0.5, threshold=0.35, padding=0.15)


def spoken(corpus: str) -> np.ndarray:
    """Return a clip at 16 kHz, as loud as speech usually is."""
    y, sr = speech(corpus)
    return at_level(trim(soxr.resample(y, sr, RATE), 30.0), -26)


@pytest.mark.parametrize("level", [-20, -45])
@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_no_speech(kind, level):
    assert find_utterances(to_int16(at_level(noise(kind, 8.0), level)), CUTTING) == []


@pytest.mark.parametrize("timbre", MUSIC)
def test_music_is_no_speech(timbre):
    assert find_utterances(to_int16(at_level(music(timbre, 16.0), -20)), CUTTING) == []


@pytest.mark.parametrize("corpus", SPEECH)
@pytest.mark.parametrize("level", [0, -20])
def test_speech_between_other_sounds_is_found(corpus, level):
    clip = spoken(corpus) * 10 ** (level / 20)
    gap, other = np.zeros(RATE), at_level(music("plucked", 3.0), -26 + level)
    y = np.concatenate([other, gap, clip, gap, at_level(noise("white", 2.0), -40 + level), gap, clip, gap])
    starts = [len(other) + RATE, len(y) - RATE - len(clip)]
    found = find_utterances(to_int16(y), CUTTING)
    assert len(found) == 2
    for (first, last), start in zip(found, starts, strict=True):
        overlap = min(last, start + len(clip)) - max(first, start)
        assert overlap > 0.8 * len(clip)
        assert first > start - 0.4 * RATE and last < start + len(clip) + 0.4 * RATE


@pytest.mark.parametrize("emotion", ["angry 05", "fearful 06", "sad 04", "calm 02"])
def test_emotional_speech_is_found(emotion):
    code = emotion[-2:]
    files = [path for path in recordings("ravdess") if path.stem.split("-")[2:4] == [code, "02"]][::12]
    found = 0
    for path in files:
        y, sr = soundfile.read(path, dtype="float32", always_2d=True)
        found += bool(find_utterances(to_int16(soxr.resample(y.mean(axis=1), sr, RATE)), CUTTING))
    assert found >= 0.9 * len(files) > 0


def test_the_same_recording_gives_the_same_utterances():
    y = to_int16(np.concatenate([spoken("demo"), np.zeros(RATE), spoken("demo")]))
    assert find_utterances(y, CUTTING) == find_utterances(y.copy(), CUTTING)


@pytest.mark.parametrize("samples", [0, 1, 511, 513])
def test_hardly_any_samples_hold_no_speech(samples):
    assert find_utterances(np.ones(samples, dtype=np.int16), CUTTING) == []


def frames(*parts: tuple[float, float]) -> np.ndarray:
    """Return a value a frame from pairs of seconds and value."""
    return np.concatenate([np.full(round(seconds * RATE / FRAME), value, dtype=np.float32) for seconds, value in parts])


def seconds_of(utterances: list[tuple[int, int]]) -> list[tuple[float, float]]:
    return [(round(first / RATE, 1), round(last / RATE, 1)) for first, last in utterances]


def cut(probability: np.ndarray, level: np.ndarray, length: int, cutting) -> list[tuple[int, int]]:
    """Cut frames of which nothing is known but these, in two parts."""
    cutter, half = UtteranceCutter(cutting), len(probability) // 2
    found = []
    for part in (slice(None, half), slice(half, None)):
        noise = np.full(len(probability[part]), np.nan)
        found += cutter.feed(Frames(probability[part], level[part], noise))
    return found + cutter.finish(length)


def cut_at(probability: np.ndarray, level: np.ndarray | None = None, **changes) -> list[tuple[float, float]]:
    level = np.full(len(probability), -30, dtype=np.float32) if level is None else level
    cutting = SimpleNamespace(**(vars(CUTTING) | changes))
    return seconds_of(cut(probability, level, len(probability) * FRAME, cutting))


def test_pauses_end_utterances_and_short_ones_do_not():
    probability = frames((1, 0), (2, 1), (0.3, 0), (2, 1), (1, 0), (3, 1), (1, 0))
    assert cut_at(probability) == [(0.8, 5.4), (6.1, 9.4)]


def test_what_is_too_short_is_dropped():
    assert cut_at(frames((1, 0), (0.5, 1), (1, 0), (1, 1), (1, 0))) == [(2.3, 3.6)]


def test_a_long_passage_is_split_at_its_longest_gap():
    probability = frames((1, 0), (4, 1), (0.2, 0), (3, 1), (0.4, 0), (5, 1), (0.1, 0), (1, 1), (1, 0))
    first, second = cut_at(probability)
    assert first[0] == 0.8 and second[1] == 14.8
    assert first[1] == pytest.approx(8.4, abs=0.11) and second[0] == pytest.approx(8.4, abs=0.11)
    assert first[1] <= second[0]


def test_speech_without_a_pause_is_split_where_it_is_quietest():
    level = frames((7, -20), (0.1, -50), (8, -20))
    assert cut_at(frames((15.1, 1)), level) == [(0.0, 7.0), (7.0, 15.1)]


def test_single_frames_that_sound_like_speech_are_no_utterance():
    blips = [part for _ in range(8) for part in ((0.064, 1.0), (0.3, 0.0))]
    assert cut_at(frames((1, 0), *blips, (1, 0))) == []


def test_padding_ends_with_the_recording():
    assert cut_at(frames((2, 1))) == [(0.0, 2.0)]


def test_speech_a_frame_too_long_and_too_short_for_two_is_cut_off():
    frames_of_speech = 126  # 4.032 s: longer than 4 s, and no place is 2 s away from both ends
    cutting = SimpleNamespace(min_seconds=2.0, max_seconds=4.0, pause=0.5, threshold=0.5, padding=0.0)
    level = np.full(frames_of_speech, -20.0)
    found = cut(np.ones(frames_of_speech), level, frames_of_speech * FRAME, cutting)
    assert [(first, last) for first, last in found] == [(0, 125 * FRAME)]


@settings(max_examples=300, deadline=None)
@given(
    parts=st.lists(st.tuples(st.integers(1, 400), st.sampled_from([0.0, 0.4, 0.6, 1.0])), max_size=20),
    seed=st.integers(0, 2**32 - 1),
    shortest=st.sampled_from([0.3, 1.0, 2.0]),
    longest=st.sampled_from([4.0, 5.0, 10.0]),
    pause=st.sampled_from([0.1, 0.5, 2.0]),
    padding=st.sampled_from([0.0, 0.15, 0.5]),
)
def test_utterances_keep_to_their_limits(parts, seed, shortest, longest, pause, padding):
    probability = np.repeat([p for _, p in parts], [n for n, _ in parts])
    level = np.random.default_rng(seed).uniform(-60, -10, len(probability))
    cutting = SimpleNamespace(min_seconds=shortest, max_seconds=longest, pause=pause, threshold=0.5, padding=padding)
    end = 0
    for first, last in cut(probability, level, len(probability) * FRAME, cutting):
        assert end <= first < last <= len(probability) * FRAME
        assert shortest * RATE <= last - first <= longest * RATE
        assert (probability[first // FRAME : -(-last // FRAME)] >= 0.35).any()
        end = last
