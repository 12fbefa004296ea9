"""What the ``model.json`` of an adapted model says: that it is one, and what recordings it expects now."""

from collections.abc import Sequence

import numpy as np

from ser.adaptation.adapted_graph import Adapted, Reference
from ser.adaptation.input_statistics import Distance, Statistics
from ser.adaptation.usual_ranges import plain_ranges, unknown_margins, widened
from ser.errors import InputError
from ser.features.column_statistics import beyond_three_deviations, column_statistics


def reference_of(description: dict, folder: object) -> Reference:
    """Return what a model expects, as its ``model.json`` tells.

    Parameters
    ----------
    description : dict
    folder : Path
        Of the model, for a message.

    Raises
    ------
    InputError
        If it was trained before this was stored.
    """
    try:
        usual = description["usual"]
        layers = [Statistics.of_json(layer) for layer in usual.get("last_layers", [])]
        if not layers and description["input"]["kind"] != "functionals":
            raise KeyError("last_layers")
        return Reference(Statistics.of_json(usual["expected"]), layers)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{folder} does not say what recordings it expects: train the model again") from None


def adapted_description(
    description: dict,
    adapted: Adapted,
    inputs: np.ndarray | Sequence[np.ndarray],
    profile: np.ndarray,
    about: dict,
) -> dict:
    """Return the description of a model that was adapted to recordings: these are the usual ones now.

    Parameters
    ----------
    description : dict
        Of the model as it was.
    adapted : Adapted
    inputs : np.ndarray or sequence of np.ndarray
        What the model reads of the recordings.
    profile : np.ndarray, shape (recordings, numbers)
        See `ser.audio.recording_profile`.
    about : dict
        What is said of the adaptation, besides how far it went.
    """
    names = description["usual"]["names"]
    means = np.stack([np.atleast_2d(each).mean(axis=0) for each in inputs])
    mean, deviation = column_statistics(means)
    beyond = 100 * beyond_three_deviations(means, mean, deviation)
    numbers = np.column_stack([profile, beyond])
    low, high = widened(*plain_ranges(numbers), unknown_margins(names), names)
    usual = {
        "names": names,
        "low": _rounded(low),
        "high": _rounded(high),
        "inputs": {"mean": _rounded(mean), "deviation": _rounded(deviation)},
        "expected": adapted.reference.inputs.as_json(),
    }
    if adapted.reference.last_layers:
        usual["last_layers"] = [layer.as_json() for layer in adapted.reference.last_layers]
    return description | {"usual": usual, "adapted": about | {"inputs_moved": adapted.inputs_moved}}


def distance_as_json(distance: Distance) -> dict[str, float]:
    """Return a distance with three digits."""
    return {name: float(f"{value:.3g}") for name, value in distance._asdict().items()}


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
