"""Who speaks in files that are to be predicted: as a table says, else one speaker a folder."""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from ser.errors import InputError
from ser.storage.delimited_tables import column_place, read_table
from ser.storage.table_text import BrokenTableError

FEW_CLIPS = 10  # of a speaker: the mean of fewer is off by more than a third of a deviation


def speakers_of_files(files: list[Path], table: Path | None) -> list[str]:
    """Return the speaker of each file.

    Parameters
    ----------
    files : list of Path
    table : Path or None
        A table (see `ser.storage.delimited_tables`) with the columns ``file`` (absolute, or relative to the folder of
        the table) and ``speaker``. None: the folder of a file is its speaker.

    Raises
    ------
    InputError
        If the table cannot be read, or does not name one speaker for each file.
    """
    if table is None:
        return [str(file.parent) for file in files]
    named = values_by_file(table, "speaker", "--speakers")
    speakers = [named.get(_resolved(file), "") for file in files]
    unnamed = [file for file, speaker in zip(files, speakers, strict=True) if not speaker]
    if unnamed:
        raise InputError(
            f"--speakers {table} names no speaker for {len(unnamed)} files (first: {unnamed[0]}); file is absolute or "
            "relative to the folder of the table"
        )
    return speakers


def rows_together(recordings: Sequence, speakers: Sequence[str] | None, *, by_speaker: bool) -> Iterator[list[int]]:
    """Yield the places of recordings that are predicted together: each alone, or all of a speaker.

    Raises
    ------
    ValueError
        If there are more or fewer speakers than recordings.
    """
    if speakers is not None and len(speakers) != len(recordings):
        raise ValueError(f"{len(speakers)} speakers for {len(recordings)} recordings: one for each is wanted")
    if not by_speaker:
        yield from ([row] for row in range(len(recordings)))
        return
    if speakers is None:
        speakers = [str(Path(file).parent) if isinstance(file, Path | str) else "" for file in recordings]
    for speaker in dict.fromkeys(speakers):
        yield [row for row, name in enumerate(speakers) if name == speaker]


def values_by_file(table: Path, column: str, option: str) -> dict[str, str]:
    """Return what a table says of each file that it names, by its resolved path.

    Parameters
    ----------
    table : Path
        With the columns ``file`` (absolute, or relative to the folder of the table) and `column`.
    column : str
    option : str
        That names the table, for messages.

    Raises
    ------
    InputError
        If the table cannot be read, lacks a column, or says two things of one file.
    """
    try:
        header, rows = read_table(table.read_bytes(), str(table), expected=("file", column))
    except OSError as error:
        raise InputError(f"{option} {table} cannot be read: {error.strerror}") from None
    except BrokenTableError as error:
        raise InputError(f"{option} {error}") from None
    of_file, of_value = column_place(header, "file"), column_place(header, column)
    if of_file is None or of_value is None:
        raise InputError(f"{option} {table} needs the columns file and {column}")
    named: dict[str, str] = {}
    for line, values, reason in rows:
        if reason:
            raise InputError(f"{option} {table}, line {line}: {reason}")
        file, value = values[of_file].strip(), unicodedata.normalize("NFC", values[of_value].strip())
        if file and named.setdefault(path := _listed(file, table.parent), value) != value:
            raise InputError(f"{option} {table} names two {column}s for {path}")
    return named


def labels_of_files(files: list[Path], table: Path, emotions: Sequence[str]) -> dict[Path, str]:
    """Return the emotions that a table says of some of the files.

    Parameters
    ----------
    files : list of Path
    table : Path
        With the columns ``file`` and ``emotion``; rows without an emotion say nothing.
    emotions : sequence of str
        That a model knows.

    Raises
    ------
    InputError
        If it names another emotion, or a file that is not among these.
    """
    said = {file: emotion for file, emotion in values_by_file(table, "emotion", "--labels").items() if emotion}
    if other := sorted(set(said.values()) - set(emotions)):
        raise InputError(f"--labels {table} says {', '.join(other)}: the model knows {', '.join(emotions)}")
    found = {file: said.pop(path) for file in files if (path := _resolved(file)) in said}
    if said:
        raise InputError(f"--labels {table} names {min(said)}, which is none of the recordings")
    return found


def _listed(file: str, folder: Path) -> str:
    """Return the resolved path of a file as a table names it, by Windows with backslashes."""
    if "\\" in file and not (folder / file).exists():
        file = file.replace("\\", "/")
    return _resolved(folder / file)


def _resolved(file: Path) -> str:
    """Return the resolved path in NFC: what macOS writes decomposed, a table often names composed."""
    return unicodedata.normalize("NFC", str(file.resolve()))
