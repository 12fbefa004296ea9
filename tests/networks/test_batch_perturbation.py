from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.networks.batch_perturbation import draw_mixture, mask_frames, perturbed_batch, stretch_frames

NONE = SimpleNamespace(stretch=0.0, mixup=0.0, feature_masks=0, feature_mask_width=1, time_masks=0, time_mask_share=0.0)


def with_(**changes) -> SimpleNamespace:
    return SimpleNamespace(**vars(NONE) | changes)


@given(st.integers(1, 300), st.floats(0.5, 1.5))
def test_a_stretched_clip_keeps_its_course(frames, rate):
    course = np.stack([np.linspace(0, 1, frames), np.linspace(5, -5, frames)], axis=1).astype(np.float32)
    stretched = stretch_frames(course, rate)
    assert len(stretched) == max(1, round(frames / rate))
    expected = np.stack([np.linspace(0, 1, len(stretched)), np.linspace(5, -5, len(stretched))], axis=1)
    if frames > 1 and len(stretched) > 1:  # straight lines stay straight
        np.testing.assert_allclose(stretched, expected, atol=1e-5)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**31))
def test_masks_hold_the_means_and_are_no_wider_than_allowed(frames, features, seed):
    clip = np.arange(1, frames * features + 1, dtype=np.float32).reshape(frames, features)
    fill = -np.arange(1, features + 1, dtype=np.float32)
    settings = with_(feature_masks=1, feature_mask_width=4, time_masks=1, time_mask_share=0.25)
    masked = mask_frames(clip, fill, settings, np.random.default_rng(seed))
    changed = masked != clip
    assert (masked[changed] == np.broadcast_to(fill, clip.shape)[changed]).all()
    assert changed.all(axis=0).sum() <= 4 + (frames < 2)
    assert changed.all(axis=1).sum() <= max(frames * 0.25, features <= 4 and frames)
    assert (clip > 0).all()  # the caller's clip is as it was


def test_masks_reach_every_place():
    clip, fill = np.ones((20, 10), dtype=np.float32), np.zeros(10, dtype=np.float32)
    settings = with_(feature_masks=1, feature_mask_width=3, time_masks=1, time_mask_share=0.2)
    masked = [mask_frames(clip, fill, settings, np.random.default_rng(seed)) == 0 for seed in range(300)]
    assert np.any(masked, axis=0).all()


def test_a_mixture_takes_the_larger_part_from_the_example_itself():
    mixture = draw_mixture(1000, 0.4, np.random.default_rng(0))
    assert ((mixture.share >= 0.5) & (mixture.share <= 1)).all()
    assert sorted(mixture.partner) == list(range(1000))
    assert mixture.share.std() > 0.1
    values = np.random.default_rng(1).standard_normal((1000, 3, 2)).astype(np.float32)
    row = 17
    expected = mixture.share[row] * values[row] + (1 - mixture.share[row]) * values[mixture.partner[row]]
    np.testing.assert_allclose(mixture.mix(values)[row], expected, rtol=1e-6)


def test_nothing_is_changed_where_nothing_is_asked_for():
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal((length, 3)).astype(np.float32) for length in (7, 4)]
    targets = np.eye(2, dtype=np.float32)
    batch, lengths, mixed = perturbed_batch(clips, targets, np.zeros(3, dtype=np.float32), NONE, rng, 8)
    np.testing.assert_array_equal(batch[0, :7], clips[0])
    np.testing.assert_array_equal(batch[1, :4], clips[1])
    assert lengths.tolist() == [7, 4]
    np.testing.assert_array_equal(mixed, targets)


def test_inputs_and_targets_are_mixed_alike_over_the_longer_clip():
    clips = [np.full((length, 1), value, dtype=np.float32) for length, value in ((8, 1), (4, 0))]
    targets, fill = np.eye(2, dtype=np.float32), np.zeros(1, dtype=np.float32)
    for seed in range(20):
        batch, lengths, mixed = perturbed_batch(clips, targets, fill, with_(mixup=1.0), np.random.default_rng(seed), 8)
        assert batch[0, 0, 0] == pytest.approx(mixed[0, 0], abs=1e-6)
        if mixed[1, 0] > 0:
            assert lengths.tolist() == [8, 8]
            return
    raise AssertionError("nothing was mixed")
