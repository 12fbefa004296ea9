"""Networks that differ by their seed alone and answer together: how they are trained, and the mean of what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ser.networks.early_stopping import Fitted
from ser.storage.seeds import derive_seed

if TYPE_CHECKING:
    import pandas as pd

    from ser.networks.checkpoints import Checkpoint


def fit_each(fit: Callable[..., Fitted], seeds: int, seed: int, checkpoint: Checkpoint | None) -> Fitted:
    """Train a network for each of several seeds.

    Parameters
    ----------
    fit : callable
        Trains one, given its ``seed`` and its ``checkpoint``.
    seeds : int
        Number of networks.
    seed : int
        Of the first, which is the one that would be trained alone; those of the others are derived from it.
    checkpoint : Checkpoint or None
        Of all: each network has one of its own, which also keeps it once it is finished.

    Returns
    -------
    Fitted
        ``model`` is the list of the networks, ``history`` the `mean_history`. Each network stops by itself: ``epochs``
        is the median of those that they kept.
    """
    numbers = range(1, seeds + 1)
    fitted = [
        fit(
            seed=seed if number == 1 else derive_seed(seed, "network", number),
            checkpoint=None if checkpoint is None else checkpoint.of_network(number),
        )
        for number in numbers
    ]
    epochs = int(np.median([each.epochs for each in fitted]))
    return Fitted([each.model for each in fitted], mean_history([each.history for each in fitted]), epochs)


def mean_history(histories: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the means, epoch by epoch, over the networks that trained so long."""
    import pandas as pd  # what predicts needs no tables

    return pd.concat(histories).groupby("epoch", as_index=False).mean()


def mean_probabilities(predict_proba: Callable[..., np.ndarray], models: list, inputs: object) -> np.ndarray:
    """Return the mean of the probabilities that networks give inputs, float32 of shape (n, classes).

    The arithmetic mean, in double precision, as `ser.graphs.mean_graph.mean_model` has it.

    Parameters
    ----------
    predict_proba : callable
        Is called with a network and the inputs.
    models : list
    inputs : object
    """
    return np.mean([predict_proba(model, inputs) for model in models], axis=0, dtype=np.float64).astype(np.float32)
