"""The classical pipelines before training: StandardScaler → optional selection → optional SMOTE → classifier."""

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from lightgbm import LGBMClassifier
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

SMOTE_NEIGHBORS = 5  # imbalanced-learn's default


def build_pipeline(name: str, settings, rarest: int, features: int, seed: int) -> Pipeline:
    """Return the untrained pipeline of a model.

    Parameters
    ----------
    name : str
        Key of the model in `settings`.
    settings : ser.params.TrainMl
        The ``train_ml`` section of the parameters.
    rarest : int
        Examples of the rarest class; if they are too few for SMOTE's neighbours there are fewer of these, or no SMOTE.
    features : int
    seed : int
    """
    steps: list[tuple] = [("scale", StandardScaler())]
    if settings.select is not None:
        steps.append(("select", SelectKBest(f_classif, k=min(settings.select, features))))
    if settings.smote and rarest > 1:  # a synthetic example lies between two real ones
        steps.append(("smote", SMOTE(k_neighbors=min(SMOTE_NEIGHBORS, rarest - 1), random_state=seed)))
    return Pipeline([*steps, ("classifier", build_classifier(name, getattr(settings, name), seed))])


def build_classifier(name: str, settings, seed: int) -> ClassifierMixin:
    """Return an untrained classifier with its settings, all of them single-threaded and seeded."""
    if name == "logistic_regression":
        return LogisticRegression(C=settings.C, max_iter=settings.max_iter)
    if name == "svm_rbf":
        return SVC(kernel="rbf", C=settings.C, gamma=settings.gamma)
    if name == "svm_poly":
        return SVC(kernel="poly", C=settings.C, gamma=settings.gamma, degree=settings.degree, coef0=settings.coef0)
    if name == "random_forest":
        return RandomForestClassifier(
            n_estimators=settings.n_estimators,
            max_depth=settings.max_depth,
            min_samples_leaf=settings.min_samples_leaf,
            random_state=seed,
        )
    if name == "mlp":
        return MLPClassifier(
            hidden_layer_sizes=tuple(settings.hidden_sizes),
            alpha=settings.alpha,
            solver="sgd",
            learning_rate="adaptive",
            learning_rate_init=settings.learning_rate,
            batch_size=settings.batch_size,
            max_iter=settings.epochs,
            random_state=np.random.RandomState(seed),  # an instance: a number would repeat its draws every epoch
        )
    if name == "lightgbm":
        return LGBMClassifier(
            n_estimators=settings.n_estimators,
            learning_rate=settings.learning_rate,
            num_leaves=settings.num_leaves,
            min_child_samples=settings.min_child_samples,
            colsample_bytree=settings.feature_fraction,
            random_state=seed,
            n_jobs=1,
            deterministic=True,
            force_row_wise=True,
            verbose=-1,
        )
    raise ValueError(f"name is {name!r}; no such classical model")
