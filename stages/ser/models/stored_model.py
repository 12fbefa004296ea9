"""Using a model as every trainer stores it: ``model.onnx``, which is all that predicting needs.

Neither what trained it nor what wrote the graph is needed. The graph takes what a clip is described by as it is,
functionals or frames; whatever it has to be standardised by is part of it.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from ser.errors import InputError
from ser.features.column_statistics import check_finite
from ser.graphs.graph_session import session_of
from ser.storage.shards import Ragged

FILE = "model.onnx"
BLOCK = 256  # clips whose functionals go through the graph at a time


def load(folder: Path | str) -> onnxruntime.InferenceSession:
    """Load the model of a folder; nothing in it is executed.

    Several threads may use what this returns at the same time.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        return session_of((Path(folder) / FILE).read_bytes())
    except Exception as error:  # what onnxruntime raises has no base of its own
        raise InputError(f"{folder}: no model that can be loaded ({error}); train it again") from None


def input_name(session: onnxruntime.InferenceSession) -> str:
    """Return what the model reads: ``functionals``, ``frames`` or ``logmel``."""
    return session.get_inputs()[0].name


def predict_proba(session: onnxruntime.InferenceSession, inputs: np.ndarray | Ragged) -> np.ndarray:
    """Return the probabilities of the classes, float32 of shape (n, classes).

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    inputs : np.ndarray, shape (n, columns), or Ragged of n arrays (frames, columns), at least one frame each
        Vectors for a model of functionals, otherwise sequences, which go through the model one by one.

    Raises
    ------
    InputError
        If a clip has no frames, another number of columns than the model was trained on or a value that is not finite.
    """
    name, columns = input_name(session), session.get_inputs()[0].shape[1]
    parts = [np.empty((0, session.get_outputs()[0].shape[1]), dtype=np.float32)]
    if name == "functionals":
        if inputs.shape[1] != columns:
            raise InputError(f"inputs have {inputs.shape[1]} features, the model was trained on {columns}")
        check_finite(inputs)
        blocks = (inputs[start : start + BLOCK] for start in range(0, len(inputs), BLOCK))
    else:
        blocks = (_checked(frames, position, columns) for position, frames in enumerate(inputs))
    for block in blocks:
        parts.append(session.run(None, {name: np.asarray(block, dtype=np.float32)})[0])
    return np.concatenate(parts)


def _checked(frames: np.ndarray, position: int, columns: int) -> np.ndarray:
    if frames.shape[0] == 0 or frames.shape[1] != columns:
        raise InputError(f"clip {position}: shape {frames.shape}, needs (at least 1, {columns})")
    check_finite(frames)
    return frames
