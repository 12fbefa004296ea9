"""A graph moved to other recordings: by its inputs, or by what the last layers read."""

import numpy as np
import pytest

from ser.adaptation.adapted_graph import (
    Reference,
    adapt,
    information,
    last_layer_inputs,
    layer_weights,
    probabilities_of,
    with_last_layers,
)
from ser.adaptation.input_statistics import middle_statistics
from ser.graphs.mean_graph import mean_model
from small_graphs import CLASSES, COLUMNS, classifier, network, reference_of, sequences


def test_a_filter_on_functionals_is_undone():
    rng = np.random.default_rng(1)
    old = rng.normal(3, 2, (500, COLUMNS)).astype(np.float32)
    scale = rng.uniform(0.5, 2, COLUMNS)
    other = (-40 + scale * old).astype(np.float32)
    model = classifier()
    adapted = adapt(model, other, Reference(middle_statistics(old), []))
    told = probabilities_of(adapted.model, other).argmax(axis=1) == probabilities_of(model, old).argmax(axis=1)
    assert told.mean() > 0.98
    assert (probabilities_of(model, other).argmax(axis=1) == probabilities_of(model, old).argmax(axis=1)).mean() < 0.7
    assert adapted.inputs_moved


def test_an_adapted_model_can_be_adapted_again():
    rng = np.random.default_rng(1)
    old = rng.normal(3, 2, (500, COLUMNS)).astype(np.float32)
    first = adapt(classifier(), (5 * old - 70).astype(np.float32), Reference(middle_statistics(old), []))
    other = (0.2 * old + 9).astype(np.float32)
    again = adapt(first.model, other, first.reference)
    told, wanted = (probabilities_of(*each).argmax(axis=1) for each in ((again.model, other), (classifier(), old)))
    assert (told == wanted).mean() > 0.97


def test_its_own_clips_change_nothing():
    old = np.random.default_rng(4).normal(3, 2, (500, COLUMNS)).astype(np.float32)
    adapted = adapt(classifier(), old, Reference(middle_statistics(old), []))
    np.testing.assert_allclose(probabilities_of(adapted.model, old), probabilities_of(classifier(), old), atol=1e-5)
    clips = sequences(120)
    model = network()
    adapted = adapt(model, clips, reference_of(model, clips))
    np.testing.assert_allclose(probabilities_of(adapted.model, clips), probabilities_of(model, clips), atol=1e-5)
    assert not adapted.inputs_moved


def test_a_last_layer_reads_what_it_expects():
    model, old = network(), sequences(200)
    reference = reference_of(model, old)
    other = sequences(200, seed=2, offset=0.3)
    adapted = adapt(model, other, reference)
    (layer,), (weights, biases) = reference.last_layers, layer_weights(model)[0]
    (now,), (changed, moved) = adapted.reference.last_layers, layer_weights(adapted.model)[0]
    # the logits of what it reads on the average are those of what it used to read
    np.testing.assert_allclose(now.mean @ changed + moved, layer.mean @ weights + biases, atol=1e-4)


def test_frames_are_moved_where_answers_then_tell_more():
    """Far from all that it knows a network says the same of everything."""
    model, old = network(), sequences(200)
    other = sequences(200, seed=2, offset=-30.0)
    adapted = adapt(model, other, reference_of(model, old))
    assert adapted.inputs_moved
    assert information(probabilities_of(model, other)) < 0.01
    assert information(probabilities_of(adapted.model, other)) > 0.1


def test_each_of_several_networks_has_a_last_layer():
    model, clips = mean_model([network(0), network(1)]), sequences(30)
    read = last_layer_inputs(model, clips)
    assert [values.shape for values in read] == [(30, 8), (30, 8)]
    for values, own in zip(read, (network(0), network(1)), strict=True):
        np.testing.assert_array_equal(values, last_layer_inputs(own, clips)[0])
    adapted = adapt(model, sequences(40, seed=5, offset=0.5), reference_of(model, clips))
    assert len(adapted.reference.last_layers) == 2


def test_replaced_layers_are_those_that_are_asked_for_and_leave_no_old_ones():
    model = network()
    changed = with_last_layers(model, [(np.zeros((8, CLASSES)), np.array([0.0, 0.0, 9.0]))])
    again = with_last_layers(changed, [(np.zeros((8, CLASSES)), np.array([9.0, 0.0, 0.0]))])
    assert (probabilities_of(changed, sequences(5))[:, 2] > 0.99).all()
    assert (probabilities_of(again, sequences(5))[:, 0] > 0.99).all()
    assert len(again.graph.initializer) == len(model.graph.initializer)
    names = [each.name for each in again.graph.initializer]
    assert len(set(names)) == len(names)
    assert (probabilities_of(model, sequences(5))[:, 2] < 0.99).any()  # a copy was changed


def test_the_same_bytes():
    model, old, other = network(), sequences(50), sequences(50, seed=3, offset=-20)
    first, second = (adapt(model, other, reference_of(model, old)).model for _ in range(2))
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(deterministic=True)


@pytest.mark.parametrize(("told", "nats"), [(np.eye(4), np.log(4)), (np.full((4, 4), 0.25), 0), (np.eye(4)[[1, 1]], 0)])
def test_information_is_of_varied_and_certain_answers(told, nats):
    assert information(told) == pytest.approx(nats, abs=1e-9)
