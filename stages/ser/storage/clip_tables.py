"""Reading the table of clips; its columns are documented in the README under "The tables"."""

import json
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.storage.recorded_level import LEVELS, RecordedLevel

NUMBERS = ("seconds", *LEVELS)


def read_clips(path: Path | str) -> pd.DataFrame:
    """Read a ``clips.csv``; what is unknown is an empty string, never NaN, and only `NUMBERS` are numbers.

    Raises
    ------
    InputError
        If the file is missing.
    """
    _require(path)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.assign(**{column: table[column].astype(float) for column in NUMBERS if column in table})


def recorded_levels(clips: pd.DataFrame) -> list[RecordedLevel]:
    """Return the level of each clip of a table.

    Raises
    ------
    InputError
        If the table does not tell it.
    """
    if missing := [name for name in LEVELS if name not in clips]:
        raise InputError(f"the table of clips lacks {', '.join(missing)}: run `dvc repro`")
    return [RecordedLevel(*row) for row in clips[[*LEVELS]].itertuples(index=False, name=None)]


def read_audio_settings(path: Path | str = "data/prepared/audio.json") -> dict:
    """Read the audio settings that the clips were prepared with; see `ser.audio.cleaning.AudioSettings`.

    Raises
    ------
    InputError
        If the file is missing.
    """
    _require(path)
    return json.loads(Path(path).read_text(encoding="utf-8"))


def speakers_in_words(speakers: pd.Series | int) -> str:
    """Say how many speakers there are: ``12 speakers``, ``1 speaker``, ``unknown speakers``.

    Parameters
    ----------
    speakers : pd.Series or int
        The speaker of each clip, empty where unknown; or how many are known.
    """
    known = speakers if isinstance(speakers, int) else count_speakers(speakers)
    if known == 0:
        return "unknown speakers"
    counted = f"{known:,} speaker{'s' * (known != 1)}"
    some_unknown = not isinstance(speakers, int) and (speakers == "").any()
    return f"{counted} and unknown ones" if some_unknown else counted


def count_speakers(speakers: pd.Series) -> int:
    """Count the known speakers of clips; those that are unknown (empty) may be any number."""
    return int(speakers[speakers != ""].nunique())


def _require(path: Path | str) -> None:
    if not Path(path).is_file():
        raise InputError(f"{path} not found: run `dvc repro`, or `dvc pull` if a remote holds it")
