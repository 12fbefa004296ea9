"""When a training that goes by epochs ends, which of its epochs is kept, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # what predicts needs no tables
    import pandas as pd


class Fitted(NamedTuple):
    """A trained model.

    Attributes
    ----------
    model : object
        What the ``save`` function of the model's module takes.
    history : pd.DataFrame
        One row an epoch: epoch (from 1), loss, accuracy and, with validation examples, validation_loss,
        validation_accuracy, validation_uar. Empty for models without epochs.
    epochs : int or None
        The epoch that was kept, without patience the last (a fit that was given its number of epochs returns that
        number); None without epochs.
    """

    model: object
    history: pd.DataFrame
    epochs: int | None


class ValidationScores(NamedTuple):
    """Scores of the validation examples after an epoch.

    Attributes
    ----------
    loss : float
        Mean cross-entropy, nats.
    accuracy : float
    uar : float
        Unweighted average recall, over the classes that occur.
    """

    loss: float
    accuracy: float
    uar: float


def validation_scores(probabilities: np.ndarray, labels: np.ndarray) -> ValidationScores:
    """Return the scores of predicted probabilities.

    Parameters
    ----------
    probabilities : np.ndarray, shape (n, classes)
    labels : np.ndarray of int, shape (n,)
        A class may be missing; its recall is not defined and left out of the mean.
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    return ValidationScores(
        loss=float(-np.log(np.maximum(of_label, 1e-7)).mean()),  # Keras clips at the same value
        accuracy=float(correct.mean()),
        uar=float(np.mean([correct[labels == label].mean() for label in np.unique(labels)])),
    )


class EarlyStopping:
    """Keep the epoch with the highest validation UAR, of equal ones that of the lowest loss; without patience the last.

    Parameters
    ----------
    patience : int or None
        Epochs without a higher UAR before the training should end. A lower loss at the same UAR does not
        prolong it: once every validation clip is right, the loss may fall for ever. None: the training runs to its
        end and the last epoch is kept, whatever the scores.

    Attributes
    ----------
    best_epoch : int or None
        The kept one.
    best_weights : object
        The weights after that epoch.
    """

    def __init__(self, patience: int | None):
        self.patience = patience
        self.best_epoch: int | None = None
        self.best_weights: object = None
        self._best: tuple[float, float] = (-np.inf, -np.inf)
        self._epochs_without_higher_uar = 0

    def update(self, epoch: int, scores: ValidationScores, weights: Callable[[], object]) -> None:
        """Take note of an epoch; `weights`, called if it is the best so far, returns a copy of the weights."""
        self._epochs_without_higher_uar = 0 if scores.uar > self._best[0] else self._epochs_without_higher_uar + 1
        if self.patience is None or (scores.uar, -scores.loss) > self._best:
            self._best = (scores.uar, -scores.loss)
            self.best_epoch, self.best_weights = epoch, weights()

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self._epochs_without_higher_uar >= self.patience

    @property
    def state(self) -> dict:
        """What `restore` needs besides the best weights."""
        return {"epoch": self.best_epoch, "best": self._best, "waited": self._epochs_without_higher_uar}

    def restore(self, state: dict, weights: object) -> None:
        """Go on where another one was, given its `state` and its `best_weights`."""
        self.best_epoch, self.best_weights = state["epoch"], weights
        self._best, self._epochs_without_higher_uar = tuple(state["best"]), state["waited"]


def check_epochs(validation: object | None, epochs: int | None) -> None:
    """Raise a ValueError unless either validation examples or a number of epochs is given: one ends the training."""
    if (validation is None) == (epochs is None):
        raise ValueError("give either validation examples (early stopping) or a number of epochs, not both or neither")
