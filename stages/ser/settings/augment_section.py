"""Section ``augment``: which changed copies are made of each clip."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ser.settings.params_file import PathText, Positive, Section, Seed, require_distinct, require_increasing

Range = Annotated[list[float], Field(min_length=2, max_length=2)]
ANSWER = r"(speed|stretch|pitch) ([+-]?\d+(?:\.\d+)?)"  # as `ser.augmentation.answer_copies` reads it
Change = Literal["noise", "speed", "stretch", "pitch", "shift", "gain", "room", "telephone"]


class Augment(Section):
    copies: Annotated[int, Field(ge=0)]
    kinds: Annotated[list[Change], Field(min_length=1)]
    noise: Annotated[list[Literal["white", "pink", "folder"]], Field(min_length=1)]
    noise_folder: PathText
    snr_db: Range
    speed: Range
    stretch: Range
    semitones: Range
    shift_seconds: Positive
    gain_db: Range
    room_folder: PathText
    telephone_hz: Annotated[list[Positive], Field(min_length=2, max_length=2)]
    answers: Annotated[list[str], Field(max_length=8)]
    seed: Seed

    @model_validator(mode="after")
    def _check(self):
        require_distinct("kinds", self.kinds)
        require_distinct("noise", self.noise)
        for key in ("snr_db", "speed", "stretch", "semitones", "gain_db"):
            require_increasing(key, getattr(self, key))
        for key in ("speed", "stretch"):
            low, high = getattr(self, key)
            if low < 0.5 or high > 2.0:
                raise ValueError(f"{key} is {[low, high]}; allowed are factors from 0.5 to 2.0")
        low, high = self.telephone_hz
        if not low < high:
            raise ValueError(f"telephone_hz is {[low, high]}; allowed is a lower edge followed by a higher one")
        if self.semitones[0] < -12 or self.semitones[1] > 12:
            raise ValueError(f"semitones is {self.semitones}; allowed are -12 to 12")
        require_distinct("answers", [_answer_copy(text) for text in self.answers])
        return self


def _answer_copy(text: str) -> str:
    """Return a copy that answers are the mean of, alike texts as the same one; a ValueError where it is none."""
    found = re.fullmatch(ANSWER, text)
    if found is None:
        raise ValueError(f"answers has {text!r}; allowed are such as speed 0.92, stretch 1.1, pitch -1.5")
    kind, amount = found[1], float(found[2])
    low, high, none = (-12.0, 12.0, 0.0) if kind == "pitch" else (0.5, 2.0, 1.0)
    if not low <= amount <= high or amount == none:
        raise ValueError(f"answers has {text!r}; allowed are {low:g} to {high:g} but {none:g}, which changes nothing")
    return f"{kind} {amount:g}"
