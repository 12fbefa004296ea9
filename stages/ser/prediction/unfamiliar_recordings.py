"""Recordings that are unlike all that a model learnt from: it says an emotion of them too, which may mean little."""

from typing import NamedTuple

import numpy as np

from ser.features.column_statistics import beyond_three_deviations

MOST = 3  # of the reasons that are told


class Usual(NamedTuple):
    """What the recordings are like that a model learnt from; see `ser.training.learnt_from`.

    Attributes
    ----------
    names : list of str
        Of the numbers.
    low, high : np.ndarray, shape (numbers,)
    mean, deviation : np.ndarray, shape (columns,), or None
        Of what the model reads; None where that are samples.
    """

    names: list[str]
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray | None
    deviation: np.ndarray | None


def usual_of(stored: dict) -> Usual:
    """Return what ``usual`` of a ``model.json`` says."""
    inputs = stored.get("inputs", {})
    mean, deviation = (np.array(inputs[name]) if name in inputs else None for name in ("mean", "deviation"))
    return Usual(stored["names"], np.array(stored["low"]), np.array(stored["high"]), mean, deviation)


def why_unfamiliar(usual: Usual, profile: np.ndarray, inputs: np.ndarray) -> dict[str, str]:
    """Say what of a recording lies outside the range that a model's recordings have; nothing where all is usual.

    Parameters
    ----------
    usual : Usual
    profile : np.ndarray, shape (numbers,)
        See `ser.audio.recording_profile`.
    inputs : np.ndarray, shape (columns,), (frames, columns) or (samples,)
        What the model reads of it.

    Returns
    -------
    dict of str to str
        By the name of the number what is said of it, the farthest first; how many more there are at the end.
    """
    found = list(profile)
    if usual.mean is not None and usual.deviation is not None:
        columns = np.atleast_2d(inputs).mean(axis=0, keepdims=True)
        found.append(100 * float(beyond_three_deviations(columns, usual.mean, usual.deviation)[0]))
    outside = np.maximum(usual.low - found, np.subtract(found, usual.high)) / np.maximum(usual.high - usual.low, 1e-3)
    worst = [row for row in np.argsort(-outside, kind="stable") if outside[row] > 0]
    reasons = {}
    for row in worst[:MOST]:
        name, _, unit = usual.names[row].rpartition(", ")
        reasons[name] = f"{name} {found[row]:.3g} {unit} (usual: {usual.low[row]:.3g} to {usual.high[row]:.3g})"
    if len(worst) > MOST:
        reasons["more"] = f"and {len(worst) - MOST} more"
    return reasons
