"""A model's folder adapted to somebody's recordings: a new folder, which predicts what the old one did, otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import onnx

from ser.adaptation.adapted_description import adapted_description, distance_as_json, reference_of
from ser.adaptation.adapted_graph import adapt
from ser.adaptation.input_statistics import Distance, distance
from ser.adaptation.moods import effort, shows_one_mood
from ser.audio.recordings import UnusableAudioError
from ser.errors import InputError
from ser.graphs.graph_writer import write_model
from ser.models.stored_model import FILE
from ser.prediction.clip_inputs import ROWS, Heard, hear, model_inputs, stacked
from ser.prediction.description_check import SAMPLES
from ser.prediction.model_folder import ENSEMBLE, MEMBERS, read_description, read_members
from ser.prediction.unfamiliar_recordings import usual_of
from ser.storage.model_cards import write_card
from ser.storage.samples import to_float
from ser.storage.whole_files import temporary_name, write_json

if TYPE_CHECKING:
    from onnx import ModelProto

FEWEST = 20  # recordings that statistics are taken of
LABELLING = 2  # people whose recordings have labels, at least


class Labelled(NamedTuple):
    """Recordings whose emotion is known, and what learns a model again with them.

    Attributes
    ----------
    emotions : dict of Path to str
    refit : callable
        Takes a model's description, its graph, what came of adapting it, what it expected, and of the labelled
        recordings what it reads, the emotions and the speakers; returns a graph and the share of the weight of all that
        they were given.
    """

    emotions: dict[Path, str]
    refit: Callable[..., tuple[ModelProto, float]]


class Adaptation(NamedTuple):
    """What was found out about recordings that a model was adapted to.

    Attributes
    ----------
    clips, speakers : int
        That could be used.
    unusable : dict of Path to str
        Why the others could not.
    mixed : int
        How many have different speech on their channels, which is mixed.
    one_mood : bool
        Whether the recordings seem to be of one mood.
    synthetic : bool
        Whether the model knows synthetic speech only.
    distances : dict of str to Distance
        By model, how far the inputs lie from those of what it learnt from.
    shares : dict of str to float
        By model, the share of the labelled recordings in the weight of all that it learnt from again.
    """

    clips: int
    speakers: int
    unusable: dict[Path, str]
    mixed: int
    one_mood: bool
    synthetic: bool
    distances: dict[str, Distance]
    shares: dict[str, float]


def adapt_folder(
    folder: Path,
    files: Sequence[Path],
    speakers: Sequence[str],
    output: Path,
    *,
    labelled: Labelled | None = None,
    progress: Callable[[], object] | None = None,
) -> Adaptation:
    """Write a model that was moved to recordings; of an ensemble, each of its members.

    Parameters
    ----------
    folder : Path
        Of a model.
    files : sequence of Path
        Recordings, of any emotions.
    speakers : sequence of str
        Who speaks in each.
    output : Path
        The new folder.
    labelled : Labelled, optional
        Of some of the files; learn the model again with them.
    progress : callable, optional
        Is called after each file.

    Raises
    ------
    InputError
        If the folder is none of a model, or of one that cannot be adapted, or too few recordings are of use.
    """
    description = read_description(folder)
    is_ensemble = description["trainer"] == ENSEMBLE
    members = read_members(description, folder) if is_ensemble else {folder: description}
    require_adaptable(folder, members)
    references = {place: reference_of(about, place) for place, about in members.items()}
    heard, unusable = hear_all(files, description if not is_ensemble else next(iter(members.values())), progress)
    if len(heard) < FEWEST:
        file, reason = next(iter(unusable.items()), (None, ""))
        left_out = f" of {len(files)} (first of the others: {file}: {reason})" if file else ""
        raise InputError(f"{len(heard)} recordings{left_out}: at least {FEWEST} are wanted to tell what they are like")
    names = np.array([speaker for file, speaker in zip(files, speakers, strict=True) if file in heard])
    clips = list(heard.values())
    wanted = [about["input"] for about in members.values()]
    read = [model_inputs(clip, wanted) for clip in clips]
    efforts = np.stack([effort(to_float(clip.samples), wanted[0]["audio"]["sample_rate"]) for clip in clips])
    synthetic = all(corpus["synthetic"] for corpus in description["learnt_from"]["corpora"].values())
    one_mood = shows_one_mood(efforts, names, synthetic=synthetic and _sounds_like(clips, next(iter(members.values()))))
    about: dict = {"clips": len(clips), "speakers": len(np.unique(names)), "one_mood": one_mood}

    profile = np.stack([clip.profile for clip in clips])
    distances, shares = {}, {}
    known = [row for row, file in enumerate(heard) if labelled and file in labelled.emotions]
    if labelled and len(people := set(names[known])) < LABELLING:
        raise InputError(
            f"of {len(people)} speakers labelled recordings can be used: at least {LABELLING} are wanted, as how much "
            "they count is chosen by leaving out each; --speakers says who speaks"
        )
    if labelled:
        about |= {"labelled_clips": len(known)}
    if "adapted" in description:
        about["before"] = description["adapted"]
    scratch = temporary_name(output)
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for number, (place, member) in enumerate(members.items()):
            own = [clip[number] for clip in read]
            inputs = np.stack(own) if member["input"]["kind"] == ROWS else own
            before = onnx.load_model(place / FILE)
            adapted = adapt(before, inputs, references[place])
            off = distance(references[place].inputs, adapted.found)
            said = about | {"distance": distance_as_json(off)}
            if labelled:
                given = stacked([own[row] for row in known], member["input"]["kind"])
                emotions = [labelled.emotions[file] for file in heard if file in labelled.emotions]
                graph, share = labelled.refit(member, before, adapted, references[place], given, emotions, names[known])
                adapted, shares[member["model"]] = adapted._replace(model=graph), share
                said |= {"labelled_share": share}
            target = scratch / MEMBERS / place.name if is_ensemble else scratch
            _write(target, adapted_description(member, adapted, inputs, profile, said))
            write_model(adapted.model, target / FILE)
            distances[member["model"]] = off
        if is_ensemble:
            _write(scratch, description | {"adapted": about})
        output.parent.mkdir(parents=True, exist_ok=True)
        scratch.rename(output)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    mixed = sum(bool(clip.different) for clip in clips)
    return Adaptation(about["clips"], about["speakers"], unusable, mixed, one_mood, synthetic, distances, shares)


def require_adaptable(folder: Path, members: dict[Path, dict]) -> None:
    """Raise an InputError of models that normalise each speaker anyway, or rest on a pretrained encoder."""
    for place, member in members.items():
        if member["normalization"] == "speaker":
            raise InputError(f"{folder} normalises each speaker by themselves, wherever they are: nothing to adapt")
        if member["input"]["kind"] in SAMPLES or not (place / FILE).is_file():
            raise InputError(
                f"{folder}: {place.name} rests on a pretrained encoder, whose inputs are samples and no features: it "
                "cannot be adapted; name another model"
            )


def hear_all(
    files: Sequence[Path], description: dict, progress: Callable[[], object] | None
) -> tuple[dict[Path, Heard], dict[Path, str]]:
    """Return the recordings of files as a model hears them, and why others cannot be used."""
    heard, unusable = {}, {}
    same: dict[bytes, Path] = {}
    for file in files:
        try:
            clip = hear(file, None, description["input"]["audio"])
            first = same.setdefault(sha256(clip.samples.tobytes()).digest(), file)
            if first == file:
                heard[file] = clip
            else:
                unusable[file] = f"the same as {first}"
        except (UnusableAudioError, OSError) as error:
            unusable[file] = str((isinstance(error, OSError) and error.strerror) or error)
        if progress:
            progress()
    return heard, unusable


def _sounds_like(clips: Sequence[Heard], member: dict) -> bool:
    """Tell whether most recordings sound like those that a model learnt from, before they are cleaned."""
    usual = usual_of(member["usual"])
    numbers = len(clips[0].profile)
    profile = np.stack([clip.profile for clip in clips])
    within = (profile >= usual.low[:numbers]) & (profile <= usual.high[:numbers])
    return bool(within.all(axis=1).mean() > 0.5)


def _write(folder: Path, description: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(description, folder / "model.json")
    write_card(description, folder)
