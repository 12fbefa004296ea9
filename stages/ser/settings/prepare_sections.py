"""Sections ``raw``, ``prepare`` and ``demo``: which corpora there are, and how their audio is made clean."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ser.settings.params_file import Count, PathText, Positive, Section, Seed, require_distinct, require_increasing


def _as_text(value: object) -> object:
    """Return a label as text: YAML reads ``0`` as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_label(text: str) -> str:
    """Return a label in one Unicode form, or refuse what is none."""
    label = unicodedata.normalize("NFC", text).strip()
    if not label or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in label):
        raise ValueError(f"{text!r} is no label; allowed is any text of one line")
    return label


Label = Annotated[str, BeforeValidator(_as_text), AfterValidator(_as_label)]  # any word, of one's own in any language
Licence = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]*$")]
DemoEmotion = Literal["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]


class Raw(Section):
    path: PathText


class Manifest(Section):
    """What columns are called; an empty name is of a column that is not to be read."""

    path: Annotated[str, Field(min_length=1)]
    emotion: Annotated[str, Field(min_length=1)]
    speaker: str
    sex: str
    language: str
    statement: str
    intensity: str
    fold: str
    global_speaker: str
    age: str
    start: str
    end: str
    channel: str

    @model_validator(mode="after")
    def _check(self):
        require_distinct("the names of the columns", [name for name in self.model_dump().values() if name])
        return self


class Prepare(Section):
    corpora: Annotated[list[Annotated[str, Field(pattern=r"^[^/\\.][^/\\]*$")]], Field(min_length=1)]
    emotions: list[Label] | Literal["shared"]
    rename: dict[Label, Label]
    pattern: str | dict[str, str]
    manifest: Manifest
    speaker_ids: dict[str, Annotated[str, Field(pattern=r"^[^\s:\x00-\x1f][^:\x00-\x1f]*$")]]
    licences: dict[str, Licence]
    channels: Literal["mix", "each"] | Count
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

    def pattern_of(self, corpus: str) -> str:
        """Return how the files of a corpus are named, empty where it is to be found out."""
        return self.pattern if isinstance(self.pattern, str) else self.pattern.get(corpus, "")


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
