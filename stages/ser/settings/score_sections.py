"""Sections ``fuse`` and ``evaluate``: what becomes of the models' predictions."""

from typing import Annotated, Literal

from pydantic import Field

from ser.settings.params_file import Positive, Section


class Fuse(Section):
    method: Literal["mean", "weights", "stacking"]
    members: list[str]
    calibrate: bool
    powers: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]
    shrinkage: Annotated[float, Field(ge=0)]
    C: Positive


class Evaluate(Section):
    calibration_bins: Annotated[int, Field(ge=2)]
    confidence: Annotated[float, Field(ge=0.5, lt=1)]
