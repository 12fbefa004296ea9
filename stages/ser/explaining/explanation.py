"""What decided an answer: stretches of time and groups of features, and what they did to the odds of an emotion."""

from typing import NamedTuple

import numpy as np

from ser.explaining.outlying_stretch import LEAST, LEVEL

WEAK = 0.05  # nats: an effect below it changes the odds by less than 5 %


class Stretch(NamedTuple):
    """A stretch of a recording.

    Attributes
    ----------
    start, end : float
        s from the start of the recording.
    effect : float
        Nats by which the log odds of the emotion are higher when this stretch is heard instead of an average one.
    error : float
        Its standard error.
    """

    start: float
    end: float
    effect: float
    error: float


class Group(NamedTuple):
    """A group of features.

    Attributes
    ----------
    name : str
        Such as ``pitch``.
    features : int
        How many there are in it.
    effect : float
        Nats that its values, in place of the usual ones, add to the log odds of the emotion.
    error : float
        The standard error of that; 0 where it is exact.
    """

    name: str
    features: int
    effect: float
    error: float


class Explanation(NamedTuple):
    """What spoke for an emotion, and what against it.

    Attributes
    ----------
    name : str
        Of the recording, without its folder.
    model : str
        Such as ``train_ml/svm_rbf``.
    answer : str
        The most probable emotion.
    emotion : str
        The one that is explained.
    emotions : tuple of str
    probabilities : np.ndarray of float32, shape (emotions,)
    unfamiliar : str
        In what the recording is unlike those that the model learnt from.
    log_odds : float
        Of the emotion, nats.
    stretches : tuple of Stretch
        One after another, all that is left of the recording without silence at its ends.
    chance : float
        The probability that stretches without any cue differ so; see `ser.explaining.outlying_stretch.flatness`.
    outlier : int or None
        Which of the stretches stands out, if one does.
    groups : tuple of Group
        Those that matter most come first; none of a model that reads samples.
    usual_log_odds : float or None
        Of the emotion, where all features are as usual: the effects of the groups add up to the difference.
    samples : np.ndarray of int16, shape (samples,)
        What the model heard.
    sample_rate : int
        Hz.
    """

    name: str
    model: str
    answer: str
    emotion: str
    emotions: tuple[str, ...]
    probabilities: np.ndarray
    unfamiliar: str
    log_odds: float
    stretches: tuple[Stretch, ...]
    chance: float
    outlier: int | None
    groups: tuple[Group, ...]
    usual_log_odds: float | None
    samples: np.ndarray
    sample_rate: int

    @property
    def probability(self) -> float:
        """Of the emotion that is explained."""
        return float(self.probabilities[self.emotions.index(self.emotion)])

    def later(self, seconds: float) -> "Explanation":
        """Return it of a longer recording, of which this is a piece that begins after so many s."""
        moved = (one._replace(start=one.start + seconds, end=one.end + seconds) for one in self.stretches)
        return self._replace(stretches=tuple(moved))

    def in_words(self) -> list[str]:
        """Return a line on the answer, one on the stretches of time and one on the groups of features."""
        other = "" if self.emotion == self.answer else f" (most probable is {self.answer})"
        return [
            f"{self.emotion}: probability {self.probability:.3f}, log odds {self.log_odds:+.2f}{other}",
            self._time_in_words(),
            self._groups_in_words(),
        ]

    def _time_in_words(self) -> str:
        if self.outlier is None:
            if len(self.stretches) < 3:
                return "no stretch of time stands out: the recording is too short to compare any"
            if self.chance >= LEVEL:
                return f"no stretch of time stands out from the others (p = {self.chance:.2g})"
            return f"no stretch of time stands out from the others by {LEAST:.2f} or more (p = {self.chance:.2g})"
        one = self.stretches[self.outlier]
        side = "for" if one.effect > 0 else "against"
        return (
            f"{one.start:.2f} to {one.end:.2f} s stands out (p = {self.chance:.2g}): it spoke {side} {self.emotion}, "
            f"{one.effect:+.2f} beside the average stretch"
        )

    def _groups_in_words(self) -> str:
        if not self.groups:
            return "the model reads samples: there are no groups of features"
        sides = {
            side: [group.name for group in self.groups if sign * group.effect >= WEAK][:3]
            for side, sign in (("for", 1), ("against", -1))
        }
        said = [f"{', '.join(names)} spoke {side} it" for side, names in sides.items() if names]
        return f"of the features, {'; '.join(said)}" if said else "no group of features spoke for it or against it"
