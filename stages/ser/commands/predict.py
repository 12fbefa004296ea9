"""Predict the emotion of audio files with a trained model.

Needs nothing but the model's folder: the audio and feature settings it was trained on are stored in it. A file that
cannot be used is reported with the reason, the others go on, and the exit code is 1.

A model that was trained with train.normalization speaker needs several clips of each speaker, the more the better: the
files of a folder are taken for those of one speaker, unless --speakers names them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from ser.audio.decoding import UnusableAudioError
from ser.corpora.corpus_files import audio_files
from ser.errors import InputError, stage_errors
from ser.features.column_normalization import normalize_by_speaker, speaker_statistics
from ser.networks.logit_adjustment import adjust
from ser.prediction.clip_inputs import model_input, stacked
from ser.prediction.model_folder import MODELS, load_model, read_description
from ser.prediction.speakers_to_predict import FEW_CLIPS, speakers_of_files
from ser.storage.csv_tables import write_csv
from ser.storage.shards import Ragged
from ser.storage.whole_files import write_json

BATCH = 64  # files


def predict(paths: list[Path], folder: Path, output: Path | None, speaker_table: Path | None = None) -> int:
    """Print and optionally write the predictions; return the number of files that could not be used."""
    description = read_description(folder)
    library, model = load_model(folder, description)
    files = [file for path in paths for file in (audio_files(path) if path.is_dir() else [path])]
    if not files:
        raise InputError(f"no audio file in {', '.join(map(str, paths))}")

    by_speaker = description["normalization"] == "speaker"
    speakers = speakers_of_files(files, speaker_table) if by_speaker else None
    if speaker_table and not by_speaker:
        print("note: this model need not know who speaks; --speakers is not used", file=sys.stderr)

    tables = []
    with tqdm(total=len(files), desc="predict", unit="file", disable=len(files) <= BATCH) as bar:
        for batch in batches(len(files), speakers):
            inputs = read_inputs({row: files[row] for row in batch}, description["input"], bar)
            if inputs:
                together = stacked(list(inputs.values()), description["input"]["kind"])
                if description["input"]["kind"] == "embeddings":
                    together = library.embed(model, together)
                if by_speaker:
                    together = normalized(together, speakers[batch[0]])
                probabilities = adjust(library.predict_proba(model, together), description["class_factors"])
                names = [str(files[row]) for row in inputs]
                tables.append(prediction_table(names, probabilities, description["classes"]).set_index([list(inputs)]))
    if not tables:
        return len(files)
    table = pd.concat(tables).sort_index(ignore_index=True)
    print(table.to_string(index=False, float_format="%.3f"))
    write(table, output)
    return len(files) - len(table)


def batches(count: int, speakers: list[str] | None) -> Iterator[np.ndarray]:
    """Yield the positions of files that are predicted together: a number of them, or all of a speaker."""
    if speakers is None:
        yield from np.array_split(np.arange(count), -(-count // BATCH))
    else:
        yield from pd.Series(speakers).groupby(speakers, sort=False).indices.values()


def normalized(inputs: np.ndarray | Ragged, speaker: str) -> np.ndarray | Ragged:
    """Normalise the clips of one speaker by themselves, and warn if they are too few for that."""
    if len(inputs) < FEW_CLIPS:
        print(
            f"warning: {len(inputs)} clips of the speaker {speaker} are few to know a voice by: with fewer than "
            f"{FEW_CLIPS} this model errs more often",
            file=sys.stderr,
        )
    who = np.full(len(inputs), speaker)
    of_speaker = normalize_by_speaker(inputs, who, speaker_statistics(inputs, who))
    return of_speaker if isinstance(of_speaker, Ragged) else of_speaker[:]


def read_inputs(files: dict[int, Path], description: dict, bar: tqdm) -> dict[int, np.ndarray]:
    """Return what the model reads from each file that can be used, and say of the others why not."""
    inputs = {}
    for row, file in files.items():
        try:
            inputs[row] = model_input(file, description)
        except (UnusableAudioError, OSError) as error:
            bar.write(f"{file}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
        bar.update()
    return inputs


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
    parser.add_argument(
        "--speakers",
        type=Path,
        metavar="CSV",
        help="who speaks in each file (columns file, speaker), for a model that normalises by speaker; "
        "default: one speaker a folder",
    )
    parser.add_argument("--output", type=Path, help="also write the predictions to this .csv or .json file")
    arguments = parser.parse_args()
    if arguments.output and arguments.output.suffix not in (".csv", ".json"):
        parser.error(f"--output {arguments.output}: allowed are .csv and .json")
    return arguments


if __name__ == "__main__":
    arguments = parse_arguments()
    with stage_errors():
        sys.exit(1 if predict(arguments.paths, arguments.model, arguments.output, arguments.speakers) else 0)
