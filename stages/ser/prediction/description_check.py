"""What a model.json has to hold before anything is predicted by it: a damaged folder is one line and no traceback."""

import math
from pathlib import Path

from ser.audio.cleaning import AudioSettings
from ser.augmentation.answer_copies import wrong_copies
from ser.errors import InputError

SAMPLES = ("audio", "embeddings")  # kinds of input that a model's library makes of samples by itself
SHARED = ("classes", "normalization", "fold", "learnt_from", "temperature", "certainty", "copies")
OF_A_MODEL = ("class_factors", "usual", "input")
OF_AN_ENSEMBLE = ("members", "rule")


def check_description(description: dict, folder: Path, *, is_ensemble: bool) -> None:
    """Raise `InputError` unless a description of a known format has what predicting and exporting read of it."""
    names = (*SHARED, *(OF_AN_ENSEMBLE if is_ensemble else OF_A_MODEL))
    try:
        wrong = _missing(description, names) or _wrong(description)
        if not wrong and not is_ensemble:
            wrong = _wrong_input(description["input"])
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        wrong = f"something of another type ({error})"
    if wrong:
        raise InputError(f"{folder}/model.json has {wrong}: `dvc pull` or train the model again")


def _missing(content: dict, names: tuple[str, ...]) -> str:
    missing = [name for name in names if name not in content]
    return f"no {', '.join(missing)}" if missing else ""


def _wrong(description: dict) -> str:
    temperature = description["temperature"]
    if not (math.isfinite(temperature) and temperature > 0):
        return f"the temperature {temperature}"
    if len(description["classes"]) < 2:
        return "fewer than two classes"
    factors = description.get("class_factors", description["classes"])
    if len(factors) != len(description["classes"]):
        return "class_factors for other classes"
    if "members" in description and not description["members"]:
        return "no members"
    if wrong := wrong_copies(description["copies"]):
        return wrong
    return _missing(description["learnt_from"], ("corpora",)) or _missing(
        description["certainty"], ("as_predicted", "calibrated")
    )


def _wrong_input(own: dict) -> str:
    if wrong := _missing(own["audio"], tuple(AudioSettings.__annotations__)):
        return f"{wrong} in input.audio"
    if own["kind"] in SAMPLES:
        return ""
    wrong = _missing(own, ("extract", "names")) or _missing(own["extract"], ("n_fft", "hop_length", own["kind"]))
    return f"{wrong} in input" if wrong else ""
