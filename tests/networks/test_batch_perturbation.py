from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser.networks.batch_perturbation import draw_masks, draw_mixture, perturbed_batch, stretched, warped

NONE = SimpleNamespace(stretch=0.0, mixup=0.0, feature_masks=0, feature_mask_width=1, time_masks=0, time_mask_share=0.0)


def with_(**changes) -> SimpleNamespace:
    return SimpleNamespace(**vars(NONE) | changes)


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0.5, 1.5)), min_size=1, max_size=5))
def test_stretched_clips_keep_their_course(clips):
    def course(frames: int) -> np.ndarray:
        return np.stack([np.linspace(0, 1, frames), np.linspace(5, -5, frames)], axis=1).astype(np.float32)

    spoken, rates = np.array([frames for frames, _ in clips]), np.array([rate for _, rate in clips])
    batch, lengths = stretched([course(frames) for frames in spoken], rates, 8)
    assert lengths.tolist() == [max(1, round(frames / rate)) for frames, rate in clips]
    assert batch.shape[1] % 8 == 0 and 0 <= batch.shape[1] - lengths.max() < 8
    for values, frames, length in zip(batch, spoken, lengths, strict=True):
        if frames > 1 and length > 1:  # straight lines stay straight
            np.testing.assert_allclose(values[:length], course(length), atol=1e-5)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 12), st.integers(0, 2**31))
def test_masks_are_no_wider_than_allowed_and_within_their_clip(lengths, features, seed):
    settings = with_(feature_masks=1, feature_mask_width=4, time_masks=1, time_mask_share=0.25)
    lengths = np.array(lengths)
    shape = (64, features)
    frames, bands = draw_masks(lengths, shape, settings, np.random.default_rng(seed))
    assert (bands.sum(axis=1) <= 4).all()
    for hidden, length in zip(frames, lengths, strict=True):
        assert hidden[length:].all()  # what lies behind the clip
        assert hidden[:length].sum() <= length * 0.25


def test_masks_reach_every_place_and_are_runs():
    settings = with_(feature_masks=1, feature_mask_width=3, time_masks=1, time_mask_share=0.2)
    frames, bands = draw_masks(np.full(300, 20), (20, 10), settings, np.random.default_rng(0))
    for masks in (frames, bands):
        assert masks.any(axis=0).all()
        assert (np.diff(masks.astype(int), axis=1, prepend=0) == 1).sum(axis=1).max() == 1


def test_what_is_masked_holds_the_means():
    clips, fill = [np.ones((length, 10), dtype=np.float32) for length in (20, 11)], -np.arange(1, 11, dtype=np.float32)
    settings = with_(feature_masks=2, feature_mask_width=3, time_masks=1, time_mask_share=0.2)
    batch, lengths, _ = perturbed_batch(clips, np.eye(2, dtype=np.float32), fill, settings, np.random.default_rng(3), 8)
    assert lengths.tolist() == [20, 11]
    changed = batch != 1
    assert changed[0, :20].any() and not changed[0, :20].all()
    assert (batch[changed] == np.broadcast_to(fill, batch.shape)[changed]).all()
    assert changed[0, 20:].all() and changed[1, 11:].all()
    assert all((clip == 1).all() for clip in clips)  # the caller's clips are as they were


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


def test_a_warp_moves_what_stands_at_a_frequency_by_one_factor_a_clip():
    centres = np.linspace(100, 8000, 80)
    frequencies = np.broadcast_to(centres.astype(np.float32), (3, 80))  # each band tells its frequency
    clips = warped([frequencies] * 200, centres, 0.12, np.random.default_rng(0))
    factors = np.array([clip[0, 10] / centres[10] for clip in clips])
    assert factors.min() < 0.9 and factors.max() > 1.1 and (np.abs(factors - 1) <= 0.12001).all()
    for clip, factor in zip(clips, factors, strict=True):
        assert clip.dtype == np.float32
        expected = np.clip(centres * factor, centres[0], centres[-1])
        np.testing.assert_allclose(clip, np.broadcast_to(expected, (3, 80)), rtol=1e-4)


def test_a_warp_leaves_a_flat_spectrum_and_the_callers_clips_as_they_are():
    clip = np.full((4, 16), -30, dtype=np.float32)
    (moved,) = warped([clip], np.arange(16.0) + 1, 0.3, np.random.default_rng(1))
    np.testing.assert_allclose(moved, clip, rtol=1e-6)
    assert (clip == -30).all() and moved is not clip
