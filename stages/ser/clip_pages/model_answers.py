"""What models say of a clip: of the whole, and of windows that slide over it."""

import re
from pathlib import Path
from typing import NamedTuple

from ser.audio.recordings import Recording
from ser.errors import InputError
from ser.prediction.answers import Prediction
from ser.prediction.asked_timeline import Windows
from ser.prediction.model_folder import ENSEMBLE, MODELS, find_folder, read_members
from ser.prediction.trained_model import TrainedModel
from ser.timelines.segments import Segment

USUAL = " (usual: "  # what follows in a reason of `ser.prediction.unfamiliar_recordings`
MORE = re.compile(r"and \d+ more")


class ModelAnswers(NamedTuple):
    """What a model says of a clip.

    Attributes
    ----------
    name : str
        Such as ``ensemble``; see `names_of`.
    emotions : tuple of str
        In the order of the probabilities.
    whole : Prediction
    parts : tuple of Segment
        The speech of the clip in order, each part with the answer to the window around it; one part, with the answer to
        the whole, of a clip that is shorter than a window. Empty: `remark` says why.
    remark : str
        What is to be known of the parts.
    synthetic : bool
        Whether the model learnt from synthetic speech only.
    """

    name: str
    emotions: tuple[str, ...]
    whole: Prediction
    parts: tuple[Segment, ...]
    remark: str
    synthetic: bool


def models_of_the_run() -> list[Path]:
    """Return the folders of all models of ``data/models``, the best on validation speakers first; empty: none."""
    folders = sorted(path.parent for path in MODELS.glob("*/*/model.json"))
    try:
        best = find_folder(None)
    except InputError:
        return folders
    return sorted(folders, key=lambda folder: (folder != best, folder))


def names_of(models: list[TrainedModel]) -> list[str]:
    """Return what models are called, with the fold that they were trained for, if any, and a number from the second on.

    A folder's path is no name: the page would say where on a machine it lay.
    """
    names: list[str] = []
    for model in models:
        about = model.description
        name = about["model"] if about["fold"] is None else f"{about['model']}, fold {about['fold']}"
        name += ", adapted" if "adapted" in about else ""
        same = sum(other.partition(" (")[0] == name for other in names)
        names.append(f"{name} ({same + 1})" if same else name)
    return names


def inputs_of(model: TrainedModel) -> list[dict]:
    """Return what the members of a model (most have one) read: the kind, and the settings of audio and features."""
    about = model.description
    members = read_members(about, model.folder).values() if about["trainer"] == ENSEMBLE else [about]
    return [member["input"] for member in members]


def ask(
    name: str, model: TrainedModel, file: Path, recording: Recording, windows: Windows, seconds: float
) -> ModelAnswers:
    """Ask a model of a clip.

    Parameters
    ----------
    name : str
        What it is called here.
    model : TrainedModel
    file : Path
    recording : Recording
        What the file holds.
    windows : Windows
    seconds : float
        s of sound in it; if it is shorter than a window, the answer to the whole stands for all of it.

    Raises
    ------
    UnusableAudioError, OSError
        If the model cannot use the recording.
    """
    (whole,) = model.predict_many([file])
    parts: tuple[Segment, ...] = ()
    if model.by_speaker:
        remark = "it normalises each speaker’s voice by itself, which wants several clips: no answers over time"
    elif seconds < windows.length:
        length = len(recording.y) / recording.sample_rate
        parts = (Segment(0.0, length, True, whole.emotion, whole.probabilities, whole.unfamiliar),)
        remark = f"the clip is shorter than a window of {windows.length:g} s: one answer"
    else:
        timeline = model.timeline(recording.y, recording.sample_rate, window=windows.length, hop=windows.hop)
        (channel,) = timeline.channels
        parts = tuple(segment for segment in channel.segments if segment.speech)
        remark = "" if parts else "no speech was found: no answers over time"
    return ModelAnswers(name, model.emotions, whole, parts, remark, model.knows_synthetic_speech_only)


def unfamiliar_to(answers: list[ModelAnswers]) -> dict[str, list[str]]:
    """Return what is unfamiliar of a clip as a whole by whom it is unfamiliar to.

    What is usual differs a little between models that learnt from other inputs of the same clips: that of the first one
    is named.
    """
    first: dict[str, str] = {}
    to: dict[str, list[str]] = {}
    for answer in answers:
        for reason in filter(None, answer.whole.unfamiliar.split("; ")):
            key = "and more" if MORE.fullmatch(reason) else reason.partition(USUAL)[0]
            first.setdefault(key, key if key == "and more" else reason)
            to.setdefault(key, []).append(answer.name)
    found: dict[str, list[str]] = {}
    for key in sorted(to, key=lambda key: key == "and more"):
        found.setdefault(_whom(to[key], [answer.name for answer in answers]), []).append(first[key])
    return found


def _whom(names: list[str], models: list[str]) -> str:
    others = [name for name in models if name not in names]
    if not others:
        return "all models" if len(models) > 1 else "the model"
    return f"all models but {', '.join(others)}" if len(others) < len(names) else ", ".join(names)


def in_short(unfamiliar: str) -> str:
    """Return what is unfamiliar without what is usual: a line, and not four."""
    return ", ".join(reason.partition(USUAL)[0] for reason in unfamiliar.split("; "))


def emotions_of(answers: list[ModelAnswers]) -> list[str]:
    """Return the emotions of all models, those of the first one first."""
    return list(dict.fromkeys(emotion for answer in answers for emotion in answer.emotions))
