"""Sections ``tune`` and ``collect``: what only commands read, no stage."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from ser.settings.params_file import Count, PathText, Positive, Section, Seed, require_distinct


class SearchRange(Section):
    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _check(self):
        if not self.low < self.high:
            raise ValueError(f"low is {self.low}, high is {self.high}; allowed is a lower value below an upper one")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}; allowed with log: true are values above 0")
        return self


def _listed(entry):
    return [entry] if isinstance(entry, str) else entry


class Tune(Section):
    model: Annotated[str, Field(min_length=1)]
    trials: Count
    seed: Seed
    overrides: list[Annotated[list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed)]]
    halving: Annotated[int, Field(ge=2)] | None
    hours: Positive | None
    space: Annotated[dict[str, Annotated[list, Field(min_length=1)] | SearchRange], Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self):
        require_distinct("overrides", [" ".join(entry) for entry in self.overrides])
        if self.halving is not None and len(self.overrides) < 2:
            raise ValueError(
                f"halving is {self.halving}, overrides is {self.overrides}; allowed with fewer than two of these is "
                "null: trials are stopped between one and the next"
            )
        return self


class Collect(Section):
    sources: PathText
    name: Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*$")]
    min_seconds: Annotated[float, Field(ge=0.1)]
    max_seconds: Annotated[float, Field(le=60)]
    pause: Annotated[float, Field(ge=0.05)]
    threshold: Annotated[float, Field(ge=0.2, lt=1)]
    padding: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _check(self):
        if self.max_seconds < 2 * self.min_seconds:  # or the parts of what is split might be too short
            raise ValueError(f"max_seconds is {self.max_seconds}; allowed is at least twice min_seconds")
        if self.min_seconds + 4 * self.padding > self.max_seconds:
            raise ValueError(f"padding is {self.padding}; allowed is at most a quarter of max_seconds - min_seconds")
        return self
