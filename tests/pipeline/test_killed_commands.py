"""A command killed anywhere and run again has written what an undisturbed one writes, and never half a file.

Each command that writes is killed once; with FULL=1 five times. Long: `make verify` runs it.
"""

import hashlib
import io
import shutil
import signal
import sys
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from conftest import FULL, ROOT, needs_corpora, run_stage, workplace
from file_server import serving
from killed_processes import Kill, drawn, events, ser, start, was_killed
from speech_samples import speech
from tiny_encoders import TINY
from toy_repository import experiments, init_dvc, run, toy_repository

sys.path += [str(ROOT / "tests/review"), str(ROOT / "tests/experiments")]
from test_report_pull_request import make_project
from test_run_ablation import ablation_repository

pytestmark = pytest.mark.verify

# a command as it is, with something else known of what it fetches: where the test serves it
SCRIPT = """
import sys
from ser.commands.command_line import main
{known}
sys.argv = ["ser", *sys.argv[1:]]
main()
"""
WAIT = 120  # s that an experiment, which outlives its killed search, may take


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A repository with two trained models, two folders of speech, an encoder and a packed runtime."""
    folder = workplace(tmp_path_factory.mktemp("place") / "work", train_ml__models=["svm_rbf"], train_lstm__epochs=2)
    (folder / "stages").unlink()  # features and corpora say what the library says
    (folder / "stages").symlink_to(ROOT / "stages")
    for command in (
        *("prepare", "split", "augment", "extract prepared", "extract augmented", "train_ml", "train_cnn"),
        *("demo clips --speakers 2", "demo other --speakers 1"),
    ):
        done = run_stage(folder, *command.split())
        assert done.returncode == 0, done.stderr
    shutil.copy(ROOT / ".gitignore", folder)
    shutil.copy(ROOT / "dvc.yaml", folder)
    transformers = pytest.importorskip("transformers")
    transformers.WavLMModel(transformers.WavLMConfig(**TINY)).save_pretrained(folder / "encoder")
    transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder / "encoder")
    (folder / "docs").mkdir()
    run(folder, "git", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start")
    return folder


def contents(folder: Path, outputs: tuple[str, ...]) -> dict[str, str]:
    """Return the MD5 of every file of some outputs, and whatever hides beside them."""
    found = {}
    for output in outputs:
        place = folder / output
        places = [place, *(each for each in place.parent.glob(".tmp-*") if place.name in each.name)]
        for path in [*places, *(below for each in places for below in each.rglob("*"))]:
            if path.is_file():
                found[str(path.relative_to(folder))] = hashlib.md5(path.read_bytes()).hexdigest()
    return found


def check_kills(
    name: str,
    folder: Path,
    command: list[str],
    outputs: tuple[str, ...],
    log: Path,
    *,
    older: Callable[[], None] = lambda: None,
    whole: Callable[[Path], bool] | None = None,
    extra: tuple[Kill, ...] = (),
) -> None:
    """Run a command undisturbed, kill it at drawn moments, run it again, and compare.

    Parameters
    ----------
    name : str
        Seeds the moments.
    folder, command, outputs
        Where it runs, what runs, and what it writes, from there.
    older : callable
        Writes what an earlier run has left: each file must then be the old, the new, or none.
    whole : callable, optional
        Says whether outputs of several files look finished: they must then all be old or all new.
    extra : tuple of Kill
        Besides the moments that are drawn.
    """

    def afresh() -> dict[str, str]:
        for output in outputs:
            shutil.rmtree(folder / output) if (folder / output).is_dir() else (folder / output).unlink(missing_ok=True)
        older()
        return contents(folder, outputs)

    before = afresh()
    assert start(command, folder, log).wait() == 0, Path(f"{log}.printed").read_text()[-2000:]
    after, count = contents(folder, outputs), len(events(log, "stage"))
    assert after and not any(".tmp-" in path for path in after)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    for kill in [*(drawn(rng, "stage", count) for _ in range(5 - len(extra) if FULL else 1)), *(extra if FULL else ())]:
        afresh()
        start(command, folder, log, kill).wait()
        while not was_killed(log):  # git and DVC do not always write as often
            kill = kill._replace(at=max(kill.at * 3 // 4, 1))
            afresh()
            start(command, folder, log, kill).wait()
        print(f"killed {name}: {kill}")
        left = {path: digest for path, digest in contents(folder, outputs).items() if "/.tmp-" not in f"/{path}"}
        half = [path for path, digest in left.items() if digest not in (before.get(path), after.get(path))]
        assert not half, (kill, half)
        if whole and whole(folder):
            assert left in (before, after), kill
        assert start(command, folder, log).wait() == 0, (kill, Path(f"{log}.printed").read_text()[-2000:])
        assert contents(folder, outputs) == after, kill


COMMANDS = {
    "predict": (["predict", "clips", "--model", "svm_rbf", "--output", "out/p.csv"], ("out/p.csv",)),
    "timeline": (
        ["timeline", "clips/demo/s00-anger-0-0.wav", "--model", "svm_rbf"]
        + [f"--output=out/t{suffix}" for suffix in (".json", ".csv", ".eaf", ".png")],
        ("out/t.json", "out/t.csv", "out/t.eaf", "out/t.png"),
    ),
    "show": (["show", "clips/x.wav", "--model", "svm_rbf", "--output", "out/s.html"], ("out/s.html",)),
    "export": (["export", "svm_rbf", "--output", "out/m.onnx"], ("out/m.onnx",)),
    "demo": (["demo", "out/demo", "--speakers", "1"], ("out/demo",)),
    "audit": (["audit", "clips", "--output", "out/audit"], ("out/audit",)),
    "override": (["override", "train_lstm.epochs=7"], ("params.yaml",)),
    "features": (["features", "--write"], ("docs/features.md",)),
    "corpora": (["corpora", "--write"], ("docs/corpora.md",)),
    "checkpoint": (["checkpoint", "encoder", "out/encoder"], ("out/encoder",)),
}
OLDER = {
    "predict": ["predict", "other", "--model", "svm_rbf", "--output", "out/p.csv"],
    "audit": ["audit", "other", "--output", "out/audit"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_has_written_whole_files_or_none(place, name, tmp_path):
    arguments, outputs = COMMANDS[name]
    if name in ("timeline", "show"):
        arguments = [arguments[0], str(next((place / "clips").rglob("*.wav"))), *arguments[2:]]
    kept = {}

    def older() -> None:
        if name == "override":
            run(place, "git", "checkout", "-q", "params.yaml")
        elif name in OLDER and not kept:
            assert run_stage(place, *OLDER[name]).returncode == 0
            for output in outputs:
                source = place / output
                kept[output] = tmp_path / source.name
                (shutil.copytree if source.is_dir() else shutil.copyfile)(source, kept[output])
        for output, source in kept.items():
            shutil.rmtree(place / output, ignore_errors=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, place / output)

    check_kills(name, place, ser(*arguments), outputs, tmp_path / "log", older=older)
    run(place, "git", "checkout", "-q", "params.yaml")


def test_a_killed_export_for_audonnx_is_no_mix_of_two_models(place, tmp_path):
    def older() -> None:
        assert run_stage(place, "export", "cnn", "--audonnx", "out/audonnx").returncode == 0

    check_kills(
        "export --audonnx",
        place,
        ser("export", "svm_rbf", "--audonnx", "out/audonnx"),
        ("out/audonnx",),
        tmp_path / "log",
        older=older,
        whole=lambda folder: (folder / "out/audonnx/model.yaml").exists(),
    )


@pytest.fixture(scope="module")
def runtime(place) -> str:
    """A packed runtime with the names of the real one."""
    from ser.serving.static_page import RUNTIME_FILES

    path = place / "runtime.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in RUNTIME_FILES:
            member = tarfile.TarInfo(name)
            member.size = 5000
            archive.addfile(member, io.BytesIO(b"x" * 5000))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = f"from ser.serving import static_page\nstatic_page.RUNTIME_SHA256 = {digest!r}"
    (place / "script.py").write_text(SCRIPT.format(known=known))
    return str(path)


def test_a_killed_static_page_is_no_mix_of_two_models(place, runtime, tmp_path):
    page = ["script.py", "serve", "--static", "out/page", "--runtime", runtime, "--model"]
    other = place / "older_model"
    if not other.exists():
        shutil.copytree(place / "data/models/train_cnn/cnn/fold_1", other)

    def older() -> None:
        run(place, sys.executable, *page, str(other))

    check_kills(
        "serve --static",
        place,
        [sys.executable, *page, "cnn"],
        ("out/page",),
        tmp_path / "log",
        older=older,
        whole=lambda folder: (folder / "out/page/index.html").exists(),
    )


def test_a_killed_report_on_a_pull_request(tmp_path):
    (tmp_path / "project").mkdir()
    folder = make_project(tmp_path / "project")
    outputs = ("reports/pr.md", "reports/pr")
    check_kills("pr-report", folder, ser("pr-report", "--base", "main"), outputs, tmp_path / "log")


def test_a_killed_download_of_a_corpus(place, tmp_path):
    folder = workplace(tmp_path / "repository")
    shutil.copy(ROOT / ".gitignore", folder)
    run(folder, "git", "init", "-q")
    init_dvc(folder)
    packed, rng = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(packed, "w") as archive:
        for actor in range(1, 5):
            clip = io.BytesIO()
            soundfile.write(clip, rng.uniform(-1, 1, 48000), 48000, format="WAV")
            archive.writestr(f"Actor_{actor:02d}/03-01-05-01-01-01-{actor:02d}.wav", clip.getvalue())
    content = packed.getvalue()
    with serving(files={"/Speech.zip": content}) as server:
        stated = f"size={len(content)}, md5={hashlib.md5(content).hexdigest()!r}"
        known = (
            "from ser.corpora import ravdess\nfrom ser.corpora.corpus_facts import Download\n"
            f"one = Download({server.url('/Speech.zip')!r}, 'Speech.zip', {stated})\n"
            "ravdess.ABOUT = ravdess.ABOUT._replace(downloads=(one,))"
        )
        (folder / "script.py").write_text(SCRIPT.format(known=known))
        check_kills(
            "corpus",
            folder,
            [sys.executable, "script.py", "corpus", "ravdess"],
            ("data/raw/ravdess.zip", "data/raw/ravdess.zip.dvc"),
            tmp_path / "log",
        )


@needs_corpora
def test_a_killed_collection(tmp_path):
    y, sr = speech("ravdess")
    folder = workplace(tmp_path / "place")
    clip = io.BytesIO()
    soundfile.write(clip, np.concatenate([np.zeros(sr), y, np.zeros(2 * sr), y]), sr, format="WAV")
    with serving(files={"/a.wav": clip.getvalue(), "/b.wav": clip.getvalue()}) as server:
        rows = [f"{server.url(f'/{name}.wav')},fear,s1,,,CC0" for name in "ab"]
        (folder / "data/sources.csv").write_text("\n".join(["url,emotion,speaker,start,end,licence", *rows, ""]))
        outputs = ("data/raw/collected", "reports/data/collect.csv")
        check_kills("collect", folder, ser("collect"), outputs, tmp_path / "log")


# --- experiments


@pytest.fixture(scope="module")
def toy(tmp_path_factory) -> Path:
    """A repository whose stages take no time, with an ablation."""
    return ablation_repository(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    return toy_repository(tmp_path_factory.mktemp("searched"), tune__trials=2)


def finished_experiments(folder: Path) -> dict[str, str]:
    """Return what came of every experiment, by its name."""
    found = {}
    for line in run(folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps").splitlines():
        name = line.rpartition("/")[2]
        if name.startswith(("tune-", "ablation-")):
            found[name] = run(folder, "git", "rev-parse", f"{line}:params.yaml", f"{line}:dvc.lock")
    return found


def orphans(folder: Path) -> Iterator[int]:
    """Yield the processes that still run in a folder or in DVC's copies of it."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder.resolve() in [(process / "cwd").resolve(), *(process / "cwd").resolve().parents]:
                yield int(process.name)
        except (OSError, ValueError):
            continue


def until_done(folder: Path, command: list[str], log: Path) -> int:
    """Run a command again until nothing of a killed run is in its way; return how often it was refused."""
    end, refused = time.monotonic() + WAIT, 0
    while start(command, folder, log).wait():
        printed = Path(f"{log}.printed").read_text()
        if "uncommitted changes" in printed:  # DVC was killed: it changes the workspace as it begins an experiment
            assert "`git restore --staged --worktree . && dvc checkout`" in printed
            run(folder, "git", "restore", "--staged", "--worktree", ".")
            run(folder, "dvc", "checkout")
        else:
            assert "another" in printed and time.monotonic() < end, printed[-3000:]
        refused += 1
        time.sleep(1)
    return refused


@pytest.mark.parametrize("name", ["tune", "ablation"])
def test_killed_experiments_end_as_undisturbed_ones(name, toy, searched, tmp_path):
    source = {"tune": searched, "ablation": toy}[name]
    undisturbed = shutil.copytree(source, tmp_path / "undisturbed", symlinks=True)
    log = tmp_path / "log"

    def outcome(folder: Path) -> tuple:
        tables = {
            path.name: pd.read_csv(path).drop(columns="minutes").to_csv()
            for path in (folder / "reports/benchmarks").glob("*.csv")
        }
        left = [path.name for path in folder.rglob(".tmp-*") if ".dvc" not in path.parts]
        status = run(folder, "git", "status", "--porcelain")
        return finished_experiments(folder), tables, left, status, (folder / "params.yaml").read_text()

    assert start(ser(name), undisturbed, log).wait() == 0, Path(f"{log}.printed").read_text()
    wanted, count = outcome(undisturbed), len(events(log, "stage"))
    assert len(wanted[0]) >= 2
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    kills = [Kill("stage", int(rng.integers(1, count + 1)), later=float(rng.uniform(0.1, 6)))]
    if FULL:
        kills += [
            Kill("stage", int(rng.integers(1, count + 1)), later=float(rng.uniform(0.1, 6))),
            drawn(rng, "stage", count),
            Kill("stage", int(rng.integers(1, count + 1)), signal.SIGTERM, later=float(rng.uniform(0.1, 6))),
            Kill("dvc", int(rng.integers(20, 200))),
        ]
    for number, kill in enumerate(kills):
        folder = shutil.copytree(source, tmp_path / f"killed{number}", symlinks=True)
        start(ser(name), folder, log, kill).wait()
        assert was_killed(log), kill
        print(f"killed {name}: {kill}")
        until_done(folder, ser(name), log)
        assert outcome(folder) == wanted, kill
        assert not list(orphans(folder))


def test_a_killed_list_of_experiments(searched, tmp_path):
    folder = shutil.copytree(searched, tmp_path / "listed", symlinks=True)
    run(
        folder,
        "dvc",
        "exp",
        "run",
        "-q",
        "--temp",
        "-C",
        "data/raw/clip.txt",
        "-n",
        "new",
        "-S",
        "train_ml.svm_rbf.C=9.0",
    )
    assert experiments(folder)
    outputs = ("reports/experiments.csv", "reports/experiments.png")
    check_kills("experiments", folder, ser("experiments"), outputs, tmp_path / "log")
