"""A model's folder: where it is, what it says of itself, and what predicts in it, ready to."""

import importlib
import json
from glob import escape
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType
from typing import NamedTuple

import numpy as np

from ser.errors import InputError
from ser.features.extraction import INPUTS
from ser.prediction.clip_inputs import stacked
from ser.prediction.description_check import SAMPLES, check_description
from ser.prediction.unfamiliar_recordings import Usual, usual_of
from ser.probabilities.copy_mean import mean_over_copies
from ser.probabilities.fused import Rule
from ser.probabilities.logit_adjustment import adjust
from ser.storage.model_formats import check_format
from ser.storage.shards import Ragged

MODELS = Path("data/models")
DEFAULT = MODELS / "default.json"  # which model was the best on validation speakers
ENSEMBLE = "fuse"  # the trainer of models that are made of others
MEMBERS = "members"  # of an ensemble: the folder of their folders
OF_ALL = ("classes", "copies")  # what is the same for an ensemble and its members
STORED = "ser.models.stored_model"
LIBRARIES = {  # the only code that a model's folder can ask for
    "train_ml": STORED,
    "train_lstm": STORED,
    "train_residual_keras": STORED,
    "train_cnn": STORED,
    "train_transformer": "ser.encoders.frozen_or_fine_tuned",
}


class Member(NamedTuple):
    """A model that is made of no others.

    Attributes
    ----------
    description : dict
        Its ``model.json``.
    library : module
        With ``predict_proba(model, inputs)``; of embeddings also ``embed(model, samples)``.
    model : object
    usual : Usual
    """

    description: dict
    library: ModuleType
    model: object
    usual: Usual

    def predict_proba(self, versions: list[list[np.ndarray]], *, by_speaker: bool) -> np.ndarray:
        """Return the probabilities of clips, float32 of shape (clips, classes): the mean over the versions of a clip.

        Parameters
        ----------
        versions : list of list of np.ndarray
            What the model reads of each clip, and of each copy of it; see `ser.prediction.clip_inputs`.
        by_speaker : bool
            Whether the inputs, all of one speaker, are to be normalised: by the clips themselves, also their copies.
        """
        kind = self.description["input"]["kind"]
        together = [stacked(inputs, kind) for inputs in versions]
        if kind == "embeddings":
            together = [self.library.embed(self.model, samples) for samples in together]
        if by_speaker:
            together = _normalized(together)
        factors = self.description["class_factors"]
        return mean_over_copies([adjust(self.library.predict_proba(self.model, each), factors) for each in together])


def of_member(clips: list[list[list[np.ndarray]]], place: int) -> list[list[np.ndarray]]:
    """Return what one of several models reads: of each clip, and of each copy of it.

    Parameters
    ----------
    clips : list of list of list of np.ndarray
        Of each clip, then of each of its copies, what each of the models reads.
    place : int
        Which of the models.
    """
    return [[version[place] for version in versions] for versions in zip(*clips, strict=True)]


def normalized(clips: list[list[list[np.ndarray]]], kinds: list[str]) -> list[list[list[np.ndarray]]]:
    """Return what models of these kinds read of the clips of one speaker and of their copies, normalised by the clips.

    Parameters
    ----------
    clips : list of list of list of np.ndarray
        See `of_member`.
    kinds : list of str
    """
    read = [
        _normalized([stacked(inputs, kind) for inputs in of_member(clips, place)]) for place, kind in enumerate(kinds)
    ]
    return [[[own[copy][clip] for own in read] for copy in range(len(clips[0]))] for clip in range(len(clips))]


def _normalized(versions: list[np.ndarray | Ragged]) -> list[np.ndarray | Ragged]:
    from ser.features.column_normalization import of_one_speaker  # most models want none

    return of_one_speaker(versions)


class Opened(NamedTuple):
    """What a model's folder holds: its ``model.json``, the models that predict, and how several of them are fused."""

    description: dict
    members: list[Member]
    rule: Rule | None


def find_folder(model: Path | str | None) -> Path:
    """Return the folder of a model by its path or its short name, such as ``svm_rbf``; None: the best of the run.

    Raises
    ------
    InputError
        If there is no such model, or several have that name.
    """
    if model is None:
        try:
            return MODELS / json.loads(DEFAULT.read_text(encoding="utf-8"))["folder"]
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"{DEFAULT} names no model: {_remedy()}") from None
    named = []
    try:
        if (Path(model) / "model.json").is_file():
            return Path(model)
        if _is_short(str(model)):
            named = sorted(path.parent for path in MODELS.glob(f"*/{escape(str(model))}/model.json"))
    except (OSError, ValueError):  # no name that a file could have
        pass
    if len(named) > 1:
        raise InputError(f"several models are called {model}: {', '.join(map(str, named))}")
    return named[0] if named else Path(model)


def _is_short(name: str) -> bool:
    return bool(name) and not Path(name).is_absolute() and ".." not in name and not name.startswith((".", "~"))


def _remedy() -> str:
    models = sorted(str(path.parent) for path in MODELS.glob("*/*/model.json"))
    if not models:
        return "train some with `dvc repro`, fetch them with `dvc pull`, or name the folder of one"
    return f"name one; there are {', '.join(models)}"


def read_description(folder: Path) -> dict:
    """Read what is known about a model, or say which models there are."""
    try:
        description = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        trainer, own = description["trainer"], description.get("input", {})
        kind = own.get("kind")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{folder} is no model folder: {_remedy()}") from None
    check_format(description.get("format"), folder)
    if trainer != ENSEMBLE and (trainer not in LIBRARIES or kind not in (*INPUTS, *SAMPLES)):
        raise InputError(f"{folder}/model.json: unknown trainer {trainer} or input {kind}; `dvc pull` or train again")
    check_description(description, folder, is_ensemble=trainer == ENSEMBLE)
    return description


def open_model(folder: Path) -> Opened:
    """Load what a model's folder holds; nothing in it is executed.

    Raises
    ------
    InputError
        If the folder is none of a model, lacks a file or has a damaged one, or is of another format.
    """
    description = read_description(folder)
    if description["trainer"] != ENSEMBLE:
        return Opened(description, [_load(folder, description)], None)
    rule = ensemble_rule(description, folder)
    return Opened(description, [_load(*each) for each in read_members(description, folder).items()], rule)


def read_members(description: dict, folder: Path) -> dict[Path, dict]:
    """Return the descriptions of an ensemble's members by their folders.

    Raises
    ------
    InputError
        If a member cannot be read, or was trained on other emotions, copies, audio or features than another: what
        several read is computed once.
    """
    members = {place: read_description(place) for place in (folder / MEMBERS / str(n) for n in description["members"])}
    read: dict[str, object] = {name: description[name] for name in OF_ALL}
    for place, member in members.items():
        own = member["input"]
        found = {name: member[name] for name in OF_ALL} | {"audio": own["audio"], own["kind"]: own.get("extract")}
        for name, value in found.items():
            if read.setdefault(name, value) != value:
                raise InputError(f"{place} was trained on other {name} than the other members: run `dvc repro fuse`")
    return members


def ensemble_rule(description: dict, folder: Path) -> Rule:
    """Return how the members of an ensemble are fused; `InputError` where that is damaged."""
    try:
        rule = Rule.of_json(description["rule"])
        if rule.weights.shape != (len(description["members"]),):
            raise ValueError("weights of other members")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder}/model.json: no ensemble ({error}): run `dvc repro fuse` or `dvc pull`") from None
    return rule


def _load(folder: Path, description: dict) -> Member:
    library = importlib.import_module(LIBRARIES[description["trainer"]])
    try:
        return Member(description, library, library.load(folder), usual_of(description["usual"]))
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, UnpicklingError) as error:
        raise InputError(f"{folder}: the model cannot be loaded ({error}); train it again or `dvc pull`") from None
