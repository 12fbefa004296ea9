import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from ser.networks.batches import (
    LEAST_BATCHES,
    bucketed_batches,
    epoch_batches,
    epoch_examples,
    example_weights,
    label_smoothing,
    learnt_counts,
    oversample,
    padded,
    soft_targets,
)

LABELS = np.repeat([0, 2, 3], [70, 25, 5])  # class 1 does not occur


def test_every_example_comes_once():
    order = epoch_examples(LABELS, "weights", np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(order), np.arange(100))


def test_sampling_draws_all_classes_alike():
    drawn = [LABELS[epoch_examples(LABELS, "sampling", np.random.default_rng(seed))] for seed in range(50)]
    assert len(drawn[0]) == 100
    np.testing.assert_allclose(np.bincount(np.concatenate(drawn)) / 5000, [1 / 3, 0, 1 / 3, 1 / 3], atol=0.03)


def test_weights_are_scikit_learns():
    np.testing.assert_allclose(example_weights(LABELS, "weights"), compute_sample_weight("balanced", LABELS), rtol=1e-6)
    assert (example_weights(LABELS, "sampling") == 1).all()


def test_batches_hold_every_clip_once_and_similar_lengths_together():
    lengths = np.random.default_rng(0).integers(1, 200, 100)
    order = np.random.default_rng(3).permutation(100)
    batches = list(bucketed_batches(lengths, order, 8, np.random.default_rng(1)))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(100))
    assert np.mean([np.ptp(lengths[batch]) for batch in batches]) < 30
    others = list(bucketed_batches(lengths, order, 8, np.random.default_rng(2)))
    assert any(not np.array_equal(*pair) for pair in zip(batches, others, strict=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_targets_are_probabilities_that_keep_the_share_of_the_true_class(smoothing):
    targets = soft_targets(np.array([2, 0]), 4, smoothing)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(targets[0], [smoothing / 4] * 2 + [1 - 0.75 * smoothing, smoothing / 4], rtol=1e-6)


def test_clips_are_followed_by_padding():
    clips = [np.ones((5, 2), dtype=np.float32), np.full((9, 2), 2, dtype=np.float32)]
    batch, lengths = padded(clips, np.array([-1, -2], dtype=np.float32), 4)
    assert batch.shape == (2, 12, 2)
    assert lengths.tolist() == [5, 9]
    np.testing.assert_array_equal(batch[0, :5], clips[0])
    assert (batch[0, 5:] == [-1, -2]).all()


def test_an_epoch_goes_through_few_examples_several_times():
    rng = np.random.default_rng(0)
    batches = epoch_batches(lambda: list(rng.permutation(12).reshape(3, 4)))
    assert len(batches) == 12 >= LEAST_BATCHES
    np.testing.assert_array_equal(np.bincount(np.concatenate(batches)), 4)
    assert not np.array_equal(batches[0], batches[3])  # drawn anew
    assert len(epoch_batches(lambda: list(np.arange(40).reshape(10, 4)))) == 10


@pytest.mark.parametrize(("clips", "smoothing"), [(40, 8 / 13), (400, 8 / 58), (576, 0.1), (10_000, 0.1)])
def test_few_clips_of_a_class_are_learnt_with_less_certainty(clips, smoothing):
    assert label_smoothing(clips, 8, 0.1) == pytest.approx(smoothing)
    assert label_smoothing(clips, 8, 0.0) == 0


def test_balanced_classes_are_met_equally_often():
    labels = np.repeat([0, 1, 2], [5, 3, 2])
    assert learnt_counts(labels, 4, "none").tolist() == [5, 3, 2, 0]
    for balance in ("weights", "sampling", "smote"):
        assert len(set(learnt_counts(labels, 4, balance))) == 1


def test_a_class_of_a_single_example_is_repeated_where_smote_can_make_none():
    labels, inputs = np.repeat([0, 1], [5, 1]), np.arange(12, dtype=np.float32).reshape(6, 2)
    more, of_class = oversample(inputs, labels, seed=1)
    assert np.bincount(of_class).tolist() == learnt_counts(labels, 2, "smote").tolist() == [5, 5]
    assert (more[of_class == 1] == inputs[-1]).all()
