"""The format of a model's folder: a number in its model.json, and what becomes of a folder of another format."""

import shutil
from pathlib import Path

from ser.errors import InputError

# A change of what is stored, or of what it means, raises it. 5: F0, voicing and formants are measured in another way,
# and functionals may hold the recorded level; 6: an answer may be the mean over changed copies of a recording
FORMAT = 6

SEED = "seed_"  # begins the names of the folders in which the networks of a model of several seeds lie


def seed_folder(folder: Path, number: int) -> Path:
    """Return where the network of a number, counted from 1, lies in the folder of a model of several seeds."""
    return folder / f"{SEED}{number}"


def seed_folders(folder: Path) -> list[Path]:
    """Return where the networks of a model of several seeds lie, the first one first; of any other model nowhere."""
    found = [path for path in folder.glob(f"{SEED}*") if path.is_dir() and path.name.removeprefix(SEED).isdecimal()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(SEED)))


def remove_seed_folders(folder: Path) -> None:
    """Remove what `seed_folders` finds."""
    for place in seed_folders(folder):
        shutil.rmtree(place)


def check_format(found: object, folder: Path) -> None:
    """Raise `InputError` with the remedy unless this version reads folders of the format that is `found` in one."""
    if isinstance(found, int) and found > FORMAT:
        raise InputError(f"{folder} has format {found}, this version reads format {FORMAT}: update the package")
    if found != FORMAT:
        age = f"has format {found}" if isinstance(found, int) else "is older than the numbers of formats"
        raise InputError(f"{folder} {age}, this version reads format {FORMAT}: train the model again (`dvc repro`)")
