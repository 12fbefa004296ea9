"""Section ``split``: who trains, validates and tests."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import PathText, Section, Seed, Share


class Split(Section):
    scheme: Literal["holdout", "kfold", "loso", "cross_corpus", "predefined", "random"]
    folds: Annotated[int, Field(ge=2)]
    test_fraction: Share
    validation_fraction: Share
    labelled_speakers: Annotated[int, Field(ge=0)]
    labelled_clips: Annotated[int, Field(ge=2)]
    predefined: PathText
    seed: Seed

    @model_validator(mode="after")
    def _check(self):
        if self.labelled_speakers and self.scheme != "cross_corpus":
            raise ValueError(
                f"labelled_speakers is {self.labelled_speakers}, and scheme {self.scheme}: people of the tested corpus "
                "give labels in cross_corpus only; take 0"
            )
        if self.labelled_speakers == 1:
            raise ValueError("labelled_speakers is 1: 0, or at least 2, as each is left out once")
        return self
