import matplotlib.image
import numpy as np
import pytest

from ser.networks.layer_graph import Layer, draw_network, draw_note

LAYERS = [
    Layer("inputs", "Input", "4", 0, ()),
    Layer("projection", "Dense", "8", 40, (0,)),
    Layer("relu", "ReLU", "8", 0, (1,)),
    Layer("hidden", "Dense", "8", 72, (2,)),
    Layer("second hidden", "Dense", "8", 72, (3,)),
    Layer("sum", "Add", "8", 0, (2, 4)),
    Layer("softmax", "Dense", "3", 27, (5,)),
]


def picture(layers, path):
    draw_network(layers, path, "Test network")
    return matplotlib.image.imread(path)


def test_same_bytes(tmp_path):
    draw_network(LAYERS, tmp_path / "a.png", "Test network")
    draw_network(LAYERS, tmp_path / "b.png", "Test network")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_of_several_networks_one_is_drawn_and_the_title_says_so(tmp_path):
    alone = picture(LAYERS, tmp_path / "alone.png")
    draw_network(LAYERS, tmp_path / "three.png", "Test network", networks=3)
    changed = np.flatnonzero((alone != matplotlib.image.imread(tmp_path / "three.png")).any(axis=(1, 2)))
    assert len(changed) and changed.max() < len(alone) / 8


def test_a_note_has_the_same_bytes_and_its_text(tmp_path):
    for name, text in (("a", "left out"), ("b", "left out"), ("c", "left out, too")):
        draw_note(text, tmp_path / f"{name}.png")
    first, same, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert first == same != other


def test_every_box_has_a_row_and_activations_share_the_row_before(tmp_path):
    whole = picture(LAYERS, tmp_path / "whole.png")
    shorter = picture(LAYERS[:-1], tmp_path / "shorter.png")
    without_relu = [layer._replace(inputs=tuple(max(i - (i > 1), 0) for i in layer.inputs)) for layer in LAYERS]
    del without_relu[2]
    without_relu[2] = without_relu[2]._replace(inputs=(1,))
    without_relu[4] = without_relu[4]._replace(inputs=(1, 3))
    assert whole.shape[0] > shorter.shape[0]
    assert whole.shape[0] == picture(without_relu, tmp_path / "without.png").shape[0]


def test_a_skip_connection_is_drawn_beside_the_boxes(tmp_path):
    chain = [*LAYERS[:5], LAYERS[5]._replace(inputs=(4,)), LAYERS[6]]
    skip, plain = picture(LAYERS, tmp_path / "skip.png"), picture(chain, tmp_path / "chain.png")
    changed = np.flatnonzero((skip != plain).any(axis=(0, 2)))
    assert len(changed) > 0
    assert changed.min() > skip.shape[1] * 0.8  # right of the boxes, none of which changed


def test_nothing_is_cut_off_at_the_edges(tmp_path):
    image = picture(LAYERS, tmp_path / "network.png")[..., :3]
    edges = np.concatenate([image[:5].ravel(), image[-5:].ravel(), image[:, :5].ravel(), image[:, -5:].ravel()])
    assert (edges == 1).all()


def test_a_layer_that_reads_a_later_one_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="projection"):
        draw_network([LAYERS[0], LAYERS[1]._replace(inputs=(1,))], tmp_path / "network.png", "Test network")
    with pytest.raises(ValueError, match="empty"):
        draw_network([], tmp_path / "network.png", "Test network")
