"""Section ``split``: who trains, validates and tests."""

from typing import Annotated, Literal

from pydantic import Field

from ser.settings.params_file import PathText, Section, Seed, Share


class Split(Section):
    scheme: Literal["holdout", "kfold", "loso", "cross_corpus", "predefined", "random"]
    folds: Annotated[int, Field(ge=2)]
    test_fraction: Share
    validation_fraction: Share
    predefined: PathText
    seed: Seed
