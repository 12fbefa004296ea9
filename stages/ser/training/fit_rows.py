"""Which clips a fit learns from, which it is watched and which it is tested by: the protocol of every trainer.

Held out (``train.refit: false``): one model a fold. It learns from the training part; the validation speakers stop it
and are what temperature, fusion and the choice of a model are learnt from.

Refit (``train.refit: true``): what the validation speakers have told is used, and the model that is tested then learns
from them as well. Their predictions come from inner models that have not: from one that learnt from the training part
or, with ``train.inner_models`` above 1, from as many as there are groups of speakers, each left out by one (a
cross-fit), so that every clip that the fold does not test has a prediction to learn from.
"""

from typing import NamedTuple

import numpy as np

from ser.errors import InputError
from ser.settings.train_section import Train
from ser.storage.seeds import derive_seed
from ser.training.dataset import Dataset, fold_names, rows_of_part


class Job(NamedTuple):
    """One fit.

    Attributes
    ----------
    model : str
    fold : str or None
        None: the model for use, of everything outside the final holdout.
    epochs : int or None
        How many, where nobody watches when to stop.
    inner : int or None
        The number of an inner model of the fold; None: the one that is tested.
    """

    model: str
    fold: str | None
    epochs: int | None = None
    inner: int | None = None


class FitRows(NamedTuple):
    """Masks over the clips, shape (clips,); None where a fit has no such part.

    Attributes
    ----------
    learnt : np.ndarray of bool
        Learnt from, together with their copies.
    validation, test : np.ndarray of bool or None
        Predicted; the validation clips also stop the fit.
    """

    learnt: np.ndarray
    validation: np.ndarray | None = None
    test: np.ndarray | None = None


def rows_of_job(data: Dataset, job: Job, settings: Train) -> FitRows:
    """Return the rows of a fit."""
    if job.fold is None:
        folds = fold_names(data)
        everything = np.ones(len(data.clips), dtype=bool)
        return FitRows(~rows_of_part(data, folds[0], "test") if len(folds) == 1 else everything)
    train, validation, test = (rows_of_part(data, job.fold, part) for part in ("train", "validation", "test"))
    if not settings.refit:
        return FitRows(train, validation, test)
    if job.inner is None:
        return FitRows(~test, None, test)
    if settings.inner_models == 1:
        return FitRows(train, validation)
    group = inner_groups(data, job.fold, settings)
    return FitRows(~test & (group != job.inner), group == job.inner)


def inner_jobs(data: Dataset, model: str, fold: str, settings: Train) -> list[Job]:
    """Return the fits whose predictions the validation rows of a fold are, where it is not the tested model itself."""
    if not settings.refit:
        return []
    count = 1 if settings.inner_models == 1 else inner_groups(data, fold, settings).max() + 1
    return [Job(model, fold, inner=number) for number in range(count)]


def inner_groups(data: Dataset, fold: str, settings: Train) -> np.ndarray:
    """Return the number of the inner model that leaves out each clip, shape (clips,); -1 for those that are tested.

    The same for every trainer.

    Raises
    ------
    InputError
        If an inner model could not learn some emotion.
    """
    from ser.folds.dealt_parts import deal_rest  # imports scikit-learn, of which most networks need nothing

    test = rows_of_part(data, fold, "test")
    group = np.full(len(test), -1)
    seed = derive_seed(settings.seed, "inner", fold)
    group[~test] = deal_rest(data.clips[~test], settings.inner_models, seed)
    emotions = data.clips["emotion"]
    for number in range(group.max() + 1):
        missing = set(data.classes) - set(emotions[~test & (group != number)])
        if missing:
            raise InputError(
                f"train.inner_models is {settings.inner_models}: without its group {number} of speakers {fold} has no "
                f"clip of {', '.join(sorted(missing))} to learn from; take 1"
            )
    return group
