"""How loud a copy is: as its clip, where the change is no matter of level, and never beyond full scale."""

import math

import numpy as np


def match_power(y: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Scale a signal to the mean power of another; silence stays silence."""
    power = float(np.mean(np.square(y)))
    if power == 0.0:
        return y
    return y * math.sqrt(float(np.mean(np.square(reference))) / power)


def within_full_scale(y: np.ndarray) -> np.ndarray:
    """Return a signal as float32, scaled down as a whole where its loudest sample is beyond full scale 1."""
    return (y / max(np.abs(y).max(), 1.0)).astype(np.float32)
