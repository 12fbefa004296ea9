"""Tables of folds that somebody published or wrote: which fold tests which clip, or which speaker."""

import re
import unicodedata
from pathlib import Path

import pandas as pd

from ser.errors import InputError
from ser.storage.delimited_tables import BrokenTableError, column_place, read_table


def read_protocol(path: Path | str) -> pd.Series:
    """Read the folds of a protocol, a table with the columns ``fold`` and either ``clip`` or ``speaker``.

    Returns
    -------
    pd.Series of int
        By name, in NFC; the index is called ``clip`` or ``speaker``.

    Raises
    ------
    InputError
        If it is no such table, or a row does not put one name into one fold.
    """
    if not Path(path).is_file():
        raise InputError(f"split.predefined: {path} not found")
    try:
        header, rows = read_table(Path(path).read_bytes(), str(path), expected=("clip", "speaker", "fold"))
    except OSError as error:
        raise InputError(f"split.predefined: {path} cannot be read: {error.strerror}") from None
    except BrokenTableError as error:
        raise InputError(f"split.predefined: {error}") from None
    key = next((column for column in ("clip", "speaker") if column_place(header, column) is not None), None)
    if key is None or column_place(header, "fold") is None:
        raise InputError(f"split.predefined: {path} needs the columns fold and either clip or speaker")
    places = column_place(header, key), column_place(header, "fold")
    folds: dict[str, int] = {}
    for line, values, reason in rows:
        where = f"split.predefined: {path}, line {line}"
        if reason:
            raise InputError(f"{where}: {reason}")
        name, fold = (unicodedata.normalize("NFC", values[place].strip()) for place in places)
        if not name:  # not all clips of unknown speakers are meant
            raise InputError(f"{where} has a row without a {key}: name it or take the row away")
        if name in folds:
            raise InputError(f"{where} names {name} twice")
        if not re.fullmatch("[0-9]{1,6}", fold):
            raise InputError(f"{where}: the fold is {fold!r}, and folds are numbers from 0")
        folds[name] = int(fold)
    return pd.Series(folds, dtype=int).rename_axis(key)
