"""A trained model, ready to predict: what `ser.load` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ser.audio.recordings import UnusableAudioError
from ser.errors import InputError
from ser.prediction.answering import answer_clips, check_certainty
from ser.prediction.answers import Prediction
from ser.prediction.clip_inputs import by_name
from ser.prediction.model_folder import find_folder, open_model
from ser.prediction.model_reading import Recorded, as_list, hear_and_read, kinds_of, read_all
from ser.prediction.speakers_to_predict import rows_together

if TYPE_CHECKING:
    import numpy as np

    from ser.explaining.explanation import Explanation
    from ser.prediction.recording_timeline import Live
    from ser.timelines.segments import Timeline


class TrainedModel:
    """A model and what its folder says of it; several threads may use one.

    Parameters
    ----------
    folder : Path
        Such as ``data/models/train_ml/svm_rbf``; nothing else is read, and nothing in it is executed.

    Attributes
    ----------
    folder : Path
    description : dict
        What is known of the model: trainer, audio and feature settings, scores, temperature.
    emotions : tuple of str
        In the order of the probabilities.
    by_speaker : bool
        Whether it was trained on inputs that are normalised speaker by speaker, so that it wants several clips of one.

    Raises
    ------
    InputError
        If the folder is none of a model, is damaged, or was written in a format that this version does not read.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._opened = open_model(folder)
        self.description = self._opened.description
        self.emotions: tuple[str, ...] = tuple(self.description["classes"])
        self.by_speaker: bool = self.description["normalization"] == "speaker"

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        """Let other processes load it from its folder."""
        return TrainedModel, (self.folder.absolute(),)

    @property
    def learnt_from(self) -> dict:
        """What it learnt from: clips, speakers, and by corpus their languages, licence and whether it is synthetic."""
        return self.description["learnt_from"]

    @property
    def knows_synthetic_speech_only(self) -> bool:
        """Whether all it learnt from was synthesised: it then knows nothing of real voices."""
        return all(corpus["synthetic"] for corpus in self.learnt_from["corpora"].values())

    @property
    def sample_rate(self) -> int:
        """Hz of the audio that it works on."""
        return self._opened.members[0].description["input"]["audio"]["sample_rate"]

    def predict(
        self,
        recording: Recorded,
        sampling_rate: int | None = None,
        *,
        calibrated: bool = False,
        certainty: float = 0.0,
    ) -> Prediction:
        """Predict the emotion of a recording.

        Parameters
        ----------
        recording : Path, str, binary file or np.ndarray
            A file of any format, or samples of shape (samples,) or (channels, samples): floats of full scale 1, or
            integers of the full scale of their type.
        sampling_rate : int, optional
            Hz, of samples.
        calibrated : bool
            Scale the probabilities by the temperature that made them as certain as they are right on validation
            speakers; the order of the emotions stays.
        certainty : float
            0 to 1; a less probable emotion is called ``unsure``.

        Raises
        ------
        ser.audio.recordings.UnusableAudioError, OSError
            If the recording cannot be used; the message says why.
        ser.errors.InputError
            If the model is `by_speaker`: of a single clip it cannot know the voice.
        TypeError, ValueError
            If samples come without a rate or in another shape, or an argument is impossible.
        """
        check_certainty(certainty)
        self._require_no_speakers("predict_many")
        clip = hear_and_read(self._opened, recording, sampling_rate)
        (answer,) = answer_clips(self._opened, [clip], calibrated=calibrated, certainty=certainty)
        return answer

    def predict_many(
        self,
        recordings: Iterable[Path | str | BinaryIO],
        *,
        speakers: Sequence[str] | None = None,
        calibrated: bool = False,
        certainty: float = 0.0,
        return_errors: bool = False,
        progress: Callable[[], object] | None = None,
    ) -> list[Prediction]:
        """Predict the emotions of files, one after another.

        Parameters
        ----------
        recordings : iterable of Path, str or binary file
        speakers : sequence of str, optional
            Who speaks in each, for a model that is `by_speaker`: it takes all clips of one together. Without them the
            files of a folder are those of one speaker.
        calibrated, certainty
            See `predict`.
        return_errors : bool
            Return the exception in the place of a prediction where a file cannot be used; else it is raised.
        progress : callable, optional
            Is called after each file.

        Returns
        -------
        list of Prediction
            In the order of the files; with `return_errors` also of exceptions.
        """
        check_certainty(certainty)
        recordings = as_list(recordings)
        found: dict[int, Prediction | Exception] = {}
        for rows in rows_together(recordings, speakers, by_speaker=self.by_speaker):
            heard = {}
            for row in rows:
                try:
                    heard[row] = hear_and_read(self._opened, recordings[row], None)
                except (UnusableAudioError, OSError, TypeError, ValueError) as error:
                    if not return_errors:
                        raise
                    found[row] = error
                if progress:
                    progress()
            if heard:
                clips = list(heard.values())
                answers = answer_clips(self._opened, clips, calibrated=calibrated, certainty=certainty)
                found |= dict(zip(heard, answers, strict=True))
        return [found[row] for row in range(len(recordings))]  # type: ignore[misc]

    def timeline(
        self,
        recording: Recorded,
        sampling_rate: int | None = None,
        *,
        window: float | None = None,
        hop: float | None = None,
        mix: bool = False,
        calibrated: bool = False,
        certainty: float = 0.0,
        max_seconds: float = 24 * 3600.0,
        progress: Callable[[float, float | None], object] | None = None,
    ) -> Timeline:
        """Find the speech in a recording of any length, and predict the emotion of each utterance.

        Parameters
        ----------
        recording, sampling_rate
            See `predict`.
        window, hop : float, optional
            s of sliding windows to answer for in place of utterances, and s from one to the next (a third of the
            window): each answer is given for the hop in its window's middle, if half of that is speech.
        mix : bool
            Make one timeline of the channels' mean; else each has its own, but for channels that are the same.
        calibrated, certainty
            See `predict`.
        max_seconds : float
            s; a longer recording is refused.
        progress : callable, optional
            Is called now and then with the s that are done, and those of the whole or None.

        Raises
        ------
        ser.audio.recordings.UnusableAudioError, OSError
            If the recording cannot be used; the message says why. Of one that is damaged on its way all is used that
            lies before that, and a remark says so.
        ser.errors.InputError
            If the model is `by_speaker`.
        TypeError, ValueError
            See `predict`.
        """
        from ser.prediction.asked_timeline import Asked, windows_of  # single clips need none of it
        from ser.prediction.recording_timeline import timeline_of

        check_certainty(certainty)
        asked = Asked(windows_of(window, hop), calibrated, certainty)
        return timeline_of(self, recording, sampling_rate, asked, mix=mix, max_seconds=max_seconds, progress=progress)

    def live(self, sampling_rate: int, *, calibrated: bool = False, certainty: float = 0.0) -> Live:
        """Begin the timeline of what is being recorded at a rate in Hz; the rest as of `predict`."""
        from ser.prediction.asked_timeline import Asked
        from ser.prediction.recording_timeline import Live

        check_certainty(certainty)
        return Live(self, sampling_rate, Asked(None, calibrated, certainty))

    def features(self, recording: Recorded, sampling_rate: int | None = None) -> dict[str, np.ndarray]:
        """Return what the model reads of a recording, as its exported graph takes it (`ser export`).

        Parameters
        ----------
        recording, sampling_rate
            See `predict`.

        Returns
        -------
        dict of str to np.ndarray
            ``functionals`` of shape (1, columns), ``frames`` of shape (time, columns), ``logmel`` of shape
            (time, bands), those that the model reads. Where it answers by copies, too, theirs are further rows of
            functionals, and sequences of their own, such as ``logmel_copy_1``.
        """
        self._require_no_speakers("features_many")
        return by_name(kinds_of(self._opened), hear_and_read(self._opened, recording, sampling_rate)[1])

    def features_many(
        self, recordings: Iterable[Path | str | BinaryIO], *, speakers: Sequence[str] | None = None
    ) -> list[dict[str, np.ndarray]]:
        """Return what the model reads of files, each as `features` does; where it is `by_speaker`, normalised.

        Parameters
        ----------
        recordings, speakers
            See `predict_many`.
        """
        return read_all(self._opened, as_list(recordings), speakers)

    def explain(
        self,
        recording: Recorded,
        sampling_rate: int | None = None,
        *,
        emotion: str | None = None,
        calibrated: bool = False,
        progress: Callable[[int, int], object] | None = None,
    ) -> Explanation:
        """Find out which stretches of time and which groups of features spoke for an emotion of a recording.

        Parameters
        ----------
        recording, sampling_rate, calibrated
            See `predict`.
        emotion : str, optional
            By default the most probable one.
        progress : callable, optional
            Is called with how many versions of the recording have been heard, and how many there are.

        Raises
        ------
        UnusableAudioError, OSError, InputError, TypeError, ValueError
            See `predict`; also where the model does not know the emotion.
        """
        from ser.prediction.recording_explanation import explanation_of  # predicting needs none of it

        self._require_no_speakers("a model that was trained with train.normalization=train")
        return explanation_of(self._opened, recording, sampling_rate, emotion, calibrated=calibrated, progress=progress)

    def _require_no_speakers(self, instead: str) -> None:
        if self.by_speaker:
            raise InputError(
                f"{self.folder} normalises each speaker's voice by itself: it wants several clips of one, use {instead}"
            )


def load(model: Path | str | None = None) -> TrainedModel:
    """Load a model.

    Parameters
    ----------
    model : Path or str, optional
        Its folder, or its short name among the models of ``data/models``, such as ``svm_rbf`` or ``ensemble``; without
        it the one that was best on validation speakers. `TrainedModel` says what is raised.
    """
    return TrainedModel(find_folder(model))
