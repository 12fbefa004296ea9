"""Show a clip on a page: its sound, and what each model says of it.

Writes one HTML file, which needs nothing besides: waveform, spectrogram, formants, F0 and level on one time axis, as
the models read them, and the probabilities of the emotions over time, of all models of data/models or of those that are
named. A cursor, moved by a click or a key, says the numbers; the clip can be listened to.

Without --output the page is written into this folder, called as the file; a file of that name that is no such page is
left alone. For recordings of more than 30 s there is `ser timeline`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ser.commands.command_line import help_of, require_writable
from ser.errors import InputError

if TYPE_CHECKING:
    from ser.audio.recordings import Recording
    from ser.clip_pages.model_answers import ModelAnswers
    from ser.prediction.asked_timeline import Windows
    from ser.prediction.trained_model import TrainedModel

WINDOW, HOP = 1.2, 0.3  # s; what is cut from shorter ones often has less than a second of sound, which is too short
SLOW = 3.0  # s after which a progress bar is shown


@click.command(help=help_of(__doc__))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    metavar="NAME_OR_FOLDER",
    multiple=True,
    help="As of `ser predict`; may be repeated.  [default: all of data/models]",
)
@click.option(
    "--window",
    type=float,
    metavar="SECONDS",
    help=f"Length of the sliding windows that are answered.  [default: {WINDOW:g}]",
)
@click.option(
    "--hop",
    type=float,
    metavar="SECONDS",
    help=f"From one window to the next.  [default: {HOP:g}, of another window a third]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="HTML",
    help="The page.  [default: the name of the file, .html, here]",
)
@click.option(
    "--no-sound", is_flag=True, help="Without the player. Who has the page still sees the speech in its spectrogram."
)
def command(
    file: Path,
    models: tuple[str, ...],
    window: float | None,
    hop: float | None,
    output: Path | None,
    no_sound: bool,
) -> int:
    # on several threads, products of so small matrices wait for each other; both are read when libraries are loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")
    from ser.clip_pages.clip_page import Shown, is_ours, write_page  # and say what is missing before anything is done
    from ser.prediction.asked_timeline import Windows, windows_of

    page = output or Path(f"{file.stem}.html")
    if page.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"{page}: allowed are .html and .htm", param_hint="--output")
    require_writable(page)
    if output is None and page.exists() and not is_ours(page):
        raise InputError(f"{page} exists and is no page of `ser show`: name another one with --output")
    try:
        windows = windows_of(window, hop) or Windows(WINDOW, HOP)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--window, --hop") from None
    from ser.audio.decoding import decode
    from ser.audio.recordings import TOO_LONG, UnusableAudioError
    from ser.clip_pages.sound_tracks import sound_tracks
    from ser.prediction.clip_inputs import hear

    loaded, remarks = load_all(models)
    audio, frames, others = what_is_read(loaded)
    try:
        recording = decode(file, max_seconds=audio["max_seconds"])
        heard = hear(recording.y, recording.sample_rate, audio)
    except UnusableAudioError as error:
        remedy = ": `ser timeline` takes it" if str(error).startswith(TOO_LONG) else ""
        raise InputError(f"{file}: {error}{remedy}") from None
    tracks = sound_tracks(heard, audio["sample_rate"], **frames)
    answers, left_out = ask_all(loaded, file, recording, windows, tracks.seconds)
    remarks += [f"{', '.join(others)}: cleans or cuts the sound otherwise than is shown here"] if others else []
    remarks += left_out
    if not answers and not remarks:
        remarks.append("No model has been trained here: `dvc repro` trains some, --model names the folder of one.")
    write_page(page, Shown(file.name, recording, tracks, answers, windows, remarks), with_sound=not no_sound)
    for remark in remarks:
        print(f"note: {remark}", file=sys.stderr)
    print(f"see {page}")
    return 0


def load_all(models: tuple[str, ...]) -> tuple[list[TrainedModel], list[str]]:
    """Return the models that are named or, where none is, all of the run; and why some of these cannot be loaded."""
    from ser.clip_pages.model_answers import models_of_the_run
    from ser.prediction.trained_model import load

    if models:
        return [load(model) for model in dict.fromkeys(models)], []
    loaded, remarks = [], []
    for folder in models_of_the_run():
        try:
            loaded.append(load(folder))
        except (InputError, ModuleNotFoundError) as error:
            remarks.append(f"{folder} is left out: {error}")
    return loaded, remarks


def what_is_read(models: list[TrainedModel]) -> tuple[dict, dict, list[str]]:
    """Return the settings of audio and frames that the first model was trained on, and which models have others.

    Without a model they are those of params.yaml, or the defaults.
    """
    from ser.clip_pages.model_answers import inputs_of, names_of

    inputs = dict(zip(names_of(models), map(inputs_of, models), strict=True))
    first = next((own for each in inputs.values() for own in each if "extract" in own), None)
    if first is None:
        from ser.settings.all_sections import params_here

        params = params_here()
        found = next((own["audio"] for each in inputs.values() for own in each), params.prepare.model_dump())
        extract = params.extract.model_dump()
    else:
        found, extract = first["audio"], first["extract"]
    frames = {name: extract[name] for name in ("n_fft", "hop_length")}
    others = [
        name
        for name, each in inputs.items()
        if any(own["audio"] != found or not frames.items() <= own.get("extract", frames).items() for own in each)
    ]
    return found, frames, others


def ask_all(
    models: list[TrainedModel], file: Path, recording: Recording, windows: Windows, seconds: float
) -> tuple[list[ModelAnswers], list[str]]:
    """Return what the models say, and why some say nothing; with a progress bar."""
    from tqdm import tqdm

    from ser.audio.recordings import UnusableAudioError
    from ser.clip_pages.model_answers import ask, names_of

    answers, left_out = [], []
    named = list(zip(names_of(models), models, strict=True))
    for name, model in tqdm(named, desc="show", unit="model", delay=SLOW, leave=False):
        try:
            answers.append(ask(name, model, file, recording, windows, seconds))
        except UnusableAudioError as error:
            left_out.append(f"{name}: {error}")
    return answers, left_out
