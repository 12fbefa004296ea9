"""Recording in DVC where a file was downloaded from, without downloading it again."""

import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError
from ser.storage.whole_files import written


def dvc_root(folder: Path) -> Path | None:
    """Return the DVC repository that a folder lies in, or None."""
    folder = folder.resolve()
    return next((place for place in (folder, *folder.parents) if (place / ".dvc").is_dir()), None)


def record_import(file: Path, url: str) -> Path:
    """Make a downloaded file what ``dvc import-url`` makes of it; return the ``.dvc`` file, which belongs in git.

    `dvc import-url` itself downloads, and with ``--no-download`` it deletes what is there. So the few lines that it
    would write are written here, and ``dvc commit`` adds the checksums: it asks the server for the ETag only, moves
    the file to the cache and links it back. From then on ``dvc update`` notices a change of the published file.

    Raises
    ------
    InputError
        If DVC fails; the file stays.
    """
    recorded = file.with_name(f"{file.name}.dvc")
    if _is_recorded(recorded, url):
        return recorded
    before = recorded.read_text() if recorded.exists() else None
    stage = {"frozen": True, "deps": [{"path": url}], "outs": [{"path": file.name}]}
    with written(recorded) as temporary:
        YAML().dump(stage, temporary)
    run = _dvc("commit", "--force", recorded)
    if run.returncode:
        recorded.unlink() if before is None else recorded.write_text(before)
        said = [line for line in run.stderr.replace("\r", "\n").splitlines() if line.strip()]
        reason = said[-1].strip() if said else f"exit code {run.returncode}"
        raise InputError(f"{file} is there, but DVC could not record it: {reason}; run it again, or `dvc add {file}`")
    return recorded


def _is_recorded(recorded: Path, url: str) -> bool:
    """Tell whether the `.dvc` file names this address and DVC has the file as it lies there."""
    try:
        content = YAML(typ="safe", pure=True).load(recorded)
        complete = content["deps"][0]["path"] == url and "md5" in content["outs"][0]
    except (OSError, YAMLError, KeyError, IndexError, TypeError):
        return False
    return complete and _dvc("status", "--quiet", recorded).returncode == 0


def _dvc(command: str, option: str, recorded: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "dvc", command, option, recorded.name]
    return subprocess.run(command, cwd=recorded.parent, capture_output=True, text=True)
