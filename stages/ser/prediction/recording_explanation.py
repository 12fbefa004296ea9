"""What decided the answer of a model for a recording: of any kind of model, by what it answers for changed inputs.

Stretches of time are cut out of what the model hears, so that every kind of model is treated alike. The values of
groups of features are exchanged for the model's usual ones, in what it reads.
"""

from collections.abc import Callable

import numpy as np

from ser.errors import InputError
from ser.explaining.cut_stretches import CUTS, draw_cuts, effects_of, stretch_edges, without
from ser.explaining.explanation import Explanation, Group, Stretch
from ser.explaining.group_shares import shares_of
from ser.explaining.log_odds import log_odds
from ser.explaining.outlying_stretch import flatness, outlier
from ser.features.column_groups import feature_groups
from ser.prediction.answering import answer_clips, joined
from ser.prediction.clip_inputs import Heard, model_inputs, name_of, with_copies
from ser.prediction.description_check import SAMPLES
from ser.prediction.model_folder import Member, Opened, of_member
from ser.prediction.model_reading import Recorded, hear_and_read

SLOW_CUTS = 3  # for each stretch, of models that read samples: an encoder takes a hundred times as long as features
BLOCK = 64  # sets of groups that are answered at a time: of long sequences no more fit into memory

Versions = list[list[np.ndarray]]  # of a recording and of each of its copies, what each member of a model reads


def explanation_of(
    model: Opened,
    recording: Recorded,
    sampling_rate: int | None,
    emotion: str | None,
    *,
    calibrated: bool,
    progress: Callable[[int, int], object] | None,
) -> Explanation:
    """Explain the answer for a recording; see `ser.prediction.trained_model.TrainedModel.explain`.

    Parameters
    ----------
    model : Opened
        Of one that does not normalise by speaker.
    recording, sampling_rate, emotion, calibrated, progress
        See there.
    """
    heard, versions = hear_and_read(model, recording, sampling_rate)
    (answer,) = answer_clips(model, [(heard, versions)], calibrated=calibrated, certainty=0.0)
    emotion = answer.emotion if emotion is None else emotion
    if emotion not in answer.emotions:
        raise InputError(f"the model does not know the emotion {emotion}: it knows {', '.join(answer.emotions)}")
    place = answer.emotions.index(emotion)
    of_time, errors, edges = effects_of_time(model, heard, place, calibrated=calibrated, progress=progress)
    chance = flatness(of_time)
    groups, usual = effects_of_groups(model, versions, place, calibrated=calibrated)
    sr = model.members[0].description["input"]["audio"]["sample_rate"]
    times = (heard.start + edges / sr).tolist()
    return Explanation(
        name=name_of(recording),
        model=f"{model.description['trainer']}/{model.description['model']}",
        answer=answer.emotion,
        emotion=emotion,
        emotions=answer.emotions,
        probabilities=answer.probabilities,
        unfamiliar=answer.unfamiliar,
        log_odds=float(log_odds(answer.probabilities[np.newaxis], place)[0]),
        stretches=tuple(map(Stretch, times[:-1], times[1:], of_time.tolist(), errors.tolist())),
        chance=chance,
        outlier=outlier(of_time, chance),
        groups=tuple(sorted(groups, key=lambda group: (-abs(group.effect), group.name))),
        usual_log_odds=usual,
        samples=heard.samples,
        sample_rate=sr,
    )


def effects_of_time(
    model: Opened,
    heard: Heard,
    place: int,
    *,
    calibrated: bool,
    progress: Callable[[int, int], object] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the effect of each stretch of a recording, its standard error, and the edges of the stretches in samples.

    Copies that the model answers by, too, lack the same stretches, at their own speed.
    """
    wanted = [member.description["input"] for member in model.members]
    audio = wanted[0]["audio"]
    sr, fixed = audio["sample_rate"], audio["fixed_samples"]
    copies = with_copies(heard, model.description["copies"], sr)
    edges = stretch_edges(len(heard.samples), sr)
    if len(edges) < 3:
        return np.zeros(1), np.zeros(1), edges
    slow = any(each["kind"] in SAMPLES for each in wanted)
    cuts = draw_cuts(len(edges) - 1, (SLOW_CUTS if slow else CUTS) * (len(edges) - 1))
    values = []
    for done, cut in enumerate(cuts, start=1):
        versions = []
        for copy in copies:
            own_edges = np.round(edges * (len(copy.samples) / len(heard.samples))).astype(int)
            samples = without(copy.samples, own_edges, cut, sr)
            if fixed is not None:
                samples = np.pad(samples, (0, max(0, fixed - len(samples))))
            versions.append(model_inputs(copy._replace(samples=samples), wanted))
        by_member = [
            member.predict_proba(of_member([versions], position), by_speaker=False)
            for position, member in enumerate(model.members)
        ]
        values.append(log_odds(joined(model, by_member, calibrated=calibrated), place)[0])
        if progress:
            progress(done, len(cuts))
    return *effects_of(cuts, np.array(values)), edges


def effects_of_groups(
    model: Opened, versions: Versions, place: int, *, calibrated: bool
) -> tuple[list[Group], float | None]:
    """Return what each group of features brings, and the log odds where all are as usual; None of samples.

    A group that several members of an ensemble read is one, and its values change in all of them. What members read
    that has no groups stays as it is.
    """
    columns = [_columns(member) for member in model.members]
    names = list(dict.fromkeys(name for own in columns for name in own))
    if not names:
        return [], None

    def value(present: np.ndarray) -> np.ndarray:
        by_member = [
            _answers(member, [version[position] for version in versions], own, names, present)
            for position, (member, own) in enumerate(zip(model.members, columns, strict=True))
        ]
        return log_odds(joined(model, by_member, calibrated=calibrated), place)

    shares, errors = shares_of(value, len(names))
    sizes = {name: max(len(own[name]) for own in columns if name in own) for name in names}
    usual = float(value(np.zeros((1, len(names)), dtype=bool))[0])
    return [
        Group(name, sizes[name], *each) for name, *each in zip(names, shares.tolist(), errors.tolist(), strict=True)
    ], usual


def _columns(member: Member) -> dict[str, np.ndarray]:
    known = member.usual.mean is not None and member.description["input"]["kind"] not in SAMPLES
    return feature_groups(member.description["input"]) if known else {}


def _answers(
    member: Member, read: list[np.ndarray], columns: dict[str, np.ndarray], names: list[str], present: np.ndarray
) -> np.ndarray:
    """Return the probabilities of a member for sets of groups, shape (sets, emotions); equal sets are asked once.

    Parameters
    ----------
    member : Member
    read : list of np.ndarray
        What it reads of the recording, and of each copy.
    columns : dict of str to np.ndarray of int
        Of its groups.
    names : list of str
        Of the groups of all members.
    present : np.ndarray of bool, shape (sets, names)
    """
    if not columns:
        return np.repeat(member.predict_proba([[values] for values in read], by_speaker=False), len(present), axis=0)
    distinct, which = np.unique(present[:, [names.index(name) for name in columns]], axis=0, return_inverse=True)
    group_of_column = np.empty(sum(map(len, columns.values())), dtype=int)
    for number, own in enumerate(columns.values()):
        group_of_column[own] = number
    instead = [_usual(member, values) for values in read]
    found = []
    for start in range(0, len(distinct), BLOCK):
        rows = distinct[start : start + BLOCK, group_of_column]
        clips = [[np.where(row, values, usual) for row in rows] for values, usual in zip(read, instead, strict=True)]
        found.append(member.predict_proba(clips, by_speaker=False))
    return np.concatenate(found)[which.ravel()]


def _usual(member: Member, read: np.ndarray) -> np.ndarray:
    """Return what a member reads where a group is absent: its usual means, in every frame of a sequence.

    The bands of a spectrum rise and fall together: level ones beside those of the clip would be edges that no recording
    has, which a convolution notices. So the usual spectrum follows the mean level of the clip's over time.
    """
    usual = np.asarray(member.usual.mean, dtype=np.float32)
    if member.description["input"]["kind"] != "logmel":
        return usual
    level = read.mean(axis=1, keepdims=True)
    return usual + level - level.mean()
