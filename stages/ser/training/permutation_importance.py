"""Permutation importance of groups of features (Breiman 2001): how much a model loses when a group says nothing."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ser.networks.batches import Examples
from ser.storage.seeds import generator
from ser.storage.shards import Ragged

RECALL_DROP = "recall_drop_"  # and the emotion: a column of the table


def group_importance(
    predict_proba: Callable,
    validation: Examples,
    groups: dict[str, np.ndarray],
    *,
    classes: Sequence[str],
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Measure by how much UAR and recalls fall when the values of a group are exchanged between clips.

    All columns of a group move together, so that their relations within the group survive and a group that only
    repeats what another one says counts for little. A sequence takes the values of another clip from its beginning,
    repeated as often as its length needs.

    Parameters
    ----------
    predict_proba : callable
        Takes inputs, returns probabilities of shape (clips, classes).
    validation : Examples
        Clips that the model did not learn from.
    groups : dict of str to np.ndarray of int
        Columns of each group.
    classes : sequence of str
        The emotions, in the order of the probabilities.
    repeats : int
        Permutations of each group; the mean is taken.
    seed : int

    Returns
    -------
    pd.DataFrame
        ``group, features, uar_drop, recall_drop_<emotion>...``: a row a group, its number of columns and the mean falls
        of the UAR and of the recall of each emotion; below 0 where the model does better without. The recall of an
        emotion that no clip shows is NaN, and the UAR is the mean of the others.

    References
    ----------
    .. [1] L. Breiman, "Random forests", Machine Learning 45, 2001, section 10.
    """
    columns = ["group", "features", "uar_drop", *(f"{RECALL_DROP}{name}" for name in classes)]
    if not repeats or not groups or not len(validation.labels):
        return pd.DataFrame(columns=columns)
    intact = recalls(predict_proba(validation.inputs), validation.labels)
    rows = []
    for group, members in groups.items():
        falls = []
        for repeat in range(repeats):
            order = generator(seed, group, repeat).permutation(len(validation.labels))
            exchanged = exchange(validation.inputs, members, order)
            falls.append(intact - recalls(predict_proba(exchanged), validation.labels))
        fall = np.mean(falls, axis=0)
        rows.append((group, len(members), np.nanmean(fall), *fall))
    return pd.DataFrame(rows, columns=columns).round(dict.fromkeys(columns[2:], 4))


def recalls(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the recall of each class, shape (classes,); NaN of one that no clip shows.

    Parameters
    ----------
    probabilities : np.ndarray, shape (clips, classes)
    labels : np.ndarray of int, shape (clips,)
    """
    classes = probabilities.shape[1]
    shown = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[probabilities.argmax(axis=1) == labels], minlength=classes)
    return np.divide(right, shown, out=np.full(classes, np.nan), where=shown > 0)


def exchange(inputs: np.ndarray | Ragged, columns: np.ndarray, order: np.ndarray) -> np.ndarray | Ragged:
    """Return the inputs with some columns of clip i taken from clip ``order[i]``."""
    if not isinstance(inputs, Ragged):
        exchanged = np.array(inputs)
        exchanged[:, columns] = inputs[order][:, columns]
        return exchanged
    arrays = []
    for item, donor in enumerate(order):
        frames, other = np.array(inputs[item]), inputs[int(donor)]
        frames[:, columns] = other[np.arange(len(frames)) % len(other)][:, columns]
        arrays.append(frames)
    index = [(position, 0, len(array)) for position, array in enumerate(arrays)]
    return Ragged(arrays, np.array(index, dtype=np.int64))
