"""Section ``train``: what all trainers share."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import Section, Seed


class Train(Section):
    seed: Seed
    normalization: Literal["train", "speaker"]
    adapt: Literal["none", "recordings", "labels"]
    logit_adjustment: Annotated[float, Field(ge=0)]
    importance_repeats: Annotated[int, Field(ge=0)]
    refit: bool
    inner_models: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _check(self):
        if self.inner_models > 1 and not self.refit:
            raise ValueError(f"inner_models is {self.inner_models}, and refit false: several need train.refit true")
        if self.adapt != "none" and self.normalization == "speaker":
            raise ValueError(
                f"adapt is {self.adapt}, and normalization speaker, which leaves nothing to adapt: take one"
            )
        return self

    @property
    def protocol(self) -> str:
        """What scores are never compared across: by whose statistics inputs are normalised."""
        return self.normalization if self.adapt == "none" else f"adapted by {self.adapt}"
