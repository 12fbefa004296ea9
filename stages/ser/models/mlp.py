"""Training scikit-learn's MLP epoch by epoch, stopped by validation speakers.

Its own ``early_stopping=True`` would set clips of the training speakers aside at random.
"""

import copy

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

from ser.errors import InputError
from ser.networks.early_stopping import EarlyStopping, check_epochs, validation_scores


def fit_mlp(
    model: MLPClassifier,
    X: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray] | None,
    settings,
    epochs: int | None,
    *,
    weights: np.ndarray,
) -> tuple[MLPClassifier, pd.DataFrame, int]:
    """Train up to ``settings.epochs`` epochs and keep the one with the best validation UAR.

    Parameters
    ----------
    model : MLPClassifier
        Untrained.
    X : np.ndarray, shape (n, features)
    y : np.ndarray of int, shape (n,)
    validation : tuple of X and y, optional
    settings : ser.settings.train_ml_section.Mlp
    epochs : int, optional
        Train exactly so many; needed without a validation part.
    weights : np.ndarray of float32, shape (n,)
        What each example counts in the loss.

    Returns
    -------
    model, history, epochs
        See `ser.networks.early_stopping.Fitted`.

    Raises
    ------
    InputError
        If the loss is not finite.
    """
    check_epochs(validation, epochs)
    stopping = EarlyStopping(settings.patience)
    history = []
    for epoch in range(1, (epochs or settings.epochs) + 1):
        try:
            model.partial_fit(X, y, sample_weight=weights, classes=np.unique(y))
            finite = np.isfinite(model.loss_)
        except ValueError as error:
            if "non-finite" not in str(error):
                raise
            finite = False
        if not finite:
            raise InputError("mlp: the training loss is not finite; lower train_ml.mlp.learning_rate")
        row = {"epoch": epoch, "loss": model.loss_, "accuracy": model.score(X, y)}
        if validation is not None:
            scores = validation_scores(model.predict_proba(validation[0]), validation[1])
            stopping.update(epoch, scores, lambda: copy.deepcopy(model))
            row |= {f"validation_{name}": value for name, value in scores._asdict().items()}
        history.append(row)
        if stopping.is_over:
            break
    best = model if validation is None else stopping.best_weights
    return best, pd.DataFrame(history), epochs or stopping.best_epoch
