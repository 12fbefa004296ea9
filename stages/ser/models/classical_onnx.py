"""Using a classical model as `ser.models.classical` stored it: ONNX, and LightGBM's trees in its own text format.

All that predicting needs: neither what trained it nor what wrote the ONNX.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnxruntime

from ser.errors import InputError

if TYPE_CHECKING:
    import lightgbm


class Stored(NamedTuple):
    """A loaded model: ONNX that classifies, or that transforms for the trees of LightGBM."""

    session: onnxruntime.InferenceSession
    trees: lightgbm.Booster | None


def load(folder: Path | str) -> Stored:
    """Load what `save` wrote; nothing in the folder is executed.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    folder = Path(folder)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            (folder / "model.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        trees = folder / "trees.txt"
        booster = _booster(trees.read_text()) if trees.exists() else None
    except Exception as error:  # what onnxruntime raises has no base of its own
        raise InputError(f"{folder}: no model that can be loaded ({error}); train it again") from None
    return Stored(session, booster)


def _booster(text: str) -> lightgbm.Booster:
    import lightgbm  # takes a second, which a model without trees is spared

    return lightgbm.Booster(model_str=text)


def predict_proba(model: Stored, inputs: np.ndarray) -> np.ndarray:
    """Return the probability of each class, float32 of shape (n, classes)."""
    outputs = model.session.run(None, {"X": np.asarray(inputs, dtype=np.float32)})
    if model.trees is None:
        return outputs[1].clip(0, 1)  # of two classes ONNX's sum over a forest's trees may be 1.0000001
    probabilities = model.trees.predict(outputs[0], num_threads=1)
    if probabilities.ndim == 1:  # two classes: the probability of the second
        probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    return probabilities.astype(np.float32)
