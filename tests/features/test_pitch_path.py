"""The path through the candidates of a pitch track."""

from itertools import product

import numpy as np
import pytest

from ser.features import pitch


@pytest.mark.parametrize("steps", range(6))
def test_best_path_is_the_best_of_all_paths(steps):
    rng = np.random.default_rng(steps)
    first, gain = rng.standard_normal(3), rng.standard_normal((steps, 3, 3))

    def total(path):
        arrivals = zip(gain, path[1:], path[:-1], strict=True)
        return first[path[0]] + sum(step[arriving, leaving] for step, arriving, leaving in arrivals)

    best = max(product(range(3), repeat=steps + 1), key=total)
    np.testing.assert_array_equal(pitch.viterbi(first, gain), best)


def test_one_frame_of_another_octave_is_passed_over_and_a_whole_stretch_is_not():
    """Twice the pitch for a frame costs two jumps, for a quarter of a second no more."""
    f0 = np.tile(np.float32([100, 200]), (60, 1))
    for frames in (1, 25):
        strength = np.tile(np.float32([0.9, 0.7]), (60, 1))
        strength[20 : 20 + frames] = [0.7, 0.9]
        found = pitch.best_path(f0, strength, np.full(60, 0.5, dtype=np.float32), frame_seconds=0.01)
        assert set(found) == ({100} if frames == 1 else {100, 200})


def test_frames_where_no_candidate_is_strong_are_unvoiced():
    f0 = np.full((60, 1), 100, dtype=np.float32)
    strength = np.full((60, 1), 0.9, dtype=np.float32)
    strength[30:] = 0.3
    found = pitch.best_path(f0, strength, np.full(60, 0.5, dtype=np.float32), frame_seconds=0.01)
    np.testing.assert_array_equal(found, np.repeat(np.float32([100, 0]), 30))
