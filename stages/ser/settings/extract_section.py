"""Section ``extract``: what the models read of each clip."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.extract_choices import ABSENT_GROUPS, DescriptorGroup, FrameGroup
from ser.settings.params_file import Positive, Section, require_distinct


class Functionals(Section):
    set: Literal["mean", "compact", "full"]
    groups: Annotated[list[DescriptorGroup], Field(min_length=1)]
    n_mfcc: Annotated[int, Field(ge=2, le=128)]
    n_mels: Annotated[int, Field(ge=8, le=256)]
    deltas: Annotated[int, Field(ge=0, le=2)]
    pause_db: Positive

    @model_validator(mode="after")
    def _check(self):
        require_distinct("groups", self.groups)
        absent = ABSENT_GROUPS[self.set]
        if absent.issuperset(self.groups):
            raise ValueError(f"groups is {self.groups}; the set {self.set} has nothing of {', '.join(sorted(absent))}")
        return self


class Frames(Section):
    groups: Annotated[list[FrameGroup], Field(min_length=1)]
    n_mfcc: Annotated[int, Field(ge=2, le=128)]
    n_mels: Annotated[int, Field(ge=8, le=256)]
    deltas: Annotated[int, Field(ge=0, le=2)]

    @model_validator(mode="after")
    def _check(self):
        require_distinct("groups", self.groups)
        return self


class LogMel(Section):
    n_mels: Annotated[int, Field(ge=8, le=256)]


class Extract(Section):
    n_fft: Annotated[int, Field(ge=64, le=8192, multiple_of=2)]
    hop_length: Annotated[int, Field(ge=16, le=8192)]
    functionals: Functionals
    frames: Frames
    logmel: LogMel
