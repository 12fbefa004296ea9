"""What is the same in all frames of a clip goes."""

import numpy as np
import pytest

from ser.features.mean_subtraction import WithoutMean, mean_subtracted
from ser.storage.shards import Ragged


@pytest.fixture
def clips() -> Ragged:
    rng = np.random.default_rng(1)
    lengths = np.array([4, 1, 9])
    rows = rng.normal(100, 3, (lengths.sum(), 5)).astype(np.float32)
    return Ragged([rows], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


def test_clips_come_out_with_mean_0(clips):
    without = WithoutMean(clips)
    assert len(without) == len(clips) == len(list(without))
    assert without.lengths.tolist() == clips.lengths.tolist()
    for frames, original in zip(without, clips, strict=True):
        assert frames.dtype == np.float32
        np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(np.diff(frames, axis=0), np.diff(original, axis=0), atol=1e-4)


def test_they_stay_as_they_are_if_that_is_wanted(clips):
    assert mean_subtracted(clips, False) is clips
