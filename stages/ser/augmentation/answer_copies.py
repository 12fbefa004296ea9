"""Copies that an answer is the mean of: the recording played at other speeds, or higher and lower.

Nothing in them is drawn. How long a vocal tract is and how fast somebody speaks scale frequencies and durations; the
mean of the answers over copies that are scaled both ways depends less on who speaks, and the speaker need not be known
(vocal-tract length is perturbed so in training by Jaitly and Hinton [1]_). Stage augment makes them of prepared clips,
prediction of what it hears, both by `answer_copy`.

References
----------
.. [1] N. Jaitly, G. E. Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition", ICML Workshop on
   Deep Learning for Audio, Speech and Language, 2013.
"""

import numpy as np

from ser.augmentation.copy_levels import match_power, within_full_scale
from ser.augmentation.time_scale import change_time_scale
from ser.storage.samples import to_float, to_int16

LIMITS = {"speed": (0.5, 2.0), "stretch": (0.5, 2.0), "pitch": (-12.0, 12.0)}  # factors; semitones
MOST = 8  # copies: each costs about as much as the answer for the recording


def answer_copy(samples: np.ndarray, sr: int, text: str) -> np.ndarray:
    """Return a changed copy of a clean recording, at its power, int16.

    Parameters
    ----------
    samples : np.ndarray of int16, shape (samples,)
    sr : int
        Hz.
    text : str
        Such as ``speed 0.92``, ``stretch 1.1`` (factors) or ``pitch -1.5`` (semitones, made as exactly as
        `ser.augmentation.time_scale.nearest_semitones` says).
    """
    kind, amount = parse_copy(text)
    y = to_float(samples)
    return to_int16(within_full_scale(match_power(change_time_scale(y, sr, kind, amount), y)))


def parse_copy(text: str) -> tuple[str, float]:
    """Return the kind of a change and its factor or semitones.

    Raises
    ------
    ValueError
        If the text says something else.
    """
    kind, _, number = text.partition(" ")
    try:
        low, high = LIMITS[kind]
        amount = float(number)
    except (KeyError, ValueError):
        raise ValueError(f"{text!r}: known are such as 'speed 0.92' and 'pitch -1.5'") from None
    if not low <= amount <= high:  # nor NaN
        raise ValueError(f"{text!r}: allowed are {low:g} to {high:g}")
    return kind, amount


def wrong_copies(texts: list[str]) -> str:
    """Say what is wrong with the copies of a model, as its ``model.json`` lists them; nothing where all is right."""
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return "copies that are no list of texts"
    try:
        parsed = [parse_copy(text) for text in texts]
    except ValueError as error:
        return f"the copy {error}"
    return f"more than {MOST} copies, or two alike" if len(set(parsed)) < len(parsed) or len(parsed) > MOST else ""
