"""The ensemble as a model's folder: copies of its members and how they are fused, for use and for each fold."""

import json
import shutil
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.fusion.ensemble_weights import Fusion
from ser.probabilities.fused import Rule
from ser.probabilities.model_results import add_results
from ser.storage.model_cards import CARD
from ser.storage.model_formats import FORMAT, check_format, seed_folders
from ser.storage.whole_files import temporary_name, write_json

NAME, TRAINER, MEMBERS = "ensemble", "fuse", "members"
ENCODER = "encoder"  # of a model on a pretrained encoder: that of the model for use serves those of the folds
TABLES = ("predictions.csv", "history.csv", "importance.csv", "temperatures.json")  # which predict nothing


def write_ensemble(members: dict[str, Path], fusion: Fusion, folder: Path) -> None:
    """Write the ensemble for use, and in ``fold_0``, … those that its scores come from.

    Parameters
    ----------
    members : dict of str to Path
        The folders of the models for use by name, in the order of the rules' weights; in each lie those of the folds.
    fusion : Fusion
    folder : Path
        Is replaced as a whole.

    Raises
    ------
    InputError
        If a member's folder is missing or of another format.
    """
    scratch = temporary_name(folder)
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _write(members, fusion.for_use, fusion.table, scratch, None)
        for fold, rule in fusion.rules.items():
            of_fold = {name: place / f"fold_{fold}" for name, place in members.items()}
            rows = fusion.table[fusion.table["fold"] == fold]
            _write(of_fold, rule, rows, scratch / f"fold_{fold}", f"fold_{fold}")
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    finally:  # half of it, where the disk is full
        shutil.rmtree(scratch, ignore_errors=True)


def _write(members: dict[str, Path], rule: Rule, predictions: pd.DataFrame, folder: Path, fold: str | None) -> None:
    descriptions = [_description(place) for place in members.values()]
    for name, place in members.items():
        copy_member(place, folder / MEMBERS / name)
    first = descriptions[0]
    learnt_from = {key: value for key, value in first["learnt_from"].items() if key != "examples"}
    corpora = {name: said for about in descriptions for name, said in about["learnt_from"]["corpora"].items()}
    learnt_from["corpora"] = dict(sorted(corpora.items()))  # terms of a corpus that one member has heard bind them all
    description = {
        "format": FORMAT,
        "trainer": TRAINER,
        "model": NAME,
        "fold": fold,
        "classes": first["classes"],
        "normalization": first["normalization"],
        "adapt": first.get("adapt", "none"),
        "copies": first["copies"],
        "learnt_from": learnt_from,
        "members": list(members),
        "rule": rule.as_json(),
    }
    write_json(description, folder / "model.json")
    add_results(folder, predictions)


def _description(place: Path) -> dict:
    try:
        description = json.loads((place / "model.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place} holds no model: run `dvc repro`, or fetch it with `dvc pull`") from None
    check_format(description.get("format"), place)
    return description


def copy_member(place: Path, folder: Path) -> None:
    """Copy what predicts out of a model's folder: not the folds, nor what only its training library reads."""
    folder.mkdir(parents=True)
    stored = ("model.json", "model.onnx", CARD) if (place / "model.onnx").is_file() else None
    heads = [] if stored else seed_folders(place)
    for path in sorted(place.iterdir()):
        if path.name == ENCODER or path in heads:
            shutil.copytree(path, folder / path.name)
        elif path.is_file() and (path.name in stored if stored else path.name not in TABLES):
            shutil.copyfile(path, folder / path.name)
