"""Stored models in use: what is refused, blocks and order, threads, and that predicting needs nothing that trains."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from conftest import ROOT
from ser.errors import InputError
from ser.graphs.graph_writer import GraphWriter, write_model
from ser.graphs.lstm_graph import lstm_model
from ser.models import stored_model
from ser.storage.shards import Ragged

FEATURES, CLASSES = 5, 3


def ragged(arrays: list[np.ndarray]) -> Ragged:
    lengths = np.array([len(array) for array in arrays])
    return Ragged([np.concatenate(arrays)], np.stack([0 * lengths, np.cumsum(lengths) - lengths, lengths], axis=1))


@pytest.fixture(scope="module")
def of_vectors(tmp_path_factory):
    """A model of functionals whose first probability tells the clip: the share of the first of two features."""
    graph = GraphWriter("vectors")
    values = graph.input("functionals", ["clips", 2])
    graph.output(graph.Div(values, graph.ReduceSum(values, [1], keepdims=1)), "probabilities", ["clips", 2])
    folder = tmp_path_factory.mktemp("vectors")
    write_model(graph.model(), folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def of_sequences(tmp_path_factory):
    rng, units = np.random.default_rng(0), 16
    shapes = {"mean": (FEATURES,), "linear.weight": (CLASSES, 4 * units), "linear.bias": (CLASSES,)}
    for direction in ("ahead", "back"):
        shapes[f"{direction}.0.weight_ih_l0"] = (4 * units, FEATURES)
        shapes[f"{direction}.0.weight_hh_l0"] = (4 * units, units)
        shapes[f"{direction}.0.bias_ih_l0"] = shapes[f"{direction}.0.bias_hh_l0"] = (4 * units,)
    weights = {name: 0.3 * rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
    weights["deviation"] = np.ones(FEATURES, dtype=np.float32)
    settings = dict(features=FEATURES, classes=CLASSES, layers=1, bidirectional=True, downsample=2, stack=1)
    folder = tmp_path_factory.mktemp("sequences")
    write_model(lstm_model(settings | dict(pooling="mean_max", subtract_mean=False), weights), folder / "model.onnx")
    return folder


def clips(lengths: list[int]) -> Ragged:
    rng = np.random.default_rng(1)
    return ragged([rng.standard_normal((length, FEATURES), dtype=np.float32) for length in lengths])


@pytest.mark.parametrize("n", [0, 1, stored_model.BLOCK, 2 * stored_model.BLOCK + 1])
def test_vectors_go_through_in_blocks_and_in_order(of_vectors, n):
    session = stored_model.load(of_vectors)
    assert stored_model.input_name(session) == "functionals"
    shares = np.linspace(0, 1, n)
    probabilities = stored_model.predict_proba(session, np.stack([shares, 1 - shares], axis=1))
    assert probabilities.dtype == np.float32 and probabilities.shape == (n, 2)
    np.testing.assert_allclose(probabilities[:, 0], shares, atol=1e-6)


def test_sequences_go_through_one_by_one_and_in_order(of_sequences):
    session, inputs = stored_model.load(of_sequences), clips([300, 1, 40, 2])
    together = stored_model.predict_proba(session, inputs)
    assert together.dtype == np.float32 and together.shape == (4, CLASSES)
    assert len(np.unique(together, axis=0)) == 4
    for position in range(4):
        alone = stored_model.predict_proba(session, inputs.select([position]))
        assert alone.tobytes() == together[position].tobytes()
    assert stored_model.predict_proba(session, inputs.select([])).shape == (0, CLASSES)


def test_threads_that_share_a_model_get_the_same_bytes(of_sequences):
    session = stored_model.load(of_sequences)
    inputs = clips(list(np.random.default_rng(2).integers(1, 400, 40)))
    expected = stored_model.predict_proba(session, inputs).tobytes()

    def predict(_) -> bytes:
        return stored_model.predict_proba(session, inputs).tobytes()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(predict, range(32))) == {expected}


def test_inputs_that_do_not_fit_are_errors(of_vectors, of_sequences):
    vectors, sequences = stored_model.load(of_vectors), stored_model.load(of_sequences)
    with pytest.raises(InputError, match="3 features, the model was trained on 2"):
        stored_model.predict_proba(vectors, np.ones((1, 3), dtype=np.float32))
    with pytest.raises(InputError, match="column 1"):
        stored_model.predict_proba(vectors, np.float32([[1, 1], [1, np.nan]]))
    with pytest.raises(InputError, match=r"clip 1: shape \(3, 2\)"):
        stored_model.predict_proba(sequences, [np.ones((3, FEATURES)), np.ones((3, 2))])
    with pytest.raises(InputError, match=r"clip 0: shape \(0, 5\)"):
        stored_model.predict_proba(sequences, clips([0]))
    with pytest.raises(InputError, match="column 4"):
        stored_model.predict_proba(sequences, ragged([np.float32([[0, 0, 0, 0, np.inf]])]))


@pytest.mark.parametrize("content", [None, b"", b"no graph", "cut"])
def test_a_missing_or_damaged_model_is_an_error_that_names_it(of_vectors, tmp_path, content):
    whole = (of_vectors / "model.onnx").read_bytes()
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    with pytest.raises(InputError, match=f"{tmp_path}: no model that can be loaded"):
        stored_model.load(tmp_path)


def test_predicting_imports_nothing_that_trains_and_says_nothing(of_sequences):
    code = (
        "import json, sys; import numpy as np; from ser.models import stored_model\n"
        "session = stored_model.load(sys.argv[1])\n"
        f"stored_model.predict_proba(session, [np.ones((7, {FEATURES}), dtype=np.float32)])\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, of_sequences], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT / "stages")},
    )  # fmt: skip
    assert run.stderr == ""
    training = {"torch", "tensorflow", "keras", "sklearn", "skl2onnx", "lightgbm", "onnx"}
    others = {"pandas", "scipy", "pydantic"}
    assert (training | others).isdisjoint(json.loads(run.stdout))
