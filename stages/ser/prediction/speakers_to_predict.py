"""Who speaks in files that are to be predicted: as a table says, else one speaker a folder."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

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
        with table.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, strict=True)
            if not rows.fieldnames:
                raise csv.Error("it is empty")
            if not {"file", "speaker"} <= set(rows.fieldnames):
                raise InputError(f"--speakers {table} needs the columns file and speaker")
            named = _one_each(((row["file"], row["speaker"] or "") for row in rows if row["file"]), table)
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"--speakers {table}: no CSV table that can be read ({error})") from None
    speakers = [named.get(file.resolve(), "") for file in files]
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


def _one_each(rows: Iterable[tuple[str, str]], table: Path) -> dict[Path, str]:
    """Return the speaker of each file that the table names; `InputError` if it names two."""
    named: dict[Path, str] = {}
    for file, speaker in rows:
        path = (table.parent / file).resolve()
        if named.setdefault(path, speaker) != speaker:
            raise InputError(f"--speakers {table} names two speakers for {path}")
    return named
