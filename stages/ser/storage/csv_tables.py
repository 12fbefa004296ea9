"""Tables as CSV, the same bytes for the same values."""

from pathlib import Path

import pandas as pd

from ser.storage.whole_files import written

# for pandas.read_csv: only an empty cell is missing; a label or a speaker may be called NA, None or nan
EMPTY_IS_MISSING = {"keep_default_na": False, "na_values": [""]}


def write_csv(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV without its index, floats with 6 significant digits."""
    with written(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
