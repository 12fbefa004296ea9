"""Recording in DVC where files were downloaded from, without downloading them again."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError
from ser.storage.whole_files import write_text, written


def dvc_root(folder: Path) -> Path | None:
    """Return the DVC repository that a folder lies in, or None."""
    folder = folder.resolve()
    return next((place for place in (folder, *folder.parents) if (place / ".dvc").is_dir()), None)


def record_imports(files: Sequence[tuple[str, Path]]) -> list[Path]:
    """Make downloaded files what ``dvc import-url`` makes of them; return their ``.dvc`` files, which belong in git.

    `dvc import-url` itself downloads, and with ``--no-download`` it deletes what is there. So the few lines that it
    would write are written here, and ``dvc commit`` adds the checksums: it asks the server for the ETag only, moves
    the file to the cache and links it back. From then on ``dvc update`` notices a change of the published file.

    Parameters
    ----------
    files : sequence of (str, Path)
        The address of each file, and where it lies: all in the same folder.

    Raises
    ------
    InputError
        If DVC fails; the files stay.
    """
    recorded = [_dvc_file(file) for _, file in files]
    named = all(_names_address(_dvc_file(file), url) for url, file in files)
    if named and _dvc("status", "--quiet", recorded).returncode == 0:
        return recorded
    before = {path: path.read_text() if path.exists() else None for path in recorded}
    for url, file in files:
        stage = {"frozen": True, "deps": [{"path": url}], "outs": [{"path": file.name}]}
        with written(_dvc_file(file)) as temporary:
            YAML().dump(stage, temporary)
    run = _dvc("commit", "--force", recorded)
    if run.returncode:
        for path, text in before.items():
            path.unlink() if text is None else write_text(text, path)
        said = [line for line in run.stderr.replace("\r", "\n").splitlines() if line.strip()]
        reason = said[-1].strip() if said else f"exit code {run.returncode}"
        there = ", ".join(str(file) for _, file in files)
        raise InputError(f"{there}: downloaded, but DVC could not record it: {reason}; run it again, or `dvc add` it")
    return recorded


def _dvc_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.dvc")


def _names_address(recorded: Path, url: str) -> bool:
    """Tell whether the `.dvc` file names this address and a checksum."""
    try:
        content = YAML(typ="safe", pure=True).load(recorded)
        return content["deps"][0]["path"] == url and "md5" in content["outs"][0]
    except (OSError, YAMLError, KeyError, IndexError, TypeError):
        return False


def _dvc(command: str, option: str, recorded: Sequence[Path]) -> subprocess.CompletedProcess:
    names = [path.name for path in recorded]
    return subprocess.run(
        [sys.executable, "-m", "dvc", command, option, *names],
        cwd=recorded[0].parent,
        capture_output=True,
        text=True,
    )
