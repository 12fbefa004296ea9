"""A model's folder: what it says of itself, and the model in it, ready to predict."""

import importlib
import json
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType

from ser.errors import InputError
from ser.features.extraction import INPUTS
from ser.storage.model_formats import check_format

MODELS = Path("data/models")
LIBRARIES = {  # the only code that a model's folder can ask for
    "train_ml": "ser.models.classical_onnx",
    "train_lstm": "ser.models.lstm",
    "train_residual_keras": "ser.models.residual",
    "train_cnn": "ser.models.cnn",
    "train_transformer": "ser.encoders.frozen_or_fine_tuned",
}
SAMPLES = ("audio", "embeddings")  # kinds of input that the library makes of samples by itself


def read_description(folder: Path) -> dict:
    """Read what is known about a model, or say which models there are."""
    try:
        description = json.loads((folder / "model.json").read_text())
        trainer, kind = description["trainer"], description["input"]["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        models = sorted(str(path.parent) for path in MODELS.glob("*/*/model.json"))
        there = f"there are {', '.join(models)}" if models else "train some with `dvc repro` or fetch them: `dvc pull`"
        raise InputError(f"{folder} is no model folder; name one with --model; {there}") from None
    check_format(description.get("format"), folder)
    if trainer not in LIBRARIES or kind not in (*INPUTS, *SAMPLES):
        raise InputError(f"{folder}/model.json: unknown trainer {trainer} or input {kind}; `dvc pull` or train again")
    return description


def load_model(folder: Path, description: dict) -> tuple[ModuleType, object]:
    """Load the model of a folder; nothing in it is executed.

    Parameters
    ----------
    folder : Path
    description : dict
        See `read_description`.

    Returns
    -------
    library : module
        With ``predict_proba(model, inputs)``; of embeddings also ``embed(model, samples)``.
    model : object

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    library = importlib.import_module(LIBRARIES[description["trainer"]])
    try:
        return library, library.load(folder)
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, UnpicklingError) as error:
        raise InputError(f"{folder}: the model cannot be loaded ({error}); train it again or `dvc pull`") from None
