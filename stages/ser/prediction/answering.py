"""From what a model reads of clips to what it answers."""

import numpy as np

from ser.prediction.answers import UNSURE, Prediction
from ser.prediction.clip_inputs import Heard
from ser.prediction.model_folder import Opened, of_member
from ser.prediction.unfamiliar_recordings import why_unfamiliar
from ser.probabilities.fused import fuse
from ser.probabilities.temperature import scale

SHORT = 1.0  # s of sound below which an answer is marked


def answer_clips(
    model: Opened, clips: list[tuple[Heard, list[list[np.ndarray]]]], *, calibrated: bool, certainty: float
) -> list[Prediction]:
    """Predict clips; those that a model wants together are all of one speaker.

    Parameters
    ----------
    model : Opened
    clips : list of (Heard, list of list of np.ndarray)
        What was heard; and of it, then of each of its copies, what each member of the model reads.
    calibrated, certainty
        See `ser.prediction.trained_model.TrainedModel.predict`.
    """
    by_speaker = model.description["normalization"] == "speaker"
    read = [versions for _, versions in clips]
    by_member = [
        member.predict_proba(of_member(read, place), by_speaker=by_speaker)
        for place, member in enumerate(model.members)
    ]
    together = joined(model, by_member, calibrated=calibrated)
    alone = by_speaker and len(clips) == 1
    return [
        _answer(model, heard, versions[0], probabilities, certainty, alone=alone)
        for (heard, versions), probabilities in zip(clips, together, strict=True)
    ]


def joined(model: Opened, by_member: list[np.ndarray], *, calibrated: bool) -> np.ndarray:
    """Return the probabilities of a model, float32 of shape (clips, emotions), from those of each of its members."""
    together = by_member[0] if model.rule is None else fuse(np.stack(by_member).astype(np.float64), model.rule)
    if calibrated:
        together = scale(together, model.description["temperature"])
    return together.astype(np.float32)


def _answer(
    model: Opened, heard: Heard, inputs: list[np.ndarray], probabilities: np.ndarray, certainty: float, *, alone: bool
) -> Prediction:
    reasons = ["the only clip of its speaker, whose voice cannot be known by it"] if alone else []
    reasons += [_mixture(heard.different)] if heard.different else []
    reasons += [f"{heard.seconds:.2f} s of sound, which is short"] if heard.seconds < SHORT else []
    unusual: dict[str, str] = {}
    for member, values in zip(model.members, inputs, strict=True):
        for name, reason in why_unfamiliar(member.usual, heard.profile, values).items():
            unusual.setdefault(name, reason)  # members say much the same
    unfamiliar = "; ".join([*reasons, *unusual.values()])
    emotions = tuple(model.description["classes"])
    best = int(probabilities.argmax())
    emotion = emotions[best] if probabilities[best] >= certainty else UNSURE
    return Prediction(emotion, probabilities, emotions, unfamiliar, heard.seconds)


def _mixture(channels: tuple[int, ...]) -> str:
    *most, last = map(str, channels)
    which = f"{', '.join(most)} and {last}"
    return f"channels {which} carry different speech, and are mixed here: `ser timeline` keeps them apart"


def check_certainty(certainty: float) -> None:
    """Raise `ValueError` of what is no probability."""
    if not 0 <= certainty <= 1:
        raise ValueError(f"certainty is {certainty}: allowed are 0 to 1")
