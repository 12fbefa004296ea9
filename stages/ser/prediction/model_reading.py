"""What a model reads of recordings, and of the copies of them that it answers by, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ser.prediction.clip_inputs import Heard, by_name, hear, model_inputs, with_copies
from ser.prediction.model_folder import normalized
from ser.prediction.speakers_to_predict import rows_together

if TYPE_CHECKING:
    from ser.prediction.model_folder import Opened

Recorded = Path | str | BinaryIO | np.ndarray


def hear_and_read(
    model: Opened, recording: Recorded, sampling_rate: int | None
) -> tuple[Heard, list[list[np.ndarray]]]:
    """Return what was heard; and of it, then of each of its copies, what each member of the model reads."""
    wanted = [member.description["input"] for member in model.members]
    heard = hear(recording, sampling_rate, wanted[0]["audio"])
    versions = with_copies(heard, model.description["copies"], wanted[0]["audio"]["sample_rate"])
    return heard, [model_inputs(version, wanted) for version in versions]


def kinds_of(model: Opened) -> list[str]:
    """Return what kind of input each member of a model reads."""
    return [member.description["input"]["kind"] for member in model.members]


def read_all(
    model: Opened, recordings: Sequence[Path | str | BinaryIO], speakers: Sequence[str] | None
) -> list[dict[str, np.ndarray]]:
    """Return what a model reads of files; see `ser.prediction.trained_model.TrainedModel.features_many`."""
    by_speaker, kinds = model.description["normalization"] == "speaker", kinds_of(model)
    found: dict[int, dict[str, np.ndarray]] = {}
    for rows in rows_together(recordings, speakers, by_speaker=by_speaker):
        clips = [hear_and_read(model, recordings[row], None)[1] for row in rows]
        if by_speaker:
            clips = normalized(clips, kinds)
        found |= {row: by_name(kinds, versions) for row, versions in zip(rows, clips, strict=True)}
    return [found[row] for row in range(len(recordings))]


def as_list(recordings: Iterable) -> list:
    """Return several recordings; `TypeError` of the path of a single one."""
    if isinstance(recordings, Path | str | bytes):
        raise TypeError(f"wanted are several recordings, such as [{str(recordings)!r}]")
    return list(recordings)
