"""Predict the emotion of audio files with a trained model.

Needs nothing but the model's folder: the audio and feature settings it was trained on are stored in it. A file that
cannot be used is reported with the reason, the others go on, and the exit code is 1. Of a folder, that is every file
that is called as audio is, or begins as audio does where its name does not tell; text, pictures and hidden files are
passed over.

A recording that is unlike all that the model learnt from (far too quiet, clipped, of a telephone, no speech) is
predicted all the same; the column unfamiliar says what is different.

A model that was trained with train.normalization speaker needs several clips of each speaker, the more the better: the
files of a folder are taken for those of one speaker, unless --speakers names them.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser.commands.command_line import help_of
from ser.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from tqdm import tqdm

    from ser.prediction.trained_model import TrainedModel

BATCH = 64  # files


@click.command(help=help_of(__doc__))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE_OR_FOLDER...")
@click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path),
    default="data/models/train_ml/svm_rbf",
    show_default=True,
    help="Folder of a model.",
)
@click.option(
    "--speakers",
    "speaker_table",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Who speaks in each file (columns file, speaker), for a model that normalises by speaker.  "
    "[default: one speaker a folder]",
)
@click.option("--output", type=click.Path(path_type=Path), help="Also write them to this .csv or .json file.")
def command(paths: tuple[Path, ...], folder: Path, speaker_table: Path | None, output: Path | None) -> int:
    if output and output.suffix not in (".csv", ".json"):
        raise click.BadParameter(f"{output}: allowed are .csv and .json", param_hint="--output")
    return 1 if predict(paths, folder, output, speaker_table) else 0


def predict(paths: tuple[Path, ...], folder: Path, output: Path | None, speaker_table: Path | None = None) -> int:
    """Print and optionally write the predictions; return the number of files that could not be used."""
    # here, as `ser predict --help` needs none of it
    from tqdm import tqdm

    from ser.corpora.corpus_files import audio_files, why_unopened
    from ser.prediction.speakers_to_predict import FEW_CLIPS, speakers_of_files
    from ser.prediction.trained_model import load

    model = load(folder)
    given = [file for path in paths for file in (audio_files(path) if path.is_dir() else [path])]
    if not given:
        raise InputError(f"no audio file in {', '.join(map(str, paths))}")
    unopened = {file: reason for file in given if (reason := why_unopened(file))}
    for file, reason in unopened.items():
        print(f"{file}: {reason}", file=sys.stderr)
    files = [file for file in given if file not in unopened]
    speakers = speakers_of_files(files, speaker_table) if model.by_speaker else None
    if speaker_table and not model.by_speaker:
        print("note: this model need not know who speaks; --speakers is not used", file=sys.stderr)

    if model.knows_synthetic_speech_only:
        corpora = ", ".join(model.description["learnt_from"]["corpora"])
        print(
            f"warning: this model learnt from synthetic speech only ({corpora}): what it says of real recordings means "
            "nothing; train on real speech first",
            file=sys.stderr,
        )

    found: dict[int, np.ndarray] = {}
    unfamiliar: dict[int, str] = {}
    with tqdm(total=len(files), desc="predict", unit="file", disable=len(files) <= BATCH) as bar:
        for batch in batches(len(files), speakers):
            heard = read_inputs(model, {row: files[row] for row in batch}, bar)
            if not heard:
                continue
            inputs = {row: values for row, (values, _) in heard.items()}
            unfamiliar |= {row: reason for row, (_, reason) in heard.items()}
            if speakers and len(inputs) < FEW_CLIPS:
                bar.write(
                    f"warning: {len(inputs)} clips of the speaker {speakers[batch[0]]} are few to know a voice by: "
                    f"with fewer than {FEW_CLIPS} this model errs more often",
                    file=sys.stderr,
                )
            found |= dict(zip(inputs, model.predict_proba(list(inputs.values())), strict=True))
    if not found:
        return len(given)
    rows = [prediction_row(str(files[row]), found[row], model.classes, unfamiliar[row]) for row in sorted(found)]
    print(as_table(rows))
    write(rows, output)
    if unlike := sum(map(bool, unfamiliar.values())):
        print(
            f"warning: {unlike} of {len(rows)} recordings are unlike those that this model learnt from: the column "
            "unfamiliar says in what",
            file=sys.stderr,
        )
    return len(given) - len(rows)


def batches(count: int, speakers: list[str] | None) -> Iterator[list[int]]:
    """Yield the positions of files that are predicted together: a number of them, or all of a speaker."""
    if speakers is None:
        yield from (list(range(start, min(start + BATCH, count))) for start in range(0, count, BATCH))
    else:
        for speaker in dict.fromkeys(speakers):
            yield [row for row, name in enumerate(speakers) if name == speaker]


def read_inputs(model: TrainedModel, files: dict[int, Path], bar: tqdm) -> dict[int, tuple[np.ndarray, str]]:
    """Return what the model reads of each file that can be used, with what is unfamiliar; say of others why not."""
    from ser.audio.decoding import UnusableAudioError

    inputs = {}
    for row, file in files.items():
        try:
            inputs[row] = model.read_and_check(file)
        except (UnusableAudioError, OSError) as error:
            bar.write(f"{file}: {error.strerror if isinstance(error, OSError) else error}", file=sys.stderr)
        bar.update()
    return inputs


def prediction_row(file: str, probabilities: np.ndarray, classes: list[str], unfamiliar: str) -> dict[str, str | float]:
    """Return a row of the predictions: the file, the most probable emotion, probabilities, what is unfamiliar."""
    each = {f"p_{emotion}": float(p) for emotion, p in zip(classes, probabilities, strict=True)}
    return {"file": file, "emotion": classes[int(probabilities.argmax())], **each, "unfamiliar": unfamiliar}


def as_table(rows: list[dict[str, str | float]]) -> str:
    """Return the predictions as lines, the columns below one another; what is unfamiliar at the end, if anything is."""
    if not any(row["unfamiliar"] for row in rows):
        rows = [{key: value for key, value in row.items() if key != "unfamiliar"} for row in rows]
    cells = [list(rows[0]), *([f"{v:.3f}" if isinstance(v, float) else v for v in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if "unfamiliar" in rows[0]:
        widths[-1] = 0  # long, and at the left
    lines = ("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in lines)


def write(rows: list[dict[str, str | float]], output: Path | None) -> None:
    """Write the predictions as CSV or JSON, by the suffix; numbers with 6 significant digits."""
    from ser.storage.whole_files import write_json, written

    if output is None:
        return
    rounded = [{key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in row.items()} for row in rows]
    if output.suffix == ".json":
        write_json(rounded, output)
        return
    with written(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rounded)
