"""A fold's model adapted to the corpus that it tests: the protocols of ``train.adapt``.

A fold of ``split.scheme: cross_corpus`` tests a corpus that it has not learnt from. Its clips tell what recordings of
it are like, as those of somebody who takes a model home do; nothing of that is a label. With ``labels`` a few clips
come with theirs (``split.labelled_speakers``); nobody who gave any is tested.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import onnx

from ser.adaptation.adapted_description import adapted_description, distance_as_json, reference_of
from ser.adaptation.adapted_graph import adapt, last_layer_statistics
from ser.adaptation.input_statistics import distance
from ser.errors import InputError
from ser.graphs.graph_writer import write_model
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json
from ser.training.dataset import Dataset, crosses_corpora, examples, fold_names, rows_of_part, take
from ser.training.labelled_refit import refit_with_labels

if TYPE_CHECKING:
    from onnx import ModelProto

    from ser.networks.batches import Examples

GRAPH, LABELLED = "model.onnx", "labelled"
ENOUGH = 500  # clips that tell what a last layer reads


def require_adaptable(data: Dataset, labels: bool) -> None:
    """Raise an InputError unless every fold tests one corpus, has not learnt from it, and has labels, if wanted."""
    if "names" not in data.description:  # samples or embeddings
        raise InputError(
            "train.adapt does not adapt models on pretrained encoders: leave train_transformer.checkpoints empty, or "
            "choose none"
        )
    tested = [data.clips.loc[rows_of_part(data, fold, "test"), "corpus"].nunique() for fold in fold_names(data)]
    if max(tested) > 1 or not crosses_corpora(data.clips, data.folds):
        raise InputError(
            "train.adapt adapts a fold's models to the corpus that they are tested on, and here a fold tests several, "
            "or one that they learnt from: it is for split.scheme cross_corpus, elsewhere choose none"
        )
    if labels and not all(rows_of_part(data, fold, LABELLED).any() for fold in fold_names(data)):
        raise InputError("train.adapt is labels, and no clip gives any: set split.labelled_speakers to 2 or more")


def saved_graph(library: ModuleType, model: object) -> ModelProto:
    """Return the graph that a library stores of a fitted model."""
    with TemporaryDirectory() as scratch:
        library.save(model, Path(scratch))
        return onnx.load_model(Path(scratch) / GRAPH)


def usual_last_layers(graph: Path, inputs: Ragged, learnt: np.ndarray) -> list[dict]:
    """Return what the last layers of a network read of the clips it learnt from, for its ``model.json``.

    Parameters
    ----------
    graph : Path
    inputs : Ragged
        Of all clips.
    learnt : np.ndarray of bool, shape (clips,)
    """
    rows = np.flatnonzero(learnt)
    some = rows[np.linspace(0, len(rows) - 1, min(ENOUGH, len(rows))).round().astype(int)]
    return [layer.as_json() for layer in last_layer_statistics(onnx.load_model(graph), inputs.select(some))]


def adapt_to_test(
    folder: Path, data: Dataset, fold: str, train: Examples, labels: bool, fit: Callable[[Examples], ModelProto] | None
) -> None:
    """Adapt a fold's model, in its folder, to the clips that the fold tests, and those that come with labels.

    Parameters
    ----------
    folder : Path
    data : Dataset
    fold : str
    train : Examples
        What the model learnt from.
    labels : bool
        Learn it again with the labelled clips, and do not only take them for recordings.
    fit : callable or None
        See `ser.training.labelled_refit.refit_with_labels`.
    """
    given = rows_of_part(data, fold, LABELLED)
    rows = given | rows_of_part(data, fold, "test")
    description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    model, reference = onnx.load_model(folder / GRAPH), reference_of(description, folder)
    inputs = take(data.inputs, rows)
    adapted = adapt(model, inputs, reference)
    about = {
        "clips": int(rows.sum()),
        "speakers": int(data.clips.loc[rows, "speaker"].nunique()),
        "distance": distance_as_json(distance(reference.inputs, adapted.found)),
    }
    if labels:
        labelled = examples(data, given, with_copies=False)
        graph, share = refit_with_labels(model, adapted, reference, train, labelled, fit)
        adapted = adapted._replace(model=graph)
        about |= {"labelled_clips": int(given.sum()), "labelled_share": share}
    described = adapted_description(description, adapted, inputs, data.recordings[rows], about)
    write_model(adapted.model, folder / GRAPH)
    write_json(described, folder / "model.json")
