"""The most telling features on the page: how each is distributed by emotion, with the medians of the speakers."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from ser.reporting.html_tables import decimal
from ser.reporting.overview_files import Overview

WIDTH = 1000  # of a strip, in its own units
LANES = 3  # rows of dots, so that fewer lie on each other
MOST_SPEAKERS = 300  # with dots of their own: more are a smear, and a page of some MB
TICKS = 4  # at most


class Strip(NamedTuple):
    """One emotion's part of a panel: places are on the axis from 0 to `WIDTH`, ``voices`` is the ``d`` of a path."""

    emotion: str
    low: float
    lower: float
    median: float
    upper: float
    high: float
    voices: str
    words: str


class Panel(NamedTuple):
    """One feature: ``ticks`` are places in percent and their texts."""

    feature: str
    unit: str
    meaning: str
    explained: float
    strips: list[Strip]
    ticks: list[tuple[float, str]]


def feature_panels(overview: Overview) -> list[Panel]:
    """Return a panel a feature, the most telling first."""
    speakers = shown_speakers(overview)
    return [_panel(about, overview, speakers) for about in overview.features]


def shown_speakers(overview: Overview) -> list[str]:
    """Return the speakers that have dots, sorted; of more than `MOST_SPEAKERS` every so-manieth."""
    speakers = sorted(overview.speakers["speaker"].unique())
    return speakers[:: math.ceil(len(speakers) / MOST_SPEAKERS)] if speakers else []


def _panel(about: dict, overview: Overview, speakers: list[str]) -> Panel:
    rows = overview.quantiles[overview.quantiles["feature"] == about["feature"]]
    medians = overview.speakers[overview.speakers["feature"] == about["feature"]]
    medians = medians.pivot_table(index="emotion", columns="speaker", values="median").reindex(columns=speakers)
    low, high, ticks = axis(
        np.nanmin([rows["p5"].min(), *medians.min()]), np.nanmax([rows["p95"].max(), *medians.max()])
    )
    strips = [_strip(row, medians, low, high, about["unit"]) for row in rows.to_dict("records")]
    places = [(100 * (value - low) / (high - low), text) for value, text in ticks]
    return Panel(about["feature"], about["unit"], about["meaning"], about["explained"], strips, places)


def _strip(row: dict, medians: pd.DataFrame, low: float, high: float, unit: str) -> Strip:
    def at(value: float) -> float:
        return round(WIDTH * (value - low) / (high - low), 1)

    own = medians.loc[row["emotion"]] if row["emotion"] in medians.index else pd.Series(dtype=float)
    # each speaker has a place in the path, by which the page finds theirs; nothing is drawn of "M0 0" alone
    dots = [
        "M0 0" if math.isnan(value) else f"M{at(value):.0f} {14 + 4 * (number % LANES)}h0"
        for number, value in enumerate(own)
    ]
    digits = max(0, 2 - math.floor(math.log10(high - low)))
    median, lower, upper = (decimal(row[name], digits) for name in ("median", "p25", "p75"))
    words = f"{row['emotion']}: median {median} {unit}".strip() + f", half of the clips from {lower} to {upper}"
    return Strip(
        row["emotion"], *(at(row[name]) for name in ("p5", "p25", "median", "p75", "p95")), "".join(dots), words
    )


def axis(low: float, high: float) -> tuple[float, float, list[tuple[float, str]]]:
    """Return the ends of an axis that holds all values between two, and its ticks: round values with their texts."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    margin = 0.03 * (high - low)
    low, high = low - margin, high + margin
    power = 10.0 ** math.floor(math.log10((high - low) / TICKS))
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= TICKS)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    values = [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return low, high, [(value, decimal(value, digits)) for value in values]
