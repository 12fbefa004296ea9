"""What a run was made with: its inputs as digests, the packages that compute, the settings that are no defaults."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser.storage.clip_tables import NUMBERS
from ser.storage.prediction_tables import KEY
from ser.storage.shards import Ragged

# What numbers come from; a test compares with the imports of the stages. Readers of tables, charts, pages and progress
# bars compute nothing.
OF_EVERY_RUN = ("av", "imbalanced-learn", "numpy", "pandas", "scikit-learn", "scipy", "soundfile", "soxr")
OF_TRAINERS = {
    "train_ml": ("onnxruntime", "skl2onnx"),
    "train_lstm": ("torch",),
    "train_residual_keras": ("keras", "tensorflow"),
    "train_cnn": ("keras", "tensorflow"),
    "train_transformer": ("torch", "transformers"),
}
OF_MODELS = {"lightgbm": ("lightgbm",)}
OF_LOUDNESS = "pyloudnorm"  # of prepare.normalize: loudness


class Digests(NamedTuple):
    """SHA-256 of what was scored, in hexadecimal: equal for the same data, wherever and in whichever order they lie.

    Attributes
    ----------
    sound : str
        The names of the clips, their samples and the sampling rate.
    labels : str
        Every column of ``clips.csv`` that nobody measured.
    folds : str
        Which clips are tested, and which validate, in which fold.
    """

    sound: str
    labels: str
    folds: str


class Changed(NamedTuple):
    """A setting by its dotted key, with the default and the value of the run, both as JSON."""

    key: str
    default: str
    here: str


def digest_inputs(clips: pd.DataFrame, audio: Path | str, sample_rate: int, predictions: pd.DataFrame) -> Digests:
    """Return digests of the inputs of the evaluation.

    Parameters
    ----------
    clips : pd.DataFrame
        See `ser.storage.clip_tables.read_clips`.
    audio : Path
        Folder of the samples of all clips, 16 bits, in their order. One clip is read at a time.
    sample_rate : int
        Hz.
    predictions : pd.DataFrame
        Of any one model, validation rows included: all have the rows of the same clips, folds and parts.
    """
    samples = (hashlib.sha256(y.astype("<i2", copy=False)).hexdigest() for y in Ragged.open(audio))
    labels = sorted(column for column in clips.columns if column not in NUMBERS)
    return Digests(
        sound=_digest((sample_rate, *pair) for pair in zip(clips["clip"], samples, strict=True)),
        labels=_digest([labels, *clips[labels].itertuples(index=False, name=None)]),
        folds=_digest(predictions[KEY].itertuples(index=False, name=None)),
    )


def package_versions(trainers: Mapping[str, str], settings: dict[str, dict]) -> dict[str, str]:
    """Return the versions of the packages that compute, those that are installed now, by their names.

    Neither Python's own version nor the kind of CPU is among them: the page is an output that DVC compares, and its
    bytes are the same under every Python that the pins allow. For the same reason versions have no local part, as in
    ``2.13.0+cpu``: it tells from where a package was installed.

    Parameters
    ----------
    trainers : mapping of str to str
        The trainer of each model of the run.
    settings : dict of str to dict
        The sections of params.yaml.
    """
    names = {*OF_EVERY_RUN, *([OF_LOUDNESS] if settings["prepare"]["normalize"] == "loudness" else [])}
    for model, trainer in trainers.items():
        names |= {*OF_TRAINERS.get(trainer, ()), *OF_MODELS.get(model, ())}
    return {name: _version(name) for name in sorted(names)}


def used_settings(settings: dict[str, dict]) -> dict[str, dict]:
    """Return the settings that a run depends on: of a trainer that is left out only that it is."""
    return {name: section if section.get("enabled", True) else {"enabled": False} for name, section in settings.items()}


def changed_settings(settings: dict[str, dict], defaults: dict[str, dict]) -> list[Changed]:
    """Return the settings of a run whose values are not the defaults.

    Parameters
    ----------
    settings, defaults : dict of str to dict
        Sections as `ser.settings.all_sections.Params` has them; `defaults` may have more of them.
    """
    changed = []
    for name, section in settings.items():
        here, default = section, defaults[name]
        if not here.get("enabled", True):
            here, default = ({"enabled": each["enabled"]} for each in (here, default))
        changed += _differing(here, default, name)
    return changed


def _differing(here: object, default: object, key: str) -> list[Changed]:
    if isinstance(here, dict) and isinstance(default, dict) and here and here.keys() == default.keys():
        return [change for name in here for change in _differing(here[name], default[name], f"{key}.{name}")]
    texts = [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in (default, here)]
    return [Changed(key, *texts)] if texts[0] != texts[1] else []


def _version(name: str) -> str:
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return "not installed"


def _digest(rows: Iterable[Iterable]) -> str:
    """Return the digest of rows in whichever order."""
    lines = sorted(json.dumps([str(value) for value in row]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
