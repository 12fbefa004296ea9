"""A piece of a long file, read without the rest."""

import numpy as np
import pytest
import soundfile

from ser.audio.recordings import UnusableAudioError
from ser.streams.piece_of_file import read_piece

RATE = 16000


@pytest.fixture
def file(tmp_path):
    """10 s of two channels: the number of each sample, and its negative half."""
    count = np.arange(10 * RATE) / (10 * RATE)
    soundfile.write(tmp_path / "a.wav", np.stack([count, -count / 2], axis=1), RATE, subtype="FLOAT")
    return tmp_path / "a.wav"


@pytest.mark.parametrize(("channel", "factor"), [(1, 1.0), (2, -0.5), (None, 0.25)])
def test_it_is_what_lies_between_the_times(file, channel, factor):
    y, rate = read_piece(file, 4.5, 6.25, channel=channel, max_seconds=60)
    assert rate == RATE
    expected = factor * np.arange(round(4.5 * RATE), round(6.25 * RATE)) / (10 * RATE)
    np.testing.assert_allclose(y, expected, atol=1e-6)


def test_of_a_piece_that_goes_on_after_the_end_there_is_what_there_is(file):
    assert len(read_piece(file, 9.0, 12.0, max_seconds=60)[0]) == RATE


def test_what_is_not_there_is_refused(file):
    with pytest.raises(UnusableAudioError, match="it ends before 10 s"):
        read_piece(file, 10.0, 11.0, max_seconds=60)
    with pytest.raises(UnusableAudioError, match="no channel 3: it has 2"):
        read_piece(file, 0.0, 1.0, channel=3, max_seconds=60)


def test_nothing_is_read_behind_the_piece(file):
    """A damaged end does not matter, nor how long the file is."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert len(read_piece(file, 1.0, 2.0, max_seconds=9)[0]) == RATE
