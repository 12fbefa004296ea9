"""What a model answers: an emotion, the probabilities of all, and what is to be known of the recording."""

from typing import NamedTuple

import numpy as np

UNSURE = "unsure"


class Prediction(NamedTuple):
    """What a model says of a recording.

    Attributes
    ----------
    emotion : str
        The most probable one, or ``unsure`` where it is less probable than was asked for.
    probabilities : np.ndarray of float32, shape (emotions,)
    emotions : tuple of str
        Whose probabilities they are.
    unfamiliar : str
        In what the recording is unlike those that the model learnt from; empty where it is like them.
    seconds : float
        s of sound in it, without silence at its ends.
    """

    emotion: str
    probabilities: np.ndarray
    emotions: tuple[str, ...]
    unfamiliar: str
    seconds: float

    @property
    def certainty(self) -> float:
        """The probability of the most probable emotion."""
        return float(self.probabilities.max())

    def as_dict(self) -> dict[str, float]:
        """Return the probabilities by emotion."""
        return dict(zip(self.emotions, self.probabilities.tolist(), strict=True))
