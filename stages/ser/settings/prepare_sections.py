"""Sections ``raw``, ``prepare`` and ``demo``: which corpora there are, and how their audio is made clean."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import Count, Positive, Section, Seed, require_distinct, require_increasing

Emotion = Literal["anger", "boredom", "calm", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
DemoEmotion = Literal["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]


class Raw(Section):
    path: Annotated[str, Field(min_length=1)]


class Manifest(Section):
    path: Annotated[str, Field(min_length=1)]
    emotion: Annotated[str, Field(min_length=1)]
    speaker: Annotated[str, Field(min_length=1)]
    sex: Annotated[str, Field(min_length=1)]
    language: Annotated[str, Field(min_length=1)]
    statement: Annotated[str, Field(min_length=1)]
    intensity: Annotated[str, Field(min_length=1)]
    fold: Annotated[str, Field(min_length=1)]
    global_speaker: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self):
        require_distinct("the names of the columns", list(self.model_dump().values()))
        return self


class Prepare(Section):
    corpora: Annotated[list[Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*$")]], Field(min_length=1)]
    emotions: list[Emotion] | Literal["shared"]
    rename: dict[Emotion, Emotion]
    manifest: Manifest
    speaker_ids: dict[str, Annotated[str, Field(pattern=r"^[^\s:\x00-\x1f][^:\x00-\x1f]*$")]]
    sample_rate: Annotated[int, Field(ge=8000, le=48000)]
    remove_dc: bool
    denoise_db: Positive | None
    trim_db: Positive | None
    normalize: Literal["peak", "rms", "loudness", "none"]
    peak_db: Annotated[float, Field(le=0)]
    rms_db: Annotated[float, Field(le=0)]
    loudness_lufs: Annotated[float, Field(ge=-70, le=0)]
    fixed_samples: Count | None
    min_seconds: Annotated[float, Field(ge=0.05)]
    max_seconds: Positive
    seed: Seed

    @model_validator(mode="after")
    def _check(self):
        require_distinct("corpora", self.corpora)
        if self.emotions != "shared":
            require_distinct("emotions", self.emotions)
        require_increasing("min_seconds, max_seconds", [self.min_seconds, self.max_seconds])
        return self


class Demo(Section):
    seed: Seed
    speakers: Annotated[int, Field(ge=2)]
    emotions: Annotated[list[DemoEmotion], Field(min_length=2)]
    sentences: Annotated[int, Field(ge=1, le=8)]
    takes: Count

    @model_validator(mode="after")
    def _check(self):
        require_distinct("emotions", self.emotions)
        return self
