"""Log odds of an emotion: the scale on which evidence adds up."""

import numpy as np

LEAST = 1e-4  # probability: beyond that a model is sure, and how sure is of no interest


def log_odds(probabilities: np.ndarray, place: int) -> np.ndarray:
    """Return the natural logarithm of the odds of one emotion against all others, in nats.

    Parameters
    ----------
    probabilities : np.ndarray, shape (n, emotions)
    place : int
        Of the emotion.

    Returns
    -------
    np.ndarray, shape (n,)
        Within 9.21 on either side, the logarithm of the odds at `LEAST`.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    own = np.clip(p[:, place], LEAST, None)
    others = np.clip(np.delete(p, place, axis=1).sum(axis=1), LEAST, None)
    limit = np.log((1 - LEAST) / LEAST)
    return np.clip(np.log(own / others), -limit, limit)
