"""Whether channels carry different speech: calls, and one voice heard by several microphones, codecs and rooms."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from channel_simulation import SR, Voice, call, same
from conftest import CORPORA, FULL, needs_corpora
from ser.channels.different_speech import ChannelLevels
from ser.demo.synthetic_speech import demo_table, synthesize


def channels_of(y: np.ndarray, sr: int = SR, block: int = 1 << 16) -> tuple[int, ...]:
    levels = ChannelLevels(y.shape[1], sr)
    for start in range(0, len(y), block):
        levels.add(y[start : start + block])
    return levels.different()


def synthetic_voices() -> list[list[np.ndarray]]:
    table = demo_table(
        {"seed": 11, "speakers": 4, "emotions": ["anger", "neutral", "sadness"], "sentences": 2, "takes": 1}
    )
    return [
        [synthesize(clip, 11, SR).astype(np.float32) for clip in rows.to_dict("records")]
        for _, rows in table.groupby("speaker")
    ]


def acted_voices() -> list[list[np.ndarray]]:
    """Return utterances of the speakers by whom no number was chosen."""
    folders = [sorted(folder.iterdir()) for folder in sorted((CORPORA / "ravdess").glob("Actor_*"))[8:]]
    folders += [sorted((CORPORA / "emodb/wav").glob(f"{speaker}*")) for speaker in (12, 13, 14, 15, 16)]
    return [[spoken(file) for file in files[::6]] for files in folders]


def spoken(file: Path) -> np.ndarray:
    """Return the speech of a file, without the silence at its ends."""
    y, sr = soundfile.read(file, dtype="float32", always_2d=True)
    y = soxr.resample(y.mean(axis=1), sr, SR)
    loud = np.flatnonzero(np.abs(y) > 0.03 * np.abs(y).max())
    return y[max(0, loud[0] - 800) : loud[-1] + 800]


def wrong(voices: list[list[np.ndarray]], rng: np.random.Generator, count: int) -> tuple[list[str], list[str]]:
    """Return the calls that are not found out, and what is taken for one."""

    def voice(number: int) -> Voice:
        return lambda: voices[number][rng.integers(len(voices[number]))]

    missed, taken = [], []
    for _ in range(count):
        one, other = rng.choice(len(voices), 2, replace=False)
        y, kind = call(rng, voice(one), voice(other))
        missed += [] if channels_of(y) == (1, 2) else [kind]
        y, kind = same(rng, voice(one), voice(other))
        taken += [kind] if channels_of(y) else []
    return missed, taken


def test_calls_are_found_out_and_nothing_is_taken_for_one():
    missed, taken = wrong(synthetic_voices(), np.random.default_rng(2), 60)
    assert len(missed) <= 3, missed
    assert not taken


@needs_corpora
@pytest.mark.verify
def test_calls_of_acted_speech_are_found_out_too():
    count = 1000 if FULL else 200
    missed, taken = wrong(acted_voices(), np.random.default_rng(99), count)
    assert len(missed) <= 0.03 * count, missed
    assert len(taken) <= 0.005 * count, taken


@pytest.fixture(scope="module")
def voices() -> list[list[np.ndarray]]:
    return synthetic_voices()


def two(voices: list[list[np.ndarray]]) -> np.ndarray:
    first, second = (np.concatenate(voices[number]) for number in (0, 1))
    y = np.zeros((len(first) + len(second), 2), np.float32)
    y[: len(first), 0], y[len(first) :, 1] = first, second
    return y


def test_blocks_make_no_difference(voices):
    y = two(voices)
    levels = []
    for block in (100, 5000, len(y)):
        found = ChannelLevels(2, SR)
        for start in range(0, len(y), block):
            found.add(y[start : start + block])
        levels.append(np.concatenate(found._energies))
    assert len(levels[0]) == len(y) // 1024
    for other in levels[1:]:
        np.testing.assert_allclose(levels[0], other, rtol=1e-4)


@pytest.mark.parametrize("sr", [4000, 8000, 11025, 22050, 44100, 48000, 96000])
def test_at_any_rate(voices, sr):
    y = soxr.resample(two(voices), SR, sr)
    assert channels_of(y, sr) == (1, 2)
    assert channels_of(np.stack([y[:, 0], 0.3 * y[:, 0]], axis=1), sr) == ()


def test_which_of_several_channels(voices):
    y = two(voices)
    silent, same_again = np.zeros((len(y), 1), np.float32), 0.5 * y[:, :1]
    assert channels_of(np.hstack([silent, y])) == (2, 3)
    assert channels_of(np.hstack([y, same_again])) == (1, 2, 3)
    assert channels_of(np.hstack([y[:, :1], same_again, silent])) == ()
    assert channels_of(np.hstack([y, y, y])) == ()  # 5.1, of films


@pytest.mark.parametrize("count", [0, 1, 1000, 1024, 5000])
def test_next_to_nothing(count):
    assert channels_of(np.zeros((count, 2), np.float32)) == ()
    assert channels_of(np.random.default_rng(0).standard_normal((count, 2)).astype(np.float32)) == ()


def test_clicks_offsets_and_hum_are_no_speech(voices):
    y = np.concatenate(voices[0])
    t = np.arange(len(y)) / SR
    clicks = np.zeros(len(y), np.float32)
    clicks[:: 2 * SR] = 0.9
    for other in (clicks, np.full(len(y), 0.5), 0.3 * np.sin(2 * np.pi * 50 * t), 0.2 * y + 0.3):
        assert channels_of(np.stack([y, other], axis=1).astype(np.float32)) == ()
