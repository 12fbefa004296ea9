"""The format of a model's folder: a number in its model.json, and what becomes of a folder of another format."""

from pathlib import Path

from ser.errors import InputError

FORMAT = 3  # a change of what is stored, or of what it means, raises it
OLDEST = 2  # which is still read; 1 did not say what a model learnt from


def check_format(found: object, folder: Path) -> None:
    """Raise `InputError` with the remedy unless this version reads folders of the format that is `found` in one."""
    if isinstance(found, int) and found > FORMAT:
        raise InputError(f"{folder} has format {found}, this version reads up to {FORMAT}: update the package")
    if not isinstance(found, int) or found < OLDEST:
        age = f"has format {found}" if isinstance(found, int) else "is older than the numbers of formats"
        raise InputError(f"{folder} {age}, this version reads from {OLDEST}: train the model again (`dvc repro`)")
