"""A model learnt again with a few labelled clips: how much they count is chosen by people who are left out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from ser.adaptation.adapted_graph import Reference, adapt, layer_weights, probabilities_of
from ser.adaptation.input_statistics import middle_statistics
from ser.graphs.dense_operators import linear_probabilities
from ser.graphs.graph_writer import GraphWriter
from ser.networks.batches import Examples
from ser.training.labelled_refit import PENALTY, fit_layer, refit_with_labels
from small_graphs import as_ragged, network, reference_of, sequences


def linear(examples: Examples):
    """Fit a linear model, and return its graph."""
    fitted = LogisticRegression(C=0.1).fit(examples.inputs, examples.labels)
    graph = GraphWriter("linear")
    inputs = graph.input("functionals", ["clips", examples.inputs.shape[1]])
    told = linear_probabilities(graph, inputs, fitted.coef_, fitted.intercept_)
    graph.output(told, "probabilities", ["clips", len(fitted.coef_)])
    return graph.model()


def people(rng, clips, centres, speakers=4):
    """Examples of classes that lie around their centres."""
    labels = np.arange(clips) % len(centres)
    inputs = (centres[labels] + rng.normal(0, 1, (clips, centres.shape[1]))).astype(np.float32)
    names = np.array([f"s{number % speakers}" for number in range(clips)])
    return Examples(inputs, labels, names, np.array([f"c{number}" for number in range(clips)]))


@pytest.fixture
def corpora():
    """Examples of a corpus; recordings of another that shows one of the classes otherwise; some with labels."""
    rng = np.random.default_rng(0)
    centres = np.array([[3.0, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 3.0, 0]])
    other = np.array([[3.0, 0, 0, 0], [2.0, 0, 0, 4.0], [0, 0, 3.0, 0]])
    return people(rng, 300, centres), people(rng, 120, other), people(rng, 20, other, speakers=2)


def test_labels_teach_what_the_other_corpus_shows_otherwise(corpora):
    train, others, labelled = corpora
    model, reference = linear(train), Reference(middle_statistics(train.inputs), [])
    adapted = adapt(model, others.inputs, reference)
    again, share = refit_with_labels(model, adapted, reference, train, labelled, linear)

    def right(graph):
        return (probabilities_of(graph, others.inputs).argmax(axis=1) == others.labels).mean()

    assert right(again) > right(adapted.model) + 0.1 and share > 0


def test_labels_by_chance_do_little_harm(corpora):
    """They help nobody who is left out; a share of none is the rule."""
    train, _, labelled = corpora
    model, reference = linear(train), Reference(middle_statistics(train.inputs), [])
    adapted, shares, right = adapt(model, train.inputs, reference), [], []
    for seed in range(8):
        some = labelled._replace(inputs=train.inputs[:20], labels=np.random.default_rng(seed).integers(0, 3, 20))
        again, share = refit_with_labels(model, adapted, reference, train, some, linear)
        shares.append(share)
        right.append((probabilities_of(again, train.inputs).argmax(axis=1) == train.labels).mean())
    assert np.median(shares) <= 0.1 and np.median(right) > 0.9


def test_the_classifier_is_never_shown_who_is_left_out(corpora):
    train, others, labelled = corpora
    shown = []

    def fit(examples):
        shown.append(set(examples.speakers[len(train.labels) :]))
        return linear(examples)

    model, reference = linear(train), Reference(middle_statistics(train.inputs), [])
    refit_with_labels(model, adapt(model, others.inputs, reference), reference, train, labelled, fit)
    assert shown[:4] == [{"s1"}, {"s0"}] * 2 and all(each == {"s0", "s1"} for each in shown[4:])


def test_the_share_is_of_the_weight_of_all(corpora):
    train, others, labelled = corpora
    counts = []

    def fit(examples):
        counts.append(len(examples.labels))
        return linear(examples)

    model, reference = linear(train), Reference(middle_statistics(train.inputs), [])
    refit_with_labels(model, adapt(model, others.inputs, reference), reference, train, labelled, fit)
    shares = [1 - len(train.labels) / count for count in counts[:4]]
    assert shares == pytest.approx([0.1, 0.1, 0.3, 0.3], abs=0.02)


@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(st.integers(0, 1000))
def test_a_layer_is_at_the_minimum_of_what_it_minimises(seed):
    rng = np.random.default_rng(seed)
    values, labels = rng.normal(0, [1, 2, 5], (60, 3)), rng.integers(0, 4, 60)
    weights, start, biases = rng.uniform(0.1, 3, 60), rng.normal(size=(3, 4)), rng.normal(size=4)
    found, found_biases = fit_layer(values, labels, weights, start, biases)
    residuals = weights[:, None] * (softmax(values @ found + found_biases, axis=1) - np.eye(4)[labels])
    scale = values.std(axis=0)[:, None]
    gradient = values.T @ residuals + PENALTY * scale**2 * (found - start)
    np.testing.assert_allclose(gradient / scale, 0, atol=0.02)
    np.testing.assert_allclose(residuals.sum(axis=0), 0, atol=0.02)


def test_of_a_network_the_last_layer_alone_is_learnt_again():
    model, old, other = network(), sequences(90), sequences(60, seed=2, offset=-25)
    reference = reference_of(model, old)
    labels = probabilities_of(model, old).argmax(axis=1)
    train = Examples(as_ragged(old), labels, np.repeat(["a", "b"], 45), np.arange(90).astype(str))
    adapted = adapt(model, other, reference)
    wanted = (np.array([clip.mean(axis=0)[0] for clip in other]) > -25).astype(int)
    labelled = Examples(as_ragged(other[:20]), wanted[:20], np.array(["x", "y"] * 10), np.arange(20).astype(str))
    again, share = refit_with_labels(model, adapted, reference, train, labelled, None)
    assert share > 0
    before, after = (
        (probabilities_of(each, other[20:]).argmax(axis=1) == wanted[20:]).mean() for each in (adapted.model, again)
    )
    assert after > before
    changed = [each.name for each in again.graph.initializer if each not in list(adapted.model.graph.initializer)]
    assert sorted(changed) == ["last_layer_0_biases", "last_layer_0_weights"]
    assert layer_weights(again)[0][0].shape == layer_weights(model)[0][0].shape
