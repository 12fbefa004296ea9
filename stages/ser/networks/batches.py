"""Examples and their batches: which learn together, how rare classes are balanced, what the targets are."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ser.storage.shards import Ragged

POOL = 20  # batches that are sorted by length together
NEIGHBORS = 5  # of SMOTE, imbalanced-learn's default
LEAST_BATCHES = 10  # of an epoch


class Examples(NamedTuple):
    """Labelled inputs of one part (training or validation) of a fold.

    Attributes
    ----------
    inputs : np.ndarray, shape (n, features), or Ragged of n arrays (frames, features)
    labels : np.ndarray of int, shape (n,)
        Indices into the sorted list of emotions.
    speakers : np.ndarray of str, shape (n,)
        Empty where unknown.
    parents : np.ndarray of str, shape (n,)
        The clip that each example is, or is a copy of.
    """

    inputs: np.ndarray | Ragged
    labels: np.ndarray
    speakers: np.ndarray
    parents: np.ndarray


def epoch_examples(labels: np.ndarray, balance: str, rng: np.random.Generator) -> np.ndarray:
    """Return the positions of an epoch's examples, in an order drawn by `rng`.

    Parameters
    ----------
    labels : np.ndarray of int, shape (n,)
    balance : str
        With ``sampling`` n examples are drawn with replacement, every class as often as the others; otherwise each
        example comes once.
    rng : np.random.Generator
    """
    if balance != "sampling":
        return rng.permutation(len(labels))
    present, positions = np.unique(labels, return_inverse=True)
    share = 1 / (len(present) * np.bincount(positions)[positions])
    return rng.choice(len(labels), size=len(labels), p=share)


def epoch_batches(one_pass: Callable[[], list[np.ndarray]]) -> list[np.ndarray]:
    """Return an epoch's batches: of one pass through the examples or, where these are few, of several, each drawn anew.

    A network learns by steps. With two batches an epoch those of a small corpus would be over before it has learnt
    anything, however often it has seen each clip.

    Parameters
    ----------
    one_pass : callable
        Draws the batches of a pass, positions of the examples of each; at least one batch.
    """
    batches = one_pass()
    while len(batches) < LEAST_BATCHES:
        batches = [*batches, *one_pass()]
    return batches


def example_weights(labels: np.ndarray, balance: str) -> np.ndarray:
    """Return what an example counts in the loss, float32 of shape (n,); with ``weights`` all classes count the same.

    scikit-learn's "balanced": n / (classes × examples of the class), 1 on average.
    """
    if balance != "weights":
        return np.ones(len(labels), dtype=np.float32)
    _, positions = np.unique(labels, return_inverse=True)
    counts = np.bincount(positions)
    return (len(labels) / (len(counts) * counts))[positions].astype(np.float32)


def learnt_counts(labels: np.ndarray, classes: int, balance: str) -> np.ndarray:
    """Return how often a model meets each class in training, counted as often as it counts: shape (classes,).

    That is the prior its probabilities have in them: the examples of each class, or the same of all where they are
    balanced, by whatever means.
    """
    counts = np.bincount(labels, minlength=classes)
    return counts if balance == "none" else np.full(classes, counts.max())


def smote(rarest: int, seed: int):
    """Return imbalanced-learn's SMOTE for classes of which the rarest has so many examples.

    A synthetic example lies between two real ones; if these are too few for SMOTE's neighbours there are fewer of them.
    Between a single example and itself lies none: then examples are repeated, so that the classes are balanced at all.
    """
    from imblearn.over_sampling import SMOTE, RandomOverSampler  # only what trains needs it, and not to predict

    if rarest < 2:
        return RandomOverSampler(random_state=seed)
    return SMOTE(k_neighbors=min(NEIGHBORS, rarest - 1), random_state=seed)


def oversample(inputs: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples, shape (n, features), with synthetic ones that make all classes as frequent as the first."""
    return smote(np.unique(labels, return_counts=True)[1].min(), seed).fit_resample(inputs, labels)


def bucketed_batches(lengths: np.ndarray, order: np.ndarray, batch_size: int, rng: np.random.Generator) -> Iterator:
    """Yield the positions of the examples of each batch, of similar length each.

    Sorting within pools of some batches, not over all clips, lets the company of a clip change from epoch to epoch.

    Parameters
    ----------
    lengths : np.ndarray of int, shape (n,)
        Frames of each example.
    order : np.ndarray of int
        Positions of the epoch's examples, see `epoch_examples`.
    batch_size : int
    rng : np.random.Generator
        Draws the order of the batches.
    """
    batches = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches.extend(pool[first : first + batch_size] for first in range(0, len(pool), batch_size))
    for batch in rng.permutation(len(batches)):
        yield batches[batch]


def soft_targets(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
    """Return the probabilities that a network is to learn, float32 of shape (n, classes).

    Label smoothing [1]_: the true class gets ``1 - smoothing``, the rest is spread over all classes alike.

    References
    ----------
    .. [1] C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna, "Rethinking the Inception architecture for computer
       vision", CVPR 2016.
    """
    return ((1 - smoothing) * np.eye(classes)[labels] + smoothing / classes).astype(np.float32)


def smoothed_targets(train: Examples, classes: int, least: float) -> np.ndarray:
    """Return the `soft_targets` of the examples that are learnt from, with the `label_smoothing` of their number."""
    return soft_targets(train.labels, classes, label_smoothing(len(np.unique(train.parents)), classes, least))


def label_smoothing(clips: int, classes: int, least: float) -> float:
    """Return how much of a clip's target is spread over all classes: the more, the fewer clips there are of each.

    With n clips of a class, as there are in the mean, the true class gets what Laplace's rule of succession gives it:
    as if one clip of each class had been seen besides, (n + 1) / (n + classes). A network fits five clips of an emotion
    perfectly, and would be as sure of strangers as it is of them.

    Parameters
    ----------
    clips : int
        That are learnt from, without copies.
    classes : int
    least : float
        The setting; 0: nothing is spread, however few the clips are.
    """
    return max(least, classes / (clips / classes + classes)) if least else 0.0


def padded(clips: list[np.ndarray], fill: np.ndarray, multiple: int) -> tuple[np.ndarray, np.ndarray]:
    """Put clips into one array, each followed by padding.

    Parameters
    ----------
    clips : list of np.ndarray of float32, shape (frames, features)
    fill : np.ndarray of float32, shape (features,)
        The padding.
    multiple : int
        The padded length is a multiple of this: few different lengths spare a framework's preparations for each.

    Returns
    -------
    batch : np.ndarray of float32, shape (batch, time, features)
    lengths : np.ndarray of int, shape (batch,)
        Frames of each clip.
    """
    lengths = np.array([len(frames) for frames in clips])
    batch = np.empty((len(clips), -(-lengths.max() // multiple) * multiple, len(fill)), dtype=np.float32)
    for row, frames in zip(batch, clips, strict=True):
        row[: len(frames)] = frames
        row[len(frames) :] = fill
    return batch, lengths
