"""Learning the weights of a logarithmic opinion pool; see `ser.probabilities.fused.pool`.

Why not a weighted mean of the probabilities: an average of calibrated models is less certain than it could be
(Ranjan & Gneiting 2010), and on validation speakers it had the higher cross-entropy.

References
----------
.. [1] C. Genest, "A characterization theorem for externally Bayesian groups", Annals of Statistics 12(3), 1984.
.. [2] T. Heskes, "Selecting weighting factors in logarithmic opinion pools", NIPS 10, 1998.
.. [3] R. Ranjan, T. Gneiting, "Combining probability forecasts", J. R. Statist. Soc. B 72(1), 2010.
"""

import numpy as np
from scipy.special import log_softmax, softmax

from ser.probabilities.fused import log_probabilities


def learn_weights(probabilities: np.ndarray, truth: np.ndarray, shrinkage: float) -> np.ndarray:
    """Return the weights of the pool with the least cross-entropy, drawn towards equal ones.

    Minimised is ``sum of -log p(true class) + shrinkage * KL(weights || equal weights)``, which is convex in the
    weights. In the sum every class that occurs counts the same, as it does in the UAR. With the relative entropy a
    useless member's weight can vanish: it falls by a factor of e for each `shrinkage` nats that the sum would gain.

    Parameters
    ----------
    probabilities : np.ndarray, shape (members, rows, classes)
    truth : np.ndarray of int, shape (rows,)
        Position of the true class. Classes may be missing; without any rows the weights are equal.
    shrinkage : float
        At least 0.

    Returns
    -------
    np.ndarray, shape (members,)
        Positive; they sum to 1.
    """
    from scipy.optimize import minimize  # here: a mean of probabilities needs neither
    from sklearn.utils.class_weight import compute_sample_weight

    members, rows = probabilities.shape[:2]
    if not rows or members == 1:
        return np.full(members, 1 / members)
    logs = log_probabilities(probabilities)
    of_truth = logs[:, np.arange(rows), truth]
    counts = compute_sample_weight("balanced", truth)

    def loss(scores: np.ndarray) -> tuple[float, np.ndarray]:
        """Return what is minimised and its gradient, for weights ``softmax(scores)``."""
        log_weights = log_softmax(scores)
        weights = np.exp(log_weights)
        pooled = log_softmax(np.tensordot(weights, logs, axes=1), axis=1)
        surprise = log_weights + np.log(members)
        value = -(counts @ pooled[np.arange(rows), truth]) + shrinkage * (weights @ surprise)
        expected = np.einsum("mrc,rc->mr", logs, np.exp(pooled))
        by_weight = (expected - of_truth) @ counts + shrinkage * surprise
        return value / rows, weights * (by_weight - weights @ by_weight) / rows

    found = minimize(loss, np.zeros(members), jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    return softmax(found.x)
