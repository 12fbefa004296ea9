"""The answer for a recording that changed copies are made of: the mean of the answers for it and for each copy."""

from collections.abc import Sequence

import numpy as np


def mean_over_copies(answers: Sequence[np.ndarray]) -> np.ndarray:
    """Return the arithmetic mean of probabilities, float32; of a single answer it is that answer, to the last bit.

    It is taken of what a model answers for each, `ser.probabilities.logit_adjustment.adjust` included, and in the order
    given, so that the mean for a clip does not depend on how many clips are answered at a time.

    Parameters
    ----------
    answers : sequence of np.ndarray of float32, shape (n, classes)
        For the recordings, and for their copies.
    """
    if len(answers) == 1:
        return answers[0]
    total = np.zeros(answers[0].shape)
    for answer in answers:
        total += answer
    return (total / len(answers)).astype(np.float32)
