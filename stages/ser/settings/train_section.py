"""Section ``train``: what all trainers share."""

from typing import Annotated, Literal

from pydantic import Field

from ser.settings.params_file import Section, Seed


class Train(Section):
    seed: Seed
    normalization: Literal["train", "speaker"]
    logit_adjustment: Annotated[float, Field(ge=0)]
    importance_repeats: Annotated[int, Field(ge=0)]
