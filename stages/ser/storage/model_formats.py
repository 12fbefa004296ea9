"""The format of a model's folder: a number in its model.json, and what becomes of a folder of another format."""

from pathlib import Path

from ser.errors import InputError

# A change of what is stored, or of what it means, raises it. 5: F0, voicing and formants are measured in another way,
# and functionals may hold the recorded level
FORMAT = 5


def check_format(found: object, folder: Path) -> None:
    """Raise `InputError` with the remedy unless this version reads folders of the format that is `found` in one."""
    if isinstance(found, int) and found > FORMAT:
        raise InputError(f"{folder} has format {found}, this version reads format {FORMAT}: update the package")
    if found != FORMAT:
        age = f"has format {found}" if isinstance(found, int) else "is older than the numbers of formats"
        raise InputError(f"{folder} {age}, this version reads format {FORMAT}: train the model again (`dvc repro`)")
