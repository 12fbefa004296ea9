"""Training LightGBM tree by tree, stopped by the loss of validation speakers."""

import lightgbm
import numpy as np
import pandas as pd

from ser.networks.early_stopping import check_epochs, validation_scores


def fit_boosting(
    model: lightgbm.LGBMClassifier,
    X: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray] | None,
    settings,
    epochs: int | None,
) -> tuple[lightgbm.LGBMClassifier, pd.DataFrame, int]:
    """Train up to ``settings.n_estimators`` rounds (a tree a class each) and keep the best.

    Parameters
    ----------
    model : LGBMClassifier
        Untrained.
    X : np.ndarray, shape (n, features)
    y : np.ndarray of int, shape (n,)
    validation : tuple of X and y, optional
    settings : ser.settings.train_ml_section.LightGbm
    epochs : int, optional
        Train exactly so many rounds; needed without a validation part.

    Returns
    -------
    model, history, epochs
        See `ser.networks.early_stopping.Fitted`; an epoch is a round.
    """
    check_epochs(validation, epochs)
    if validation is None:
        return model.set_params(n_estimators=epochs).fit(X, y), pd.DataFrame(), epochs
    record: dict = {}
    model.fit(
        X,
        y,
        eval_X=(X, validation[0]),
        eval_y=(y, validation[1]),
        eval_names=["training", "validation"],  # LightGBM never stops by a set of the name training
        eval_metric=[accuracy, uar],
        callbacks=[
            lightgbm.early_stopping(settings.patience, first_metric_only=True, verbose=False),
            lightgbm.record_evaluation(record),
        ],
    )
    loss = next(name for name in record["training"] if name.endswith("logloss"))  # multi_ or binary_
    history = pd.DataFrame(
        {
            "epoch": np.arange(1, len(record["training"][loss]) + 1),
            "loss": record["training"][loss],
            "accuracy": record["training"]["accuracy"],
            "validation_loss": record["validation"][loss],
            "validation_accuracy": record["validation"]["accuracy"],
            "validation_uar": record["validation"]["uar"],
        }
    )
    return model, history, model.best_iteration_


def accuracy(y: np.ndarray, probabilities: np.ndarray) -> tuple[str, float, bool]:
    """Return name, value and "higher is better", as LightGBM asks of a metric."""
    return "accuracy", validation_scores(_of_both(probabilities), y.astype(int)).accuracy, True


def uar(y: np.ndarray, probabilities: np.ndarray) -> tuple[str, float, bool]:
    """Return name, value and "higher is better", as LightGBM asks of a metric."""
    return "uar", validation_scores(_of_both(probabilities), y.astype(int)).uar, True


def _of_both(probabilities: np.ndarray) -> np.ndarray:
    # of two classes LightGBM gives the probability of the second
    return np.stack([1 - probabilities, probabilities], axis=1) if probabilities.ndim == 1 else probabilities
