"""Classical models on functionals: fit and save; loading and predicting is in `ser.models.stored_model`."""

import warnings
from functools import partial
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline

from ser.errors import InputError
from ser.folds.group_folds import deal_groups
from ser.folds.speaker_groups import group_by_name, names_of_places
from ser.graphs.graph_writer import write_model
from ser.models.boosting import fit_boosting
from ser.models.classical_graph import classical_model
from ser.models.classifiers import build_classifier, build_pipeline
from ser.models.mlp import fit_mlp
from ser.models.stored_model import load, predict_proba
from ser.networks.batches import Examples, example_weights
from ser.networks.checkpoints import Checkpoint
from ser.networks.early_stopping import Fitted
from ser.storage.whole_files import written

__all__ = ["fit", "load", "predict_proba", "save"]  # what the training loop asks of a model's module


def fit(
    train: Examples,
    validation: Examples | None,
    classes: int,
    settings,
    seed: int,
    epochs: int | None = None,
    checkpoint: Checkpoint | None = None,
    *,
    name: str,
) -> Fitted:
    """Train one model on the training part.

    Parameters
    ----------
    train, validation : Examples
        The validation part stops the MLP and LightGBM; the others do not see it.
    classes : int
    settings : ser.settings.train_ml_section.TrainMl
        The ``train_ml`` section of the parameters.
    seed : int
    epochs : int, optional
        Number of epochs of the MLP or rounds of LightGBM; needed without a validation part.
    checkpoint : Checkpoint, optional
        Not used: these models are trained in seconds.
    name : str
        Key of the model in `settings`.
    """
    is_svm = name in ("svm_rbf", "svm_poly")
    splits = speaker_splits(train, classes, settings.inner_folds, seed) if settings.tune or is_svm else []
    fitted_on = [train.labels, *(train.labels[inner] for inner, _ in splits)]
    smallest, rarest = min(map(len, fitted_on)), min(np.bincount(labels).min() for labels in fitted_on)
    pipeline = build_pipeline(name, settings, classes, smallest, rarest, train.inputs.shape[1], seed)
    if settings.tune:
        pipeline = tune(pipeline, choices(name, settings, classes, seed), splits, train)
    if is_svm:
        return Fitted(calibrate(pipeline, splits, train, settings.balance), pd.DataFrame(), None)
    if name not in ("mlp", "lightgbm"):
        return Fitted(without_sampler(pipeline.fit(train.inputs, train.labels)), pd.DataFrame(), None)
    # the last step is fitted with an eye on the validation part, which no pipeline hands on to it
    transform, classifier = pipeline[:-1], pipeline[-1]
    resampling = "balance" in transform.named_steps
    fit_transform = transform.fit_resample if resampling else transform.fit_transform
    transformed = fit_transform(train.inputs, train.labels)
    X, y = transformed if resampling else (transformed, train.labels)
    transform = without_sampler(transform)
    checked = None if validation is None else (transform.transform(validation.inputs), validation.labels)
    weights = example_weights(y, settings.balance)
    fit_classifier = partial(fit_mlp, weights=weights) if name == "mlp" else fit_boosting
    classifier, history, epochs = fit_classifier(classifier, X, y, checked, getattr(settings, name), epochs)
    return Fitted(Pipeline([*transform.steps, ("classifier", classifier)]), history, epochs)


def choices(name: str, settings, classes: int, seed: int) -> list[ClassifierMixin]:
    """Return an untrained classifier for every combination of ``train_ml.grid``."""
    own, grid = getattr(settings, name), ParameterGrid(settings.grid.get(name, {}))
    tried = [settings.model_copy(update={name: own.model_copy(update=values)}) for values in grid]
    return [build_classifier(name, with_values, classes, seed) for with_values in tried]


def tune(pipeline: Pipeline, classifiers: list, splits: list[tuple], train: Examples) -> Pipeline:
    """Choose among classifiers by the UAR on speakers held out of the training part."""
    search = GridSearchCV(pipeline, {"classifier": classifiers}, scoring="balanced_accuracy", cv=splits, refit=False)
    with warnings.catch_warnings():  # an emotion that a group does not show counts nothing, as everywhere
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true", UserWarning)
        search.fit(train.inputs, train.labels)
    return pipeline.set_params(**search.best_params_)


def calibrate(pipeline: Pipeline, splits: list[tuple], train: Examples, balance: str) -> Pipeline:
    """Give an SVM probabilities: sigmoids (Platt 1999) fitted on speakers held out of the training part.

    The scaler, the selection and SMOTE are fitted anew without the held-out speakers; the SVM that is kept has seen
    the whole training part. Where the classes are balanced, they count the same for the sigmoids too: these would
    otherwise give back how rare a class is.
    """
    calibrated = CalibratedClassifierCV(pipeline, method="sigmoid", cv=splits, ensemble=False)
    weights = None if balance == "none" else example_weights(train.labels, "weights")
    with warnings.catch_warnings():  # the weights are the sigmoids' alone: the pipeline balances by itself
        warnings.filterwarnings("ignore", "Since Pipeline does not appear to accept sample_weight", UserWarning)
        calibrated.fit(train.inputs, train.labels, sample_weight=weights)
    fitted = calibrated.calibrated_classifiers_[0].estimator
    # the same model with the calibration moved into the last step, the form that ONNX knows
    calibrated.estimator = calibrated.calibrated_classifiers_[0].estimator = fitted[-1]
    return Pipeline([*without_sampler(fitted).steps[:-1], ("classifier", calibrated)])


def speaker_splits(train: Examples, classes: int, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split the training part into groups of whole speakers.

    A clip of an unknown speaker counts as one of its own. Where a speaker is single or the only one to show an emotion,
    into groups of whole clips: a clip and its copies are never on two sides.

    Raises
    ------
    InputError
        If an emotion has too few clips for that.
    """
    clips = names_of_places(pd.factorize(train.parents)[0])  # by their order: what they are called must not matter
    for names in (train.speakers, clips):
        groups = group_by_name(names, clips)
        parts = 0 if groups is None else min(folds, len(np.unique(groups)), np.bincount(train.labels).max())
        if parts < 2:
            continue
        number = deal_groups(train.labels, groups, parts, seed)
        splits = [(np.flatnonzero(number != part), np.flatnonzero(number == part)) for part in range(parts)]
        if all(len(np.unique(train.labels[inner])) == classes for inner, _ in splits):
            return splits
    raise InputError(
        f"an emotion has too few training clips to be split into train_ml.inner_folds {folds} parts: add recordings, "
        "lower it, choose other prepare.emotions, or do without tuning and the SVMs"
    )


def without_sampler(pipeline: Pipeline) -> Pipeline:
    """Return a fitted pipeline without what balances the classes, which has no part in predicting."""
    return Pipeline([(name, step) for name, step in pipeline.steps if name != "balance"])


def save(model: Pipeline, folder: Path | str) -> None:
    """Write ``model.onnx`` and, for LightGBM, its own form of its trees: ``trees.txt``."""
    folder, classifier = Path(folder), model[-1]
    if isinstance(classifier, lightgbm.LGBMClassifier):
        with written(folder / "trees.txt") as temporary:
            temporary.write_text(classifier.booster_.model_to_string(num_iteration=classifier.best_iteration_ or -1))
    write_model(classical_model(model), folder / "model.onnx")
