"""Getting a published corpus: fetched, recorded in DVC, counted; through the script, from a server of the test's."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML

from conftest import ROOT, run_stage, set_params, workplace
from file_server import serving
from ser.corpora import ravdess
from ser.corpora.corpus_facts import About, Download
from ser.corpora.known_corpora import KNOWN
from ser.errors import InputError
from ser.fetching.corpus_download import how_to_get, targets
from toy_repository import init_dvc

ABOUT = About("The title", "en", 4, 2, "names", "Somebody 2020", "CC BY 4.0", "https://example.org/home")
# the command as it is, in a process of its own, with something else known of RAVDESS: where the test serves it
SCRIPT = """
import sys
from ser.commands.command_line import main
from ser.corpora import ravdess
from ser.corpora.corpus_facts import About, Download
ravdess.ABOUT = {about!r}
sys.argv = ["ser", "corpus", *sys.argv[1:]]
main()
"""


def start(folder: Path, about: About) -> subprocess.Popen:
    (folder / "script.py").write_text(SCRIPT.format(about=about))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "stages")}
    command = [sys.executable, "script.py", "ravdess"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def command(folder: Path, about: About, *arguments: str) -> subprocess.CompletedProcess:
    """Run the command as it is, in this process, with the same known of RAVDESS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ravdess, "ABOUT", about)
        return run_stage(folder, "corpus", *arguments)


def fetch(folder: Path, about: About, *arguments: str) -> subprocess.CompletedProcess:
    return command(folder, about, "ravdess", *arguments)


def tool(folder: Path, *command: str) -> str:
    command = [sys.executable, "-m", *command] if command[0] == "dvc" else command
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.fixture(scope="module")
def new_repository(tmp_path_factory) -> Path:
    """A scratch repository of git and DVC with the parameters and the ignored paths of this one."""
    folder = workplace(tmp_path_factory.mktemp("new") / "repository")
    shutil.copy(ROOT / ".gitignore", folder)
    tool(folder, "git", "init", "--quiet")
    init_dvc(folder)
    return folder


@pytest.fixture
def repository(new_repository, tmp_path) -> Path:
    return shutil.copytree(new_repository, tmp_path / "repository", symlinks=True)


@pytest.fixture(scope="module")
def clips() -> dict[str, bytes]:
    """Four files of two actors under RAVDESS names, sorted; nothing is read of them but that they begin as audio."""
    files, random = {}, np.random.default_rng(0)
    for name in (f"03-01-05-01-{statement}-01-{actor}.wav" for statement in ("01", "02") for actor in ("01", "04")):
        buffer = io.BytesIO()
        soundfile.write(buffer, random.uniform(-1, 1, 4800), 48000, format="WAV")
        files[name] = buffer.getvalue()
    return files


@pytest.fixture(scope="module")
def packed(clips) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in clips.items():
            archive.writestr(f"Actor_{name[-6:-4]}/{name}", content)
    return buffer.getvalue()


def single(server, content: bytes, **stated) -> About:
    stated = {"size": len(content), "md5": hashlib.md5(content).hexdigest()} | stated
    return ABOUT._replace(downloads=(Download(server.url("/Speech.zip"), "Speech.zip", **stated),))


def recorded(path: Path) -> dict:
    return YAML(typ="safe").load(path)


def test_a_single_download_is_fetched_recorded_and_not_fetched_again(repository, packed):
    with serving(files={"/Speech.zip": packed}) as server:
        about = single(server, packed)
        run = fetch(repository, about)
        assert run.returncode == 0, run.stderr
        assert all(said in run.stdout for said in ("The title", "CC BY 4.0", "Somebody 2020"))
        assert "git add data/raw/ravdess.zip.dvc" in run.stdout
        file, stage = repository / "data/raw/ravdess.zip", recorded(repository / "data/raw/ravdess.zip.dvc")
        assert file.read_bytes() == packed
        digest = hashlib.md5(packed).hexdigest()
        assert stage["deps"][0]["path"] == server.url("/Speech.zip")
        assert stage["deps"][0]["checksum"] == f'"{hashlib.sha1(packed).hexdigest()}"'
        assert stage["outs"][0] == {"path": "ravdess.zip", "md5": digest, "size": len(packed), "hash": "md5"}
        assert (repository / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).read_bytes() == packed
        assert "up to date" in tool(repository, "dvc", "status")
        untracked = tool(repository, "git", "status", "--short", "--untracked-files=all", "data/raw").split()
        assert untracked == ["??", "data/raw/ravdess.zip.dvc"]

        before = (repository / "data/raw/ravdess.zip.dvc").read_bytes()
        again = fetch(repository, about)
        assert again.returncode == 0 and "was there" in again.stdout
        assert server.fetched() == [(0, len(packed))]
        assert (repository / "data/raw/ravdess.zip.dvc").read_bytes() == before


def test_dvc_update_notices_that_the_published_file_has_changed(repository, packed):
    with serving(files={"/Speech.zip": packed}) as server:
        assert fetch(repository, single(server, packed)).returncode == 0
        tool(repository, "dvc", "update", "data/raw/ravdess.zip.dvc")
        assert (repository / "data/raw/ravdess.zip").read_bytes() == packed
        server.files["/Speech.zip"] = newer = packed + b"newer"
        tool(repository, "dvc", "update", "data/raw/ravdess.zip.dvc")
        assert (repository / "data/raw/ravdess.zip").read_bytes() == newer
        stage = recorded(repository / "data/raw/ravdess.zip.dvc")
        assert stage["deps"][0]["checksum"] == f'"{hashlib.sha1(newer).hexdigest()}"'


def test_killed_and_dropped_downloads_end_with_the_same_bytes(repository, packed):
    with io.BytesIO(packed) as buffer:
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr("film.mp4", os.urandom(2_000_000))
        content = buffer.getvalue()
    with serving(files={"/Speech.zip": content}, hold=1_000_000) as server:
        about = single(server, content)
        process = start(repository, about)
        part = repository / "data/raw/.tmp-ravdess.zip.part"
        while not (part.exists() and part.stat().st_size > 900_000):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kept = part.stat().st_size
        assert tool(repository, "git", "status", "--short", "data/raw") == ""
        server.hold = None
        server.drops = [500_000]
        process = start(repository, about)
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert (repository / "data/raw/ravdess.zip").read_bytes() == content
        starts = [first for first, _ in server.fetched()]
        assert len(starts) == 3 and starts[1] == kept and starts[2] >= kept + 500_000 - 65536
        assert "up to date" in tool(repository, "dvc", "status")


def test_several_downloads_lie_in_the_folder_of_the_corpus(repository, clips):
    with serving(files={f"/{name}": content for name, content in clips.items()}) as server:
        about = ABOUT._replace(downloads=tuple(Download(server.url(f"/{name}"), name) for name in clips))
        run = fetch(repository, about)
        assert run.returncode == 0, run.stderr
        assert "4 clips of 2 speakers of 4 clips published: complete" in run.stdout
        for name, content in clips.items():
            assert (repository / "data/raw/ravdess" / name).read_bytes() == content
            assert recorded(repository / f"data/raw/ravdess/{name}.dvc")["outs"][0]["path"] == name
        assert "up to date" in tool(repository, "dvc", "status")
        untracked = tool(repository, "git", "status", "--short", "--untracked-files=all", "data/raw").split()[1::2]
        assert untracked == [f"data/raw/ravdess/{name}.dvc" for name in clips]


def test_a_mirror_must_hold_the_same_bytes(repository, packed):
    with serving(files={"/mirror.zip": packed}) as server:
        about = single(server, packed)
        run = fetch(repository, about, "--url", server.url("/mirror.zip"))
        assert run.returncode == 0, run.stderr
        assert recorded(repository / "data/raw/ravdess.zip.dvc")["deps"][0]["path"] == server.url("/mirror.zip")
        (repository / "data/raw/ravdess.zip").unlink()
        server.files["/mirror.zip"] = packed[::-1]
        run = fetch(repository, about, "--url", server.url("/mirror.zip"))
        assert run.returncode == 1 and run.stderr.splitlines()[-1].startswith("error: ") and "MD5" in run.stderr


@pytest.mark.parametrize("place", ["no DVC repository", "raw.path elsewhere"])
def test_outside_a_dvc_repository_nothing_is_recorded(repository, tmp_path, clips, place):
    raw = repository / "data/raw"
    if place == "no DVC repository":
        shutil.rmtree(repository / ".dvc")
    else:
        raw = tmp_path / "elsewhere"
        set_params(repository, {"raw.path": str(raw)})
    with serving(files={f"/{name}": content for name, content in clips.items()}) as server:
        about = ABOUT._replace(downloads=tuple(Download(server.url(f"/{name}"), name) for name in clips))
        run = fetch(repository, about)
    assert run.returncode == 0 and "not recorded in DVC" in run.stdout and "complete" in run.stdout
    assert not list(raw.rglob("*.dvc")) and len(list((raw / "ravdess").iterdir())) == 4


def test_a_failed_recording_keeps_the_download_and_is_repeated(repository, clips):
    (name, content), *_ = clips.items()
    with serving(files={f"/{name}": content}) as server:
        other = Download(server.url(f"/{name}"), "other.wav")
        about = ABOUT._replace(downloads=(Download(server.url(f"/{name}"), name), other))
        config = (repository / ".dvc/config").read_text()
        (repository / ".dvc/config").write_text("[core]\n    no_such_setting = true\n")
        run = fetch(repository, about)
        assert run.returncode == 1 and "could not record" in run.stderr.splitlines()[-1]
        assert not list((repository / "data/raw").rglob("*.dvc"))
        (repository / ".dvc/config").write_text(config)
        run = fetch(repository, about)
        assert run.returncode == 0 and len(server.fetched()) == 2
        assert "1 clips of 1 speaker of 4 clips published: 3 missing, 1 unknown, such as" in run.stdout


def test_a_corpus_behind_a_form_is_explained_and_what_is_there_is_counted(repository, clips):
    about = ABOUT._replace(instructions="Write to the authors.")
    run = fetch(repository, about)
    assert run.returncode == 0, run.stderr
    assert "ravdess is handed out to those who fill in a form. Write to the authors." in run.stdout
    assert "nothing of it is in data/raw yet" in run.stdout
    folder = repository / "data/raw/ravdess"
    folder.mkdir()
    run = fetch(repository, about)  # an empty folder is nothing yet
    assert run.returncode == 0 and "nothing of it is in data/raw yet" in run.stdout
    folder.mkdir()
    (folder / "readme.txt").write_text("what they sent")
    run = fetch(repository, about)
    assert run.returncode == 1 and "no audio file" in run.stderr and "make corpus NAME=ravdess" in run.stderr
    for name, content in list(clips.items())[:3]:
        (folder / name).write_bytes(content)
    run = fetch(repository, about)
    assert run.returncode == 0 and "3 clips of 2 speakers of 4 clips published: 1 missing" in run.stdout


@pytest.mark.parametrize(
    ("instructions", "listed", "said"),
    [
        ("`git clone https://github.com/a/b`; take `wav/`.", "git", "is a git repository. `git clone"),
        ("Open the home page and download all.", "page", "is downloaded from its page, by hand. Open"),
        ("Register at http://a.b/c.", "form", "is handed out to those who fill in a form. Register"),
    ],
)
def test_how_a_corpus_is_had_is_said_as_it_is(repository, instructions, listed, said):
    about = ABOUT._replace(instructions=instructions)
    run = fetch(repository, about)
    assert run.returncode == 0 and said in run.stdout
    lines = command(repository, about, "--list").stdout.splitlines()
    assert next(line for line in lines if line.startswith("ravdess")).split()[1] == listed


def test_no_corpus_of_a_git_repository_is_called_one_of_a_form():
    by_git = {name for name, module in KNOWN.items() if "github.com" in module.ABOUT.home}
    assert by_git and {name for name in KNOWN if how_to_get(KNOWN[name].ABOUT) == "git"} == by_git


def test_an_empty_folder_is_not_in_the_way_of_a_download(repository, packed):
    (repository / "data/raw/ravdess").mkdir()
    with serving(files={"/Speech.zip": packed}) as server:
        run = fetch(repository, single(server, packed))
    assert run.returncode == 0 and "complete" in run.stdout, run.stderr
    assert not (repository / "data/raw/ravdess").exists()


def test_an_empty_folder_of_a_known_corpus_names_the_command(repository):
    (repository / "data/raw/ravdess").mkdir()
    set_params(repository, {"prepare.corpora": ["ravdess"]})
    run = run_stage(repository, "prepare")
    assert run.returncode == 1 and "`make corpus NAME=ravdess` fetches it" in run.stderr


def test_an_unpacked_corpus_is_not_fetched(repository, clips, packed):
    folder = repository / "data/raw/ravdess"
    folder.mkdir()
    for name, content in clips.items():
        (folder / name).write_bytes(content)
    with serving(files={"/Speech.zip": packed}) as server:
        run = fetch(repository, single(server, packed))
        assert run.returncode == 0 and "nothing is fetched" in run.stdout and server.requests == []


def test_the_known_corpora_are_listed(repository):
    about = ABOUT._replace(downloads=(Download("http://127.0.0.1:9/a.zip", "a.zip", size=208_000_000),))
    run = command(repository, about, "--list")
    if not hasattr(ravdess, "ABOUT"):
        pytest.skip("nothing is known of the other corpora yet")
    assert run.returncode == 0, run.stderr
    assert any("ravdess" in line and "208 MB" in line and "CC BY 4.0" in line for line in run.stdout.splitlines())


def test_an_unknown_corpus_names_the_known_ones(repository):
    run = command(repository, ABOUT, "nosuch")
    assert run.returncode == 1 and "nosuch is no known corpus" in run.stderr and "ravdess" in run.stderr


@pytest.mark.parametrize(
    "file, expected", [("a.zip", "x.zip"), ("A-1.0.tar.gz", "x.tar.gz"), ("a.tgz", "x.tgz"), ("b.v2.tgz", "x.tgz")]
)
def test_a_single_download_keeps_its_kind_of_archive(file, expected):
    about = ABOUT._replace(downloads=(Download("http://a/b", file),))
    assert targets(about, "x", Path("raw")) == [(Download("http://a/b", file), Path("raw") / expected)]


def test_a_mirror_is_for_one_download():
    about = ABOUT._replace(downloads=(Download("http://a/b", "b.zip"), Download("http://a/c", "c.zip")))
    with pytest.raises(InputError, match="has 2"):
        targets(about, "x", Path("raw"), "http://mirror/b.zip")
