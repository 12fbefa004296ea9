"""Where a run keeps what later runs can use again: in the repository, also while DVC runs an experiment in a copy."""

from pathlib import Path

EXPERIMENTS = Path(".dvc/tmp/exps")  # where DVC runs experiments in copies of the repository


def kept_folder(folder: Path, place: Path) -> Path:
    """Return a folder of the repository for a run in `place`: that of the original where `place` is DVC's copy of it.

    Parameters
    ----------
    folder : Path
        Relative to the root of the repository.
    place : Path
        Absolute; the root of the repository or of a copy.
    """
    for original in place.parents:
        if (original / EXPERIMENTS) in place.parents:
            return original / folder
    return folder
