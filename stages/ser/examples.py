"""What goes into a fit and what comes out of it: the shapes every model shares."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.shards import Ragged


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
        The best epoch (a fit that was given its number of epochs returns that number); None without epochs.
    """

    model: object
    history: pd.DataFrame
    epochs: int | None
