"""Temperature scaling: probabilities that are as certain as they are right (Guo et al. 2017 [1]_).

References
----------
.. [1] C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

import numpy as np
from scipy.special import log_softmax, softmax

LEAST_PROBABILITY = 1e-6  # predictions are stored with 6 significant digits; of a 0 there is no logarithm
TEMPERATURES = (1 / 20, 20)  # searched; at both ends a model is as good as certain or as good as guessing


def floored(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities, shape (rows, classes), none of them 0."""
    least = np.maximum(probabilities, LEAST_PROBABILITY)
    return least / least.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature that makes the log loss smallest, above 1 for overconfident models, to six digits.

    Parameters
    ----------
    probabilities : np.ndarray, shape (rows, classes)
        Of clips that the model has not learnt from and that are not scored either. Without any: 1.
    truth : np.ndarray of int, shape (rows,)
    """
    from scipy.optimize import minimize_scalar  # here: who predicts fits none

    if not len(truth):
        return 1.0
    logits = np.log(floored(probabilities))

    def loss(log_temperature: float) -> float:
        return -log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(truth)), truth].mean()

    found = np.exp(minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded").x)
    return float(f"{found:.6g}")


def scale(probabilities: np.ndarray, temperature: np.ndarray | float) -> np.ndarray:
    """Return the probabilities at a temperature: the order of the classes stays.

    Parameters
    ----------
    probabilities : np.ndarray, shape (rows, classes)
    temperature : np.ndarray, shape (rows,), or float
    """
    return softmax(np.log(floored(probabilities)) / np.reshape(temperature, (-1, 1)), axis=1)
