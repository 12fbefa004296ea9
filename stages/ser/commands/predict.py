"""Predict the emotion of audio files with a trained model.

Needs nothing but the model's folder: the audio and feature settings it was trained on are stored in it. A file that
cannot be used is reported with the reason, the others go on, and the exit code is 1. Of a folder, that is every file
that is called as audio is, or begins as audio does where its name does not tell; archives, links to folders and folders
that cannot be opened are reported as well; text, pictures and hidden files are passed over.

A recording that is unlike all that the model learnt from (far too quiet, clipped, of a telephone, no speech), or has
less than a second of sound, is predicted all the same; the column unfamiliar says what is different.

A model that was trained with train.normalization speaker needs several clips of each speaker, the more the better: the
files of a folder are taken for those of one speaker, unless --speakers names them.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser.commands.command_line import help_of, require_writable
from ser.errors import InputError

if TYPE_CHECKING:
    from ser.prediction.answers import Prediction
    from ser.prediction.trained_model import TrainedModel

Row = dict[str, str | float]
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
SLOW = 3.0  # s after which a progress bar is shown


@click.command(help=help_of(__doc__))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE_OR_FOLDER...")
@click.option(
    "--model",
    metavar="NAME_OR_FOLDER",
    help="A model's folder, or its name below data/models, such as svm_rbf.  "
    "[default: the best on validation speakers]",
)
@click.option(
    "--calibrated",
    is_flag=True,
    help="Probabilities at the temperature that makes them as certain as they are right on validation speakers.",
)
@click.option(
    "--certainty",
    type=float,
    default=0.0,
    metavar="0..1",
    help='Call an emotion that is less probable "unsure"; how many answers that costs is said.',
)
@click.option(
    "--speakers",
    "speaker_table",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Who speaks in each file (columns file, speaker), for a model that normalises by speaker.  "
    "[default: one speaker a folder]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "jsonl"]),
    default="table",
    show_default=True,
    help="What is printed: a table to read, CSV, or JSON Lines (an object a file).",
)
@click.option("--output", type=click.Path(path_type=Path), help="Also write them to this .csv, .json or .jsonl file.")
def command(
    paths: tuple[Path, ...],
    model: str | None,
    calibrated: bool,
    certainty: float,
    speaker_table: Path | None,
    form: str,
    output: Path | None,
) -> int:
    if output and output.suffix not in (".csv", ".json", ".jsonl"):
        raise click.BadParameter(f"{output}: allowed are .csv, .json and .jsonl", param_hint="--output")
    if output:
        require_writable(output)
    if not 0 <= certainty <= 1:
        raise click.BadParameter(f"{certainty}: allowed are 0 to 1", param_hint="--certainty")
    # on several threads, products of so small matrices wait for each other; it is read when NumPy is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # here, as `ser predict --help` needs none of it
    from ser.corpora.audio_folders import audio_files, why_unopened
    from ser.prediction.speakers_to_predict import speakers_of_files
    from ser.prediction.trained_model import load

    loaded = load(model)
    found = {path: audio_files(path) if path.is_dir() else {path: why_unopened(path)} for path in paths}
    given = {file: reason for files in found.values() for file, reason in files.items()}
    if not given:
        raise InputError(f"no audio file in {', '.join(map(str, paths))}")
    empty = [path for path, files in found.items() if not files]
    for path in empty:
        print(f"{path}: no audio file in it", file=sys.stderr)
    unopened = {file: reason for file, reason in given.items() if reason}
    files = [file for file in given if file not in unopened]
    speakers = speakers_of_files(files, speaker_table) if loaded.by_speaker else None
    for line in warnings_before(loaded, files, speakers, speaker_table):
        print(line, file=sys.stderr)
    with ExitStack() as stack:
        advance = None
        if len(files) > 1:
            from tqdm import tqdm

            advance = stack.enter_context(tqdm(total=len(files), desc="predict", unit="file", delay=SLOW)).update
        predicted = loaded.predict_many(
            files,
            speakers=speakers,
            calibrated=calibrated,
            certainty=certainty,
            return_errors=True,
            progress=advance,
        )
    answers = dict(zip(files, predicted, strict=True))
    rows = []
    for file in given:
        answer = unopened.get(file) or answers[file]
        if isinstance(answer, str | Exception):
            reason = (answer.strerror or answer) if isinstance(answer, OSError) else answer
            print(f"{in_one_line(str(file))}: {reason}", file=sys.stderr)
        else:
            rows.append(prediction_row(file, answer))
    columns = ["file", "emotion", *(f"p_{emotion}" for emotion in loaded.emotions), "unfamiliar"]
    if rows or form == "csv":
        print(as_text(rows, columns, form))
    if output:
        from ser.storage.whole_files import write_text

        text = as_text(rows, columns, output.suffix[1:])
        write_text(text and text + "\n", output)
    for line in warnings_after(loaded, rows, certainty, calibrated=calibrated):
        print(line, file=sys.stderr)
    return int(len(rows) < len(given) or bool(empty))


def warnings_before(
    model: TrainedModel, files: list[Path], speakers: list[str] | None, speaker_table: Path | None
) -> list[str]:
    """Return what is to be said of a model before it predicts."""
    lines = []
    if speaker_table and not model.by_speaker:
        lines.append("note: this model need not know who speaks; --speakers is not used")
    if model.knows_synthetic_speech_only:
        corpora = ", ".join(model.learnt_from["corpora"])
        lines.append(
            f"warning: this model learnt from synthetic speech only ({corpora}): what it says of real recordings means "
            "nothing; train on real speech first"
        )
    if speakers:
        from ser.prediction.speakers_to_predict import FEW_CLIPS

        lines += [
            f"warning: {clips} clips of the speaker {speaker} are few to know a voice by: with fewer than {FEW_CLIPS} "
            "this model errs more often"
            for speaker, clips in Counter(speakers).items()
            if clips < FEW_CLIPS
        ]
    return lines


def warnings_after(model: TrainedModel, rows: list[Row], certainty: float, *, calibrated: bool) -> list[str]:
    """Return what is to be said of predictions: unfamiliar recordings, and what a demand for certainty costs."""
    lines = []
    if unlike := sum(map(bool, (row["unfamiliar"] for row in rows))):
        lines.append(
            f"warning: {unlike} of {len(rows)} recordings are unlike those that this model learnt from: the column "
            "unfamiliar says in what"
        )
    if certainty and rows:
        from ser.prediction.asked_certainty import cost_of_certainty

        lines.append(cost_of_certainty(model.description, certainty, calibrated=calibrated))
    if rows and "adapted" in model.description and (certainty or calibrated):
        lines.append(
            "note: this model was adapted: its temperature, and what certainty costs, are of the model as it was"
        )
    return lines


def prediction_row(file: Path, prediction: Prediction) -> Row:
    """Return a row of the predictions: the file, the emotion, probabilities, what is unfamiliar."""
    each = {f"p_{emotion}": probability for emotion, probability in prediction.as_dict().items()}
    name = str(file).encode(errors="backslashreplace").decode()  # not all names are UTF-8
    return {"file": name, "emotion": prediction.emotion, **each, "unfamiliar": prediction.unfamiliar}


def in_one_line(name: str) -> str:
    """Return a file's name without what would break a line or steer a terminal."""
    return CONTROL.sub(lambda character: ascii(character[0])[1:-1], name)


def as_text(rows: list[Row], columns: list[str], form: str) -> str:
    """Return predictions as ``table``, ``csv``, ``json`` or ``jsonl``; numbers with 6 significant digits."""
    if form == "table":
        return as_table(rows)
    rounded = [{key: float(f"{v:.6g}") if isinstance(v, float) else v for key, v in row.items()} for row in rows]
    if form == "json":
        return json.dumps(rounded, indent=2, ensure_ascii=False)
    if form == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rounded)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rounded)
    return text.getvalue().rstrip("\n")


def as_table(rows: list[Row]) -> str:
    """Return the predictions as lines, the columns below one another; what is unfamiliar at the end, if anything is."""
    if not any(row["unfamiliar"] for row in rows):
        rows = [{key: value for key, value in row.items() if key != "unfamiliar"} for row in rows]
    rows = [row | {"file": in_one_line(str(row["file"]))} for row in rows]
    cells = [list(rows[0]), *([f"{v:.3f}" if isinstance(v, float) else v for v in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if "unfamiliar" in rows[0]:
        widths[-1] = 0  # long, and at the left
    lines = ("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
    return "\n".join(line.rstrip() for line in lines)
