"""What the copies of data/augmented are for: to learn from, or to answer by."""

import numpy as np
import pandas as pd

from ser.errors import InputError
from ser.storage.shards import Ragged


def by_use(
    copies: pd.DataFrame, inputs: np.ndarray | Ragged, clips: pd.DataFrame
) -> tuple[pd.DataFrame, np.ndarray | Ragged, dict[str, np.ndarray | Ragged]]:
    """Return the copies to learn from with their inputs, and by recipe the inputs of those to answer by.

    The latter come last in the table, as stage augment writes them, all clips for each recipe.

    Raises
    ------
    InputError
        If they are of other clips.
    """
    if "use" not in copies:
        return copies, inputs, {}
    first, count = int((copies["use"] == "learning").sum()), len(clips)
    found = {}
    for start in range(first, len(copies), count):
        own = copies[start : start + count]
        if len(own) < count or (own["parent"].to_numpy() != clips["clip"].to_numpy()).any():
            raise InputError("data/augmented/clips.csv lists copies to answer by of other clips: run `dvc repro`")
        found[own["recipe"].iloc[0]] = _between(inputs, start, start + count)
    return copies[:first], _between(inputs, 0, first), found


def _between(inputs: np.ndarray | Ragged, start: int, stop: int) -> np.ndarray | Ragged:
    """Return rows of an input; of one that is mapped without reading them."""
    return inputs.select(np.arange(start, stop)) if isinstance(inputs, Ragged) else inputs[start:stop]
