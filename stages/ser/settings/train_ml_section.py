"""Section ``train_ml``: the classical models."""

from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from ser.settings.params_file import Count, Positive, Section, describe, require_distinct

Classifier = Literal[
    "logistic_regression", "discriminant_analysis", "svm_rbf", "svm_poly", "random_forest", "mlp", "lightgbm"
]


class LogisticRegression(Section):
    C: Positive
    max_iter: Count


class SvmRbf(Section):
    components: Count | None
    C: Positive
    gamma: Literal["scale", "auto"] | Positive


class SvmPoly(SvmRbf):
    degree: Annotated[int, Field(ge=2, le=6)]
    coef0: Annotated[float, Field(ge=0)]


class DiscriminantAnalysis(Section):
    components: Count
    shrinkage: Annotated[float, Field(ge=0, le=1)] | Literal["auto"]


class RandomForest(Section):
    n_estimators: Count
    max_depth: Count | None
    min_samples_leaf: Count


class Mlp(Section):
    seeds: Annotated[int, Field(ge=1, le=20)]
    hidden_sizes: Annotated[list[Count], Field(min_length=1)]
    alpha: Annotated[float, Field(ge=0)]
    learning_rate: Positive
    batch_size: Count
    epochs: Count
    patience: Count


class LightGbm(Section):
    n_estimators: Count
    learning_rate: Positive
    num_leaves: Annotated[int, Field(ge=2)]
    min_child_samples: Count
    feature_fraction: Annotated[float, Field(gt=0, le=1)]
    patience: Count


SHARED = ("limit", "select", "balance", "tune", "inner_folds")  # by all models


class TrainMl(Section):
    enabled: bool
    models: Annotated[list[Classifier], Field(min_length=1)]
    limit: Positive | None
    select: Count | None
    balance: Literal["none", "weights", "sampling", "smote"]
    tune: bool
    inner_folds: Annotated[int, Field(ge=2)]
    logistic_regression: LogisticRegression
    discriminant_analysis: DiscriminantAnalysis
    svm_rbf: SvmRbf
    svm_poly: SvmPoly
    random_forest: RandomForest
    mlp: Mlp
    lightgbm: LightGbm
    grid: dict[Classifier, dict[str, Annotated[list, Field(min_length=1)]]]

    @model_validator(mode="after")
    def _check(self):
        require_distinct("models", self.models)
        for model, values in self.grid.items():
            settings = getattr(self, model)
            for key, choices in values.items():
                # not of the classifier alone, which is all that is tried
                if key in ("seeds", "components", "epochs", "patience") and hasattr(settings, key):
                    raise ValueError(
                        f"train_ml.grid.{model} has {key}, which it cannot try; set train_ml.{model}.{key}, or search "
                        "it with `make tune`"
                    )
                for choice in choices:  # every value of the grid must be one that the model itself would take
                    try:
                        type(settings).model_validate(settings.model_dump() | {key: choice})
                    except ValidationError as error:
                        what = "; ".join(describe(item) for item in error.errors())
                        raise ValueError(f"train_ml.grid.{model}: {what}") from None
        return self

    def of_model(self, name: str) -> "TrainMl":
        """Return what a model is fitted by and nothing else: what is not there, its fit cannot depend on."""
        grid = {name: self.grid[name]} if self.tune and name in self.grid else {}
        return TrainMl.model_construct(**{key: getattr(self, key) for key in (*SHARED, name)}, grid=grid)
