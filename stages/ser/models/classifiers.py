"""The classical pipelines before training.

StandardScaler → limit → optional selection → optional oversampling → optional principal components → classifier.
"""

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from ser.models.input_limit import InputLimit
from ser.models.logistic_regression import WideLogisticRegression
from ser.models.standardization import Standardization
from ser.networks.batches import smote

TREES = ("random_forest", "lightgbm")  # for which only the order of a feature's values counts


def build_pipeline(name: str, settings, classes: int, smallest: int, rarest: int, features: int, seed: int) -> Pipeline:
    """Return the untrained pipeline of a model.

    Parameters
    ----------
    name : str
        Key of the model in `settings`.
    settings : ser.settings.train_ml_section.TrainMl
        The ``train_ml`` section of the parameters.
    classes : int
    smallest, rarest : int
        Examples of the smallest set that the pipeline is fitted on, and of the rarest class there: what principal
        components and SMOTE have to make do with.
    features : int
    seed : int
    """
    steps: list[tuple] = [("scale", Standardization())]
    if settings.limit is not None and name not in TREES:
        steps.append(("limit", InputLimit(settings.limit)))
    if settings.select is not None:
        features = min(settings.select, features)
        steps.append(("select", SelectKBest(f_classif, k=features)))
    kind = Pipeline
    if settings.balance in ("smote", "sampling"):
        from imblearn.over_sampling import RandomOverSampler  # takes most of a second, which weights are spared
        from imblearn.pipeline import Pipeline as SamplingPipeline

        kind = SamplingPipeline
        sampler = smote(rarest, seed) if settings.balance == "smote" else RandomOverSampler(random_state=seed)
        steps.append(("balance", sampler))
    components = getattr(getattr(settings, name), "components", None)
    if components is not None:
        components = min(components, smallest - 1, features)
        pca = PCA(components, svd_solver="randomized", random_state=seed)
        steps.append(("components", pca))
    return kind([*steps, ("classifier", build_classifier(name, settings, classes, seed))])


def build_classifier(name: str, settings, classes: int, seed: int) -> ClassifierMixin:
    """Return an untrained classifier with its settings, all of them single-threaded and seeded.

    `settings` is ``train_ml`` with the model's own settings in the attribute `name`.
    """
    own, weights = getattr(settings, name), "balanced" if settings.balance == "weights" else None
    if name == "logistic_regression":
        return WideLogisticRegression(C=own.C, max_iter=own.max_iter, class_weight=weights)
    if name == "discriminant_analysis":
        priors = np.full(classes, 1 / classes) if weights else None
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=own.shrinkage, priors=priors)
    if name == "svm_rbf":
        return SVC(kernel="rbf", C=own.C, gamma=own.gamma, class_weight=weights)
    if name == "svm_poly":
        return SVC(kernel="poly", C=own.C, gamma=own.gamma, degree=own.degree, coef0=own.coef0, class_weight=weights)
    if name == "random_forest":
        return RandomForestClassifier(
            n_estimators=own.n_estimators,
            max_depth=own.max_depth,
            min_samples_leaf=own.min_samples_leaf,
            class_weight=weights,
            random_state=seed,
        )
    if name == "mlp":
        return MLPClassifier(
            hidden_layer_sizes=tuple(own.hidden_sizes),
            alpha=own.alpha,
            solver="sgd",
            learning_rate="adaptive",
            learning_rate_init=own.learning_rate,
            batch_size=own.batch_size,
            max_iter=own.epochs,
            random_state=np.random.RandomState(seed),  # an instance: a number would repeat its draws every epoch
        )
    if name == "lightgbm":
        return LGBMClassifier(
            n_estimators=own.n_estimators,
            learning_rate=own.learning_rate,
            num_leaves=own.num_leaves,
            min_child_samples=own.min_child_samples,
            colsample_bytree=own.feature_fraction,
            class_weight=weights,
            random_state=seed,
            n_jobs=1,
            deterministic=True,
            force_row_wise=True,
            enable_bundle=False,  # of features that are hardly ever 0 it only looks for some to bundle
            verbose=-1,
        )
    raise ValueError(f"name is {name!r}; no such classical model")
