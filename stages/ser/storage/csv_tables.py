"""Tables as CSV, the same bytes for the same values."""

from pathlib import Path

import pandas as pd

from ser.storage.whole_files import written


def write_csv(table: pd.DataFrame, path: Path | str) -> None:
    """Write a table as CSV without its index, floats with 6 significant digits."""
    with written(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g", lineterminator="\n")
