"""What the stage `overview` wrote, read once."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser.errors import InputError
from ser.reporting.reported_run import read_json, read_table


class Overview(NamedTuple):
    """A map of all clips, and how the most telling features are distributed.

    Attributes
    ----------
    places : pd.DataFrame
        ``clip, x, y`` in the order of the clips, from 0 to 1.
    neighbours : dict
        ``nearest`` (so many were looked at) and ``alike``: by label which share of them has it too (``nearest``), and
        which of all others (``others``).
    features : list of dict
        ``feature, explained, unit, meaning``, the most telling first.
    measured : int
        So many features they were chosen from.
    quantiles : pd.DataFrame
        ``feature, emotion, clips, p5, p25, median, p75, p95``.
    speakers : pd.DataFrame
        ``feature, emotion, speaker, clips, median``.
    """

    places: pd.DataFrame
    neighbours: dict
    features: list[dict]
    measured: int
    quantiles: pd.DataFrame
    speakers: pd.DataFrame


def read_overview(reports: Path, data: Path, clips: pd.DataFrame) -> Overview:
    """Read the files of the overview.

    Raises
    ------
    InputError
        If one is missing, or the map is of other clips.
    """
    folder = data / "overview"
    places = read_table(folder / "map.csv")
    if not places["clip"].equals(clips["clip"].reset_index(drop=True)):
        raise InputError(f"{folder / 'map.csv'} is of other clips than clips.csv: run `dvc repro overview`")
    chosen = read_json(folder / "features.json")
    return Overview(
        places=places,
        neighbours=read_json(folder / "neighbours.json"),
        features=chosen["features"],
        measured=chosen["of"],
        quantiles=read_table(reports / "telling_features.csv"),
        speakers=read_table(folder / "speakers.csv"),
    )
