"""Who speaks in files that are to be predicted: as a table says, else one speaker a folder."""

from pathlib import Path

import pandas as pd

from ser.errors import InputError

FEW_CLIPS = 10  # of a speaker: the mean of fewer is off by more than a third of a deviation


def speakers_of_files(files: list[Path], table: Path | None) -> list[str]:
    """Return the speaker of each file.

    Parameters
    ----------
    files : list of Path
    table : Path or None
        A CSV with the columns ``file`` (absolute, or relative to the folder of the table) and ``speaker``. None: the
        folder of a file is its speaker.

    Raises
    ------
    InputError
        If the table cannot be read, or does not name one speaker for each file.
    """
    if table is None:
        return [str(file.parent) for file in files]
    try:
        rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"--speakers {table}: no CSV table that can be read ({error})") from None
    if not {"file", "speaker"} <= set(rows.columns):
        raise InputError(f"--speakers {table} needs the columns file and speaker")
    named = pd.Series(rows["speaker"].to_numpy(), index=[(table.parent / file).resolve() for file in rows["file"]])
    named = named[~pd.DataFrame({"file": named.index, "speaker": named.to_numpy()}).duplicated().to_numpy()]
    if named.index.has_duplicates:
        raise InputError(f"--speakers {table} names two speakers for {named.index[named.index.duplicated()][0]}")
    speakers = named.reindex([file.resolve() for file in files]).fillna("")
    unnamed = [file for file, speaker in zip(files, speakers, strict=True) if not speaker]
    if unnamed:
        raise InputError(
            f"--speakers {table} names no speaker for {len(unnamed)} files (first: {unnamed[0]}); file is absolute or "
            "relative to the folder of the table"
        )
    return list(speakers)
