"""Predict the emotion of audio files with a trained model.

Needs nothing but the model's folder: the audio and feature settings it was trained on are stored in it. A file that
cannot be used is reported with the reason, the others go on, and the exit code is 1.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from pickle import UnpicklingError
from types import SimpleNamespace

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.audio import AudioSettings, UnusableAudioError, load_clip, to_float
from ser.corpora import audio_files
from ser.errors import InputError, stage_errors
from ser.features.extraction import INPUTS, spectrum
from ser.files import write_csv, write_json
from ser.params import Extract
from ser.shards import Ragged

MODELS = Path("data/models")
LIBRARIES = {  # the only code that a model's folder can ask for
    "train_ml": "ser.models.classical",
    "train_lstm": "ser.models.lstm",
    "train_residual_keras": "ser.models.residual",
    "train_cnn": "ser.models.cnn",
}
BATCH = 64  # files


def predict(paths: list[Path], folder: Path, output: Path | None) -> int:
    """Print and optionally write the predictions; return the number of files that could not be used."""
    description = read_description(folder)
    library = importlib.import_module(LIBRARIES[description["trainer"]])
    try:
        model = library.load(folder)
    except (OSError, ValueError, KeyError, RuntimeError, UnpicklingError) as error:
        raise InputError(f"{folder}: the model cannot be loaded ({error}); train it again or `dvc pull`") from None
    files = [file for path in paths for file in (audio_files(path) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"no audio file in {', '.join(map(str, paths))}")

    tables, bad = [], 0
    for start in tqdm(range(0, len(files), BATCH), desc="predict", unit="batch", disable=len(files) <= BATCH):
        good, inputs = [], []
        for file in files[start : start + BATCH]:
            try:
                inputs.append(model_input(file, description["input"]))
                good.append(str(file))
            except (UnusableAudioError, OSError) as error:
                print(f"{file}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
                bad += 1
        if good:
            probabilities = library.predict_proba(model, stacked(inputs))
            tables.append(prediction_table(good, probabilities, description["classes"]))
    if tables:
        table = pd.concat(tables, ignore_index=True)
        print(table.to_string(index=False, float_format="%.3f"))
        write(table, output)
    return bad


def read_description(folder: Path) -> dict:
    """Read what is known about a model, or say which models there are."""
    try:
        description = json.loads((folder / "model.json").read_text())
        known = description["trainer"] in LIBRARIES and {"audio", "extract", "kind"} <= description["input"].keys()
        if known and AudioSettings.__annotations__.keys() <= description["input"]["audio"].keys():
            return description
        raise InputError(f"{folder}/model.json was not written by this version: train the model again")
    except (OSError, ValueError, KeyError):
        models = sorted(str(path.parent) for path in MODELS.glob("*/*/model.json"))
        there = f"there are {', '.join(models)}" if models else "train some with `dvc repro` or fetch them: `dvc pull`"
        raise InputError(f"{folder} is no model folder; {there}") from None


def model_input(file: Path, description: dict) -> np.ndarray:
    """Compute what the model reads from one file, just as the pipeline does."""
    audio, extract, kind = SimpleNamespace(**description["audio"]), description["extract"], description["kind"]
    y = to_float(load_clip(file, audio))
    clip = spectrum(y, audio.sample_rate, n_fft=extract["n_fft"], hop_length=extract["hop_length"])
    settings = Extract.model_fields[kind].annotation(**extract[kind])
    return INPUTS[kind](clip, settings)


def stacked(inputs: list[np.ndarray]) -> np.ndarray | Ragged:
    """Put functionals below one another; frame sequences keep their own lengths."""
    if inputs[0].ndim == 1:
        return np.stack(inputs)
    lengths = np.array([len(frames) for frames in inputs])
    index = np.stack([np.zeros_like(lengths), np.cumsum(lengths) - lengths, lengths], axis=1)
    return Ragged([np.concatenate(inputs)], index)


def prediction_table(files: list[str], probabilities: np.ndarray, classes: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(probabilities, columns=[f"p_{emotion}" for emotion in classes])
    table.insert(0, "emotion", np.array(classes)[probabilities.argmax(axis=1)])
    table.insert(0, "file", files)
    return table


def write(table: pd.DataFrame, output: Path | None) -> None:
    if output is None:
        return
    if output.suffix == ".json":
        write_json(json.loads(table.to_json(orient="records")), output)
    else:
        write_csv(table, output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="FILE", help="audio files of any common format, or folders of them"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=MODELS / "train_ml" / "svm_rbf",
        help="folder of a model, such as data/models/train_lstm/lstm (default: %(default)s)",
    )
    parser.add_argument("--output", type=Path, help="also write the predictions to this .csv or .json file")
    arguments = parser.parse_args()
    if arguments.output and arguments.output.suffix not in (".csv", ".json"):
        parser.error(f"--output {arguments.output}: allowed are .csv and .json")
    return arguments


if __name__ == "__main__":
    arguments = parse_arguments()
    with stage_errors():
        sys.exit(1 if predict(arguments.paths, arguments.model, arguments.output) else 0)
