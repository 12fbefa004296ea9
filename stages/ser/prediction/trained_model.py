"""A trained model, ready to predict: what `ser.load` returns."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ser.features.column_normalization import normalize_by_speaker, speaker_statistics
from ser.networks.logit_adjustment import adjust
from ser.prediction.clip_inputs import hear, stacked
from ser.prediction.model_folder import SAMPLES, load_model, read_description
from ser.prediction.unfamiliar_recordings import why_unfamiliar
from ser.storage.shards import Ragged


class TrainedModel:
    """A model and what its folder says of it.

    Parameters
    ----------
    folder : Path
        Such as ``data/models/train_ml/svm_rbf``; nothing else is read, and nothing in it is executed.

    Attributes
    ----------
    description : dict
        What is known of the model: trainer, audio and feature settings, what it learnt from.
    classes : list of str
        The emotions, in the order of the probabilities.
    by_speaker : bool
        Whether it was trained on inputs that are normalised speaker by speaker, so that it wants several clips of one.

    Raises
    ------
    InputError
        If the folder is none of a model, is damaged, or was written in a format that this version does not read.
    """

    def __init__(self, folder: Path):
        self.description = read_description(folder)
        self.classes: list[str] = self.description["classes"]
        self.by_speaker: bool = self.description["normalization"] == "speaker"
        self._library, self._model = load_model(folder, self.description)

    def read(self, file: Path) -> np.ndarray:
        """Return what the model reads of a recording: a vector, frames of one, or samples.

        Raises
        ------
        UnusableAudioError, OSError
            If the file cannot be used; the message says why.
        """
        return hear(file, self.description["input"]).values

    def read_and_check(self, file: Path) -> tuple[np.ndarray, str]:
        """Return what `read` returns, and why the recording is unlike all that the model learnt from.

        The reason is an empty text where it is like them: by its level, clipping and spectrum, before it was cleaned,
        and by what share of the model's inputs is far from their mean; see `ser.prediction.unfamiliar_recordings`.
        """
        heard, samples = hear(file, self.description["input"]), self.description["input"]["kind"] in SAMPLES
        return heard.values, why_unfamiliar(self.description["usual"], heard.profile, None if samples else heard.values)

    @property
    def knows_synthetic_speech_only(self) -> bool:
        """Whether all it learnt from was synthesised: it then knows nothing of real voices."""
        return all(corpus["synthetic"] for corpus in self.description["learnt_from"]["corpora"].values())

    def predict_proba(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probability of each emotion, float32 of shape (clips, classes).

        Parameters
        ----------
        inputs : sequence of np.ndarray
            One or more results of `read`; of a model that is normalised by speaker, all clips of one speaker.
        """
        kind = self.description["input"]["kind"]
        together = stacked(list(inputs), kind)
        if kind == "embeddings":
            together = self._library.embed(self._model, together)
        if self.by_speaker:
            together = _normalized(together)
        return adjust(self._library.predict_proba(self._model, together), self.description["class_factors"])


def load(folder: Path | str) -> TrainedModel:
    """Load a model from its folder; see `TrainedModel`."""
    return TrainedModel(Path(folder))


def _normalized(inputs: np.ndarray | Ragged) -> np.ndarray | Ragged:
    """Normalise the clips of one speaker by themselves."""
    who = np.full(len(inputs), "speaker")
    of_speaker = normalize_by_speaker(inputs, who, speaker_statistics(inputs, who))
    return of_speaker if isinstance(of_speaker, Ragged) else of_speaker[:]
