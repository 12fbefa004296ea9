"""What several test modules share: small corpora, parameters and places to run the stages in."""

import contextlib
import gc
import io
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings
from ruamel.yaml import YAML
from xdist.scheduler import LoadFileScheduling

from ser.audio.cleaning import to_int16
from ser.commands.command_line import main
from ser.corpora import ravdess
from ser.demo.synthetic_speech import demo_table, synthesize

# Test processes that compile the same function of librosa at the same time overwrite each other's files in Numba's
# cache, and every later process that loads them crashes. So each has a cache of its own. (No stage imports librosa.)
NUMBA_CACHE = tempfile.TemporaryDirectory(prefix="ser-numba-")
os.environ["NUMBA_CACHE_DIR"] = NUMBA_CACHE.name
os.environ["NUMBA_OPT"] = "1"  # compiled for longer than it runs

FULL = bool(os.environ.get("FULL"))  # `make verify FULL=1`: the long checks at their full counts

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT.parent / "shared" / "corpora"

settings.register_profile("any machine", deadline=None)  # a busy one is slow, which is no fault of the code
settings.load_profile("any machine")

# Files of tests that run in the same process, as what they share is dear: librosa's functions are compiled in each
# process that calls them, TensorFlow is imported.
TOGETHER = {
    "librosa": (
        "test_extraction",
        "test_filter_banks",
        "test_pitch",
        "test_spectral",
        "test_synthetic_speech",
        "test_time_scale",
    ),
    "service": ("test_access", "test_clients", "test_live_streams", "test_requests", "test_server", "test_timelines"),
    "keras": ("test_cnn", "test_residual", "test_pipeline", "test_left_out"),
}

needs_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason=f"the real corpora are not in {CORPORA}")

SMALL = {
    "demo.speakers": 6,
    "demo.emotions": ["anger", "neutral", "sadness"],
    "demo.sentences": 2,
    "demo.takes": 2,
    "split.folds": 2,
    "augment.copies": 1,
    "train_ml.random_forest.n_estimators": 10,
    "train_ml.mlp.epochs": 5,
    "train_ml.lightgbm.n_estimators": 10,
    "train_lstm.hidden_size": 8,
    "train_lstm.epochs": 2,
    "train_residual_keras.units": 16,
    "train_residual_keras.epochs": 3,
    "train_cnn.filters": [4, 8],
    "train_cnn.epochs": 2,
    "compute.workers": 1,  # others would take longer to start than there is to do
}


GROUPS = {name: group for group, names in TOGETHER.items() for name in names}


class FilesTogether(LoadFileScheduling):
    """Give a process whole files, and those of a group to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        stem = Path(nodeid.split("::")[0]).stem
        return GROUPS.get(stem, stem)


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> FilesTogether:
    return FilesTogether(config, log)


def pytest_collection_finish() -> None:
    """Spare the garbage collector to go again and again through all that the test modules imported: it stays."""
    gc.freeze()


def set_params(folder: Path, changes: dict) -> None:
    """Change values of the params.yaml of a folder, by their dotted keys."""
    yaml = YAML(typ="safe", pure=True)
    content = yaml.load(folder / "params.yaml")
    for key, value in changes.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[name] = value
    yaml.dump(content, folder / "params.yaml")


def count_epochs(module, patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every epoch that the module trains from now on."""
    trained, train_epoch = [], module._train_epoch
    patch.setattr(module, "_train_epoch", lambda *given: trained.append(1) or train_epoch(*given))
    return trained


def stage_of(name: str) -> Path | None:
    """Return the script of a stage, from the root of the repository; None: it is a command's name."""
    stage = Path("stages") / f"{name}.py"
    return stage if (ROOT / stage).is_file() else None


def environment() -> dict[str, str]:
    """Return an environment with this Python's programs and this library; a stage's own folder comes before it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "stages")}


def run_script(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run a stage or a command in a folder, as DVC or a person does."""
    name, *arguments = command
    stage = stage_of(name)
    program = [str(stage)] if stage else ["-m", "ser.commands", name]
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=folder, env=environment(), capture_output=True, text=True
    )


def run_stage(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run a stage or a command in a folder, in this process: a new one would import libraries for longer than most run.

    For a single worker: joblib's processes would stay in the folder in which the first of them began.
    """
    name, *arguments = command
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        stage = stage_of(name)
        patch.setattr("sys.argv", [str(stage), *arguments] if stage else ["ser", name, *arguments])
        try:
            if stage:
                runpy.run_path(str(ROOT / stage), run_name="__main__")
            else:
                main()
        except SystemExit as stop:
            code = stop.code or 0
        except Exception:
            traceback.print_exc()
            code = 1
    forget_what_was_read()
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


def forget_what_was_read() -> None:
    """Empty the caches of the library: the next stage runs in another folder."""
    for name, module in list(sys.modules.items()):
        if name.startswith("ser."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def workplace(folder: Path, **changes) -> Path:
    """Make a folder in which stage scripts run, with small parameters; ``section__key`` changes one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stages").symlink_to(ROOT / "stages")
    (folder / "data" / "raw").mkdir(parents=True)
    shutil.copytree(ROOT / "data" / "protocols", folder / "data" / "protocols")
    shutil.copy(ROOT / "params.yaml", folder)
    set_params(folder, SMALL | {key.replace("__", "."): value for key, value in changes.items()})
    return folder


@pytest.fixture(scope="session")
def small_ravdess(tmp_path_factory) -> Path:
    """Demo speech under RAVDESS names: 4 actors, 3 emotions, 12 clips each; 48 kHz WAV. Returns the raw folder."""
    raw = tmp_path_factory.mktemp("raw")
    emotions = {"anger": "05", "neutral": "01", "sadness": "04"}
    assert all(ravdess.EMOTIONS[code] == emotion for emotion, code in emotions.items())
    table = demo_table({"seed": 3, "speakers": 4, "emotions": list(emotions), "sentences": 2, "takes": 2})
    for clip in table.to_dict("records"):
        actor = int(clip["speaker"].removeprefix("demo:s"))
        statement, take = "ab".index(clip["statement"]) + 1, int(clip["clip"][-1])
        name = f"03-01-{emotions[clip['emotion']]}-01-{statement:02d}-{take:02d}-{actor:02d}.wav"
        path = raw / "ravdess" / f"Actor_{actor:02d}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.repeat(to_int16(synthesize(clip, 3, 16000)), 3), 48000)
    return raw


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder with a small model, svm_rbf, that the tests of the service use, and speech of one speaker in clips/."""
    folder = workplace(tmp_path_factory.mktemp("trained") / "work", train_ml__models=["svm_rbf"])
    steps = ("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml")
    for command in (*steps, "demo clips --speakers 1"):
        run = run_stage(folder, *command.split())
        assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="session")
def clips(trained) -> list[Path]:
    """The recordings of an utterance in clips/."""
    return sorted((trained / "clips").rglob("*.wav"))


@pytest.fixture(scope="session")
def compressed(clips) -> bytes:
    """One of them as a messenger writes it."""
    from media_files import encoded

    samples, rate = soundfile.read(clips[0], dtype="float32")
    return encoded(np.repeat(samples, 48000 // rate), "ogg", "libopus", sr=48000)


@pytest.fixture(scope="module")
def service(trained, tmp_path_factory):
    """A service of that model, that loses patience after a second, and takes a megabyte."""
    from running_service import running

    with running(trained, tmp_path_factory.mktemp("service"), "--patience", "1", "--megabytes", "1") as found:
        yield found


def stop_after(epochs: int, train_epoch):
    """Return a function that trains so many epochs and is then interrupted."""
    done = []

    def stopped(*arguments):
        if len(done) == epochs:
            raise KeyboardInterrupt
        done.append(1)
        return train_epoch(*arguments)

    return stopped
