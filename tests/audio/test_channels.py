"""One channel of a file, and files whose channels carry different speech, by every way of decoding."""

import io

import numpy as np
import pytest
import soundfile

from media_files import encoded
from ser.audio.decoding import UnusableAudioError, decode
from ser.demo.synthetic_speech import demo_table, synthesize

SR = 16000
TABLE = demo_table({"seed": 5, "speakers": 2, "emotions": ["anger", "sadness"], "sentences": 3, "takes": 1})
WAYS = {
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "m4a": ("mp4", "aac"),
}


@pytest.fixture(scope="module")
def both() -> np.ndarray:
    """What two people say one after the other, each on a channel, shape (samples, 2)."""
    first, second = (
        np.concatenate([synthesize(clip, 5, SR) for clip in rows.to_dict("records")])
        for _, rows in TABLE.groupby("speaker")
    )
    y = np.zeros((len(first) + len(second), 2), np.float32)
    y[: len(first), 0], y[len(first) :, 1] = first, second
    return y


def content(y: np.ndarray, way: str) -> io.BytesIO:
    container, codec = WAYS[way]
    return io.BytesIO(encoded(y, container, codec, **({"bit_rate": 128_000} if way in ("mp3", "m4a", "opus") else {})))


@pytest.mark.parametrize("way", WAYS)
def test_a_channel_is_what_it_holds(both, way):
    file = content(both, way)
    mean = decode(file, max_seconds=60)
    parts = [decode(file, max_seconds=60, channel=channel) for channel in (1, 2)]
    np.testing.assert_allclose((parts[0].y + parts[1].y) / 2, mean.y, atol=1e-6)
    assert mean.different == (1, 2)
    for part in parts:
        assert part[1:] == (*mean[1:4], None, ())
    speaks = np.abs(both) > 0.05
    step = mean.sample_rate // SR
    for part, own, other in zip(parts, speaks.T, speaks.T[::-1], strict=True):
        level = np.abs(part.y[::step][: len(both)])
        assert level[own[: len(level)]].mean() > 20 * level[other[: len(level)]].mean()


@pytest.mark.parametrize("way", WAYS)
def test_a_channel_that_is_not_there_is_refused(both, way):
    file = content(both[:SR, 0], way)
    np.testing.assert_array_equal(decode(file, max_seconds=60, channel=1).y, decode(file, max_seconds=60).y)
    for channel in (2, 0, -1):
        with pytest.raises(
            UnusableAudioError, match=f"^channel {channel} is asked for, and it has one channel: name one"
        ):
            decode(file, max_seconds=60, channel=channel)
    with pytest.raises(UnusableAudioError, match="longer than"):
        decode(file, max_seconds=0.5, channel=1)


def test_the_links_of_a_chain():
    rng = np.random.default_rng(0)
    y = (0.1 * rng.standard_normal((SR, 2))).astype(np.float32)
    links = []
    for _ in range(2):
        file = io.BytesIO()
        soundfile.write(file, y, SR, format="OGG", subtype="VORBIS")
        links.append(file.getvalue())
    chain = io.BytesIO(b"".join(links))
    one = decode(io.BytesIO(links[0]), max_seconds=30, channel=2).y
    np.testing.assert_array_equal(decode(chain, max_seconds=30, channel=2).y, np.concatenate([one, one]))


def test_of_channels_that_cancel_each_other_the_one_that_is_asked_for(both):
    y = both.sum(axis=1)
    file = content(np.stack([0.8 * y, -y], axis=1), "wav")
    found = decode(file, max_seconds=60)
    assert (found.taken, found.different) == (1, ())
    assert decode(file, max_seconds=60, channel=1).taken is None
    np.testing.assert_allclose(decode(file, max_seconds=60, channel=1).y, 0.8 * y, atol=1e-4)
