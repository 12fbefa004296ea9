"""Recordings that are unlike all that a model learnt from: it says an emotion of them too, which may mean little."""

import numpy as np

from ser.features.column_statistics import beyond_three_deviations

MOST = 3  # of the reasons that are told


def why_unfamiliar(usual: dict, profile: np.ndarray, inputs: np.ndarray | None) -> str:
    """Say what of a recording lies outside the range that a model's recordings have; empty where nothing does.

    Parameters
    ----------
    usual : dict
        That of the model's description; see `ser.training.learnt_from`.
    profile : np.ndarray, shape (numbers,)
        See `ser.audio.recording_profile`.
    inputs : np.ndarray, shape (columns,) or (frames, columns)
        What the model reads of it, where that are columns of features; None: it reads samples.
    """
    found = list(profile)
    if inputs is not None:
        mean, deviation = (np.array(usual["inputs"][name]) for name in ("mean", "deviation"))
        columns = np.atleast_2d(inputs).mean(axis=0, keepdims=True)
        found.append(100 * float(beyond_three_deviations(columns, mean, deviation)[0]))
    low, high = np.array(usual["low"]), np.array(usual["high"])
    outside = np.maximum(low - found, np.subtract(found, high)) / np.maximum(high - low, 1e-3)
    worst = [row for row in np.argsort(-outside, kind="stable") if outside[row] > 0]
    reasons = []
    for row in worst[:MOST]:
        name, _, unit = usual["names"][row].rpartition(", ")
        reasons.append(f"{name} {found[row]:.3g} {unit} (usual: {low[row]:.3g} to {high[row]:.3g})")
    if len(worst) > MOST:
        reasons.append(f"and {len(worst) - MOST} more")
    return "; ".join(reasons)
