"""No configuration of a person or a machine changes a byte of what a stage writes. Long: `make verify` runs it.

All stages run once plainly and once under a configuration that is as hostile as can be; FULL=1: under three.
"""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from conftest import FULL, SMALL, environment, set_params
from dvc_clone import clone
from hostile_configuration import LIBRARIES, MATPLOTLIBRC, THREADS, locales, own_home
from media_files import encoded
from ser.audio.cleaning import to_int16
from ser.demo.synthetic_speech import demo_table, synthesize

pytestmark = pytest.mark.verify
RATE = 16000
TINY = SMALL | {
    "prepare.corpora": ["demo", "mine"],
    "demo.speakers": 4,
    "demo.takes": 1,
    "compute.workers": 2,  # processes of their own read the configuration as well
    "train.importance_repeats": 1,
    "train_residual_keras.blocks": 1,
    "train_cnn.filters": [4],
}
NOT_WRITTEN_BY_STAGES = ("data/raw", "data/checkpoints", "data/protocols")


def repository(folder: Path) -> Path:
    """Make a clone with demo speech and a corpus of files whose names are not ASCII, one of them compressed."""
    folder = clone(folder)
    set_params(folder, TINY)
    (folder / "dvc.lock").unlink()  # of another corpus: DVC would read all of it again and again
    table = demo_table({"seed": 5, "speakers": 2, "emotions": SMALL["demo.emotions"], "sentences": 1, "takes": 2})
    for number, clip in enumerate(table.to_dict("records")):
        speaker = {"s01": "Ольга", "s02": "Zoë"}[clip["speaker"].removeprefix("demo:")]
        path = folder / "data/raw/mine" / clip["emotion"] / speaker / f"{number} Äußerung.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        y = synthesize(clip, 5, 44100 if number % 2 else RATE)
        soundfile.write(path, to_int16(y), 44100 if number % 2 else RATE)
        if not number:
            path.with_suffix(".m4a").write_bytes(encoded(y * np.float32(0.5), "mp4", "aac", sr=RATE))
    return folder


def results(folder: Path) -> dict[str, str]:
    """Return the MD5 of each file that a stage wrote."""
    files = [path for place in ("data", "reports") for path in (folder / place).rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    return {
        name: hashlib.md5(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not name.startswith(NOT_WRITTEN_BY_STAGES)
    }


def desktop(folder: Path, place: Path) -> tuple[dict[str, str | None], int]:
    (place / "matplotlibrc").write_text(MATPLOTLIBRC)  # Matplotlib reads the working folder's first
    home = own_home(folder)
    there = LIBRARIES | dict.fromkeys(THREADS, "3") | {"HOME": str(home), "PYTHONPATH": str(home / "python")}
    there |= {"TZ": "Pacific/Apia", "MPLBACKEND": "TkAgg", "PYTHONHASHSEED": "7", "COLUMNS": "40", "NO_COLOR": "1"}
    if made := locales(folder, tr_TR="UTF-8"):
        there |= {"LOCPATH": made, "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"}
    return there, 0o077


def server(folder: Path, place: Path) -> tuple[dict[str, str | None], int]:
    (folder / "rc").write_text(MATPLOTLIBRC)
    there = dict.fromkeys(THREADS, "1") | {"HOME": "/nonexistent", "MATPLOTLIBRC": str(folder / "rc"), "LC_ALL": "C"}
    return there | {"TZ": "UTC-14", "PYTHONIOENCODING": "ascii", "PYTHONOPTIMIZE": "2"}, 0o000


def old_workstation(folder: Path, place: Path) -> tuple[dict[str, str | None], int]:
    home = own_home(folder)
    there = dict.fromkeys(THREADS, "2") | {"HOME": None, "XDG_CONFIG_HOME": str(home / ".config")}
    there |= {"KERAS_HOME": str(home / ".keras"), "PYTHONUSERBASE": str(home / ".local"), "PYTHONHASHSEED": "0"}
    there |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "XDG_DATA_HOME": str(home / ".local/share")}
    if made := locales(folder, de_DE="ISO-8859-1"):
        there |= {"LOCPATH": made, "LC_ALL": "de_DE.ISO-8859-1"}
    return there, 0o027


def repro(folder: Path, changes: dict[str, str | None], umask: int) -> None:
    there = {name: value for name, value in (environment() | changes).items() if value is not None}
    run = subprocess.run(
        ["dvc", "repro"], cwd=folder, env=there, umask=umask, capture_output=True, text=True, errors="replace"
    )
    assert run.returncode == 0, run.stdout[-1000:] + run.stderr[-4000:]


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> dict[str, str]:
    folder = repository(tmp_path_factory.mktemp("plain") / "clone")
    repro(folder, dict.fromkeys([*LIBRARIES, *THREADS, "LC_ALL", "LANG", "TZ"]), 0o022)
    return results(folder)


@pytest.mark.parametrize("configuration", [desktop, server, old_workstation] if FULL else [desktop])
def test_no_configuration_changes_a_byte(plain, configuration, tmp_path):
    place = repository(tmp_path / "clone")
    repro(place, *configuration(tmp_path, place))
    found = results(place)
    assert sorted(found) == sorted(plain)
    assert [name for name in plain if found[name] != plain[name]] == []
