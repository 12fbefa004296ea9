"""Adapt a model to recordings of one's own room, people and microphone, without labels.

A model standardises what it reads by the recordings it learnt from. Another microphone, other voices and another
language lie elsewhere, and it then tells the emotions far worse, or always says the same one. This takes what the
recordings of FOLDER are like, and writes a new model that expects such; `ser predict --model` and all other commands
take it as any other. The emotions of the recordings need not be known, but must be mixed: of one mood alone, the model
would take it for the middle of all moods. A warning is printed where they seem to be of one.

At least 20 recordings are wanted, better a hundred, of the people and the place that the model is for. The files of a
folder are taken for those of one speaker, unless --speakers names them.

What cannot be used, and copies of a recording that is there already, is named; the others are taken, and the exit code
is 1.

With --labels some of the recordings come with their emotions, of two people at least; twenty help. The model is then
learnt again with them and what it learnt from before: of a network the last layer, of others the classifier. How much
they count is chosen by leaving out each of the people. That works in the clone that trained the model.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser.commands.command_line import help_of
from ser.errors import InputError

if TYPE_CHECKING:
    from ser.prediction.model_adaptation import Adaptation, Labelled

SLOW = 3.0  # s after which a progress bar is shown
SHOWN = 5  # of the files that cannot be used


@click.command(help=help_of(__doc__))
@click.argument("model", metavar="MODEL")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--speakers",
    "speaker_table",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Who speaks in each file (columns file, speaker).  [default: one speaker a folder]",
)
@click.option(
    "--labels",
    "label_table",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="The emotions of some of the files (columns file, emotion).",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The new model.  [default: MODEL-adapted in this folder]",
)
def command(model: str, folder: Path, speaker_table: Path | None, label_table: Path | None, output: Path | None) -> int:
    # on several threads, products of so small matrices wait for each other; it is read when NumPy is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from ser.corpora.audio_folders import audio_files
    from ser.prediction.model_adaptation import adapt_folder
    from ser.prediction.model_folder import find_folder
    from ser.prediction.speakers_to_predict import speakers_of_files

    source = find_folder(model)
    output = output or Path(f"{source.name}-adapted")
    if output.exists() or output.is_symlink():
        raise InputError(f"{output} is there already: remove it, or name another --output")
    found = audio_files(folder)
    files = [file for file, reason in found.items() if not reason]
    if not files:
        raise InputError(f"{folder}: no audio file in it")
    speakers = speakers_of_files(files, speaker_table)
    labelled = labels_to_learn(source, files, label_table) if label_table else None
    with ExitStack() as stack:
        from tqdm import tqdm

        advance = stack.enter_context(tqdm(total=len(files), desc="adapt", unit="file", delay=SLOW)).update
        adaptation = adapt_folder(source, files, speakers, output, labelled=labelled, progress=advance)
    unusable = {file: reason for file, reason in found.items() if reason} | adaptation.unusable
    for line in said_of(adaptation, unusable):
        print(line, file=sys.stderr)
    for line in distances_in_words(adaptation):
        print(line)
    print(f"{output}: adapted to {adaptation.clips} recordings of {counted(adaptation.speakers, 'speaker')}")
    return int(bool(unusable))


def labels_to_learn(source: Path, files: list[Path], table: Path) -> Labelled:
    """Return the labels of some files, and what learns a model again with them.

    Raises
    ------
    InputError
        If the model was adapted before, or this is not the clone that trained it.
    """
    from functools import partial

    from ser.prediction.model_adaptation import Labelled
    from ser.prediction.model_folder import read_description
    from ser.prediction.speakers_to_predict import labels_of_files
    from ser.settings.all_sections import load_params
    from ser.training.learnt_again import learn_again

    description = read_description(source)
    if "adapted" in description:
        raise InputError(
            f"{source} was adapted already, and what it learnt from lies elsewhere for it: give the labels, with all "
            "recordings, to the model that it was made of"
        )
    emotions = labels_of_files(files, table, description["classes"])
    if not Path("params.yaml").is_file():
        raise InputError(
            "--labels learns the model again with what it learnt from: run it in the clone that trained it"
        )
    return Labelled(emotions, partial(learn_again, load_params()))


def said_of(adaptation: Adaptation, unusable: dict[Path, str]) -> list[str]:
    """Return what is to be said of the recordings: what cannot be used, and warnings."""
    lines = [f"{file}: {reason}" for file, reason in list(unusable.items())[:SHOWN]]
    if len(unusable) > SHOWN:
        lines.append(f"and {len(unusable) - SHOWN} more files cannot be used")
    if adaptation.mixed:
        lines.append(
            f"note: the channels of {counted(adaptation.mixed, 'recording')} carry different speech, and are mixed here"
        )
    if adaptation.synthetic:
        lines.append(
            "warning: the model learnt from synthetic speech only: adapted or not, what it says of real recordings "
            "means nothing"
        )
    if adaptation.one_mood:
        lines.append(
            "warning: the voices vary as little as within one mood: if the recordings are of one, the new model takes "
            "it for the middle of all, and errs more often; adapt to mixed ones, and say by --speakers who speaks if a "
            "folder holds several"
        )
    if adaptation.shares and not any(adaptation.shares.values()):
        lines.append("note: the labels helped none of the people who were left out: the new model does without them")
    if adaptation.speakers == 1:
        lines.append("note: all of one speaker, as far as is known: the new model is for this voice")
    return lines


def distances_in_words(adaptation: Adaptation) -> list[str]:
    """Return how far the recordings lie from what the models learnt from, a line a model."""
    return [
        f"{name}: the means lie {off.typical:.2f} deviations off (a tenth of them more than {off.tenth:.2f}), the "
        f"deviations are {off.deviations:.2f} times as large"
        + (f"; the labels count {adaptation.shares[name]:.0%}" if name in adaptation.shares else "")
        for name, off in adaptation.distances.items()
    ]


def counted(number: int, noun: str) -> str:
    """Return a number of things in words, such as ``2 speakers``."""
    return f"{number} {noun}{'s' * (number != 1)}"
