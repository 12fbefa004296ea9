"""Data, experiments and reports through an S3 remote, by DVC's own code, and what is said where that fails.

The server is moto's, on 127.0.0.1. Long: `make verify` runs it.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import environment, set_params
from s3_server import S3Server, serving_s3
from toy_repository import dvc as dvc_here
from toy_repository import run, toy_repository

pytestmark = pytest.mark.verify

BUCKET = "storage"
FEATURES = 12  # files
TRAIN = f"""
import json
from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

svm = YAML(typ="safe", pure=True).load(Path("params.yaml"))["train_ml"]["svm_rbf"]
rng = np.random.default_rng(0)
clips = pd.DataFrame([(f"c/{{s}}/{{n}}", f"c:{{s}}") for s in range(8) for n in range(12)], columns=["clip", "speaker"])
emotion = np.tile(["anger", "neutral", "sadness"], len(clips) // 3)
said = np.where(rng.random(len(clips)) < 0.3 + svm["C"] / 20, emotion, np.roll(emotion, 1))
table = clips[["clip"]].assign(fold=clips["speaker"].str[-1].astype(int) % 4, part="test", emotion=emotion)
for name in ("anger", "neutral", "sadness"):
    table[f"p_{{name}}"] = np.where(said == name, 0.8, 0.1)
for place in ("data/prepared", "data/features", "data/predictions/train_ml", "reports"):
    Path(place).mkdir(parents=True, exist_ok=True)
clips.to_csv("data/prepared/clips.csv", index=False)
table.to_csv("data/predictions/train_ml/svm_rbf.csv", index=False)
for number in range({FEATURES}):
    np.save(f"data/features/{{number:02d}}.npy", rng.random((100 + number, 256)))
uar = np.mean([(said[emotion == name] == name).mean() for name in ("anger", "neutral", "sadness")])
Path("reports/metrics.json").write_text(json.dumps({{"svm_rbf": {{"uar": round(float(uar), 4)}}}}))
"""
PIPELINE = """
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    params: [train_ml.svm_rbf]
    outs: [data/prepared, data/features, data/predictions/train_ml]
    metrics:
      - reports/metrics.json: {cache: false}
"""
FILES = FEATURES + 2 + 3  # features, clips, predictions, and the lists of the three folders
CHANGED = 2  # of these by another C: the predictions and their folder's list


class Share:
    """A repository on branch main and on change, what it shares by git, and the remote of both; `clones` of it."""

    def __init__(self, folder: Path, server: S3Server) -> None:
        self.folder, self.server, self.clones = folder, server, 0
        self.repository = toy_repository(folder / "repository", TRAIN, PIPELINE)
        run(folder, "git", "init", "-q", "--bare", "-b", "main", "origin.git")
        run(self.repository, "git", "remote", "add", "origin", str(folder / "origin.git"))
        dvc_here(self.repository, "remote", "add", "--default", "storage", f"s3://{BUCKET}/ser")
        dvc_here(self.repository, "remote", "modify", "storage", "endpointurl", server.address)
        run(self.repository, "git", "commit", "-qam", "Remote")
        run(self.repository, "git", "switch", "-qc", "change")
        set_params(self.repository, {"train_ml.svm_rbf.C": 12.0})
        dvc_here(self.repository, "repro")
        run(self.repository, "git", "commit", "-qam", "C")
        run(self.repository, "git", "push", "-q", "origin", "main", "change")

    def clone(self, branch: str = "change", **remote: str) -> Path:
        """Return a clone that has no cache; its own settings of the remote are in a file that git does not see."""
        self.clones += 1
        folder = self.folder / f"clone{self.clones}"
        run(self.folder, "git", "clone", "-q", "-b", branch, "origin.git", folder.name)
        for name, value in remote.items():
            dvc_here(folder, "remote", "modify", "--local", "storage", name, value)
        return folder

    def call(self, folder: Path, *command: str, code: int | None = 0, key: bool = True, **variables: str) -> str:
        """Run a command, with the key of the user or with none; return what it prints. None: any code of a failure."""
        shown = {name: value for name, value in environment().items() if not name.startswith("AWS_")}
        shown |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}  # no pauses between many tries
        shown |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        shown |= {name: str(self.folder / "none") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
        shown["DVC_SITE_CACHE_DIR"] = str(self.folder / "site")
        if key:
            shown["AWS_ACCESS_KEY_ID"], shown["AWS_SECRET_ACCESS_KEY"] = self.server.key
        done = subprocess.run(command, cwd=folder, env=shown | variables, capture_output=True, text=True)
        assert done.returncode == code or (code is None and done.returncode > 0), done.stdout + done.stderr
        return done.stdout + done.stderr

    def gate(self, folder: Path, **settings) -> str:
        return self.call(folder, sys.executable, "-m", "ser.commands", "gate", "--base", "origin/main", **settings)


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    """A repository of which the remote has both branches."""
    with serving_s3(BUCKET) as server:
        share = Share(tmp_path_factory.mktemp("share"), server)
        share.call(share.repository, "dvc", "push", "--all-branches")
        yield share


@pytest.fixture(autouse=True)
def there(share):
    """The server is there when a test begins, and nothing has been asked of it."""
    share.server.come_back()
    share.server.cut = None
    share.server.requests.clear()


def digests(folder: Path) -> dict[str, str]:
    """Return the MD5 of the files in a folder by their paths."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in (".gitignore", ".gitkeep"))
    return {path.relative_to(folder).as_posix(): hashlib.md5(path.read_bytes()).hexdigest() for path in files}


def stored(folder: Path) -> int:
    """Return how many files a cache holds, each of which has the MD5 that it is named by."""
    found = digests(folder / ".dvc/cache/files/md5") if (folder / ".dvc/cache/files/md5").is_dir() else {}
    assert {path.replace("/", "").removesuffix(".dir") for path in found} == {*found.values()}
    return len(found)


def uploaded(share: Share, prefix: str) -> int:
    """Return how many objects there are under a prefix, each of which has the MD5 that it is named by."""
    s3 = share.server.client("s3")
    names = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])]
    for name in names:
        content = s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        assert hashlib.md5(content).hexdigest() == "".join(Path(name).parts[-2:]).removesuffix(".dir")
    return len(names)


def test_a_clone_gets_all_and_its_own_settings_stay_out_of_git(share):
    name, secret = share.server.key
    clone = share.clone(access_key_id=name, secret_access_key=secret)
    assert f"{FILES} files fetched" in share.call(clone, "dvc", "pull", key=False)
    assert digests(clone / "data") | {"raw/clip.txt": ""} == digests(share.repository / "data") | {"raw/clip.txt": ""}
    assert stored(clone) == FILES
    assert run(clone, "git", "status", "--porcelain") == ""
    assert "up to date" in share.call(clone, "dvc", "push", key=False)
    assert secret not in run(clone, "git", "grep", "-h", "", "--", ".dvc")


def test_a_report_and_the_gate_need_no_cache(share):
    clone = share.clone()
    command = [sys.executable, "-m", "ser.commands", "pr-report", "--base", "origin/main"]
    assert share.call(clone, *command).startswith("Better: svm_rbf gains ")
    report = (clone / "reports/pr.md").read_text()
    assert "95 % interval" in report and "WARNING" not in report
    assert share.gate(clone).startswith("passed: UAR of svm_rbf")
    assert stored(clone) == 0 and not (clone / "data/predictions/train_ml").exists()


def test_an_experiment_goes_from_one_clone_to_another(share):
    one, other = share.clone("main"), share.clone("main")
    share.call(one, "dvc", "pull")
    for name, value in (("user.name", "t"), ("user.email", "t@t")):
        run(one, "git", "config", name, value)
    share.call(one, "dvc", "exp", "run", "--temp", "--name", "steep", "-S", "train_ml.svm_rbf.C=9.0")
    said = share.call(one, "dvc", "exp", "push", "origin", "steep", key=False, code=None)
    assert "Pushed experiment steep to Git remote 'origin'." in said and "Unable to locate credentials" in said
    assert f"{CHANGED} files uploaded" in share.call(one, "dvc", "exp", "push", "origin", "steep")

    assert "steep" in share.call(other, "dvc", "exp", "list", "origin")
    share.server.requests.clear()
    share.server.cut = ("GET", FEATURES)  # lists of folders and of the bucket, and some of the files
    share.call(other, "dvc", "exp", "pull", "origin", "steep", code=None)
    some = stored(other)
    assert 0 < some < FILES
    share.server.come_back()
    share.call(other, "dvc", "exp", "pull", "origin", "steep")
    assert stored(other) == FILES
    share.call(other, "dvc", "exp", "apply", "steep")
    tables = json.loads((other / "reports/metrics.json").read_text()), digests(other / "data/predictions")
    share.call(one, "dvc", "exp", "apply", "steep")
    assert tables == (json.loads((one / "reports/metrics.json").read_text()), digests(one / "data/predictions"))


def test_a_push_that_breaks_off_leaves_no_half_files_and_goes_on(share):
    dvc_here(share.repository, "remote", "add", "--local", "again", f"s3://{BUCKET}/again")
    dvc_here(share.repository, "remote", "modify", "--local", "again", "endpointurl", share.server.address)
    share.server.cut = ("PUT", FEATURES // 2)
    said = share.call(share.repository, "dvc", "push", "--remote", "again", code=None)
    assert "Could not connect to the endpoint URL" in said
    share.server.come_back()
    before = uploaded(share, "again")
    assert FEATURES // 2 <= before < FILES
    share.server.requests.clear()
    assert f"{FILES - before} files pushed" in share.call(share.repository, "dvc", "push", "--remote", "again")
    assert len(share.server.paths("PUT")) == FILES - before
    assert uploaded(share, "again") == FILES


def test_a_pull_that_breaks_off_leaves_no_half_files_and_goes_on(share):
    clone = share.clone()
    share.server.cut = ("GET", FEATURES)
    assert "Could not connect to the endpoint URL" in share.call(clone, "dvc", "pull", code=None)
    before = stored(clone)
    assert 0 < before < FILES
    share.server.come_back()
    assert f"{FILES - before} files fetched" in share.call(clone, "dvc", "pull")
    assert stored(clone) == FILES
    assert digests(clone / "data/features") == digests(share.repository / "data/features")


def hidden(folder: Path) -> str:
    """Return a PYTHONPATH on which dvc-s3 is not installed."""
    (folder / "hidden").mkdir(exist_ok=True)
    (folder / "hidden/dvc_s3.py").write_text("raise ModuleNotFoundError(\"No module named 'dvc_s3'\", name='dvc_s3')\n")
    return f"{folder / 'hidden'}{os.pathsep}{environment()['PYTHONPATH']}"


REFUSALS = {
    "no key": ("Unable to locate credentials", "give the remote a key that may read it"),
    "wrong key": ("Forbidden", "give the remote a key that may read it"),
    "no bucket": ("The specified bucket does not exist", "a remote that is there and answers"),
    "no extra": ("s3 is supported, but requires 'dvc-s3' to be installed", "pip install -e '.[s3]' -c constraints.txt"),
    "no server": ("Could not connect to the endpoint URL", "a remote that is there and answers"),
    "nothing pushed": (None, "name a remote that has them"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_said_where_the_remote_gives_nothing(share, case, tmp_path):
    theirs, ours = REFUSALS[case]
    places = {"no bucket": "s3://nobodys/ser", "nothing pushed": f"s3://{BUCKET}/empty"}
    clone = share.clone(**({"url": places[case]} if case in places else {}))
    settings = {"key": case != "no key"}
    if case == "wrong key":
        settings["AWS_SECRET_ACCESS_KEY"] = "x" * 40
    if case == "no extra":
        settings["PYTHONPATH"] = hidden(tmp_path)
    if case == "no server":
        share.server.leave()
    line = share.gate(clone, code=2, **settings).strip().splitlines()[-1]  # a slow remote is noted before
    assert line.startswith("error: nothing compared: DVC ") and ours in line
    assert theirs is None or theirs in line
    said = share.call(clone, "dvc", "pull", code=None, **settings)
    assert (theirs or "failed to pull data from the cloud") in said
    assert stored(clone) == 0


def test_a_damaged_file_is_not_compared_and_with_verify_not_pulled(share):
    s3, clone = share.server.client("s3"), share.clone(verify="true")
    digest = digests(share.repository / "data/predictions")["train_ml/svm_rbf.csv"]
    name = f"files/md5/{digest[:2]}/{digest[2:]}"
    content = s3.get_object(Bucket=BUCKET, Key=f"ser/{name}")["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=f"ser/{name}", Body=content.replace(b"0.8", b"0.7", 1))  # its UAR stays
    line = share.gate(clone, code=2)
    assert f"data/predictions/train_ml/svm_rbf.csv is damaged in {name}" in line
    share.call(clone, "dvc", "pull", code=1)
    assert stored(clone) == FILES - 1
    # DVC compares names, and where it finds the list of a folder not even those of the files in it
    s3.delete_object(Bucket=BUCKET, Key=f"ser/{name}")
    assert "up to date" in share.call(share.repository, "dvc", "push")
    lists = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="ser/")["Contents"]]
    for key in lists:
        if key.endswith(".dir"):
            s3.delete_object(Bucket=BUCKET, Key=key)
    assert "5 files pushed" in share.call(share.repository, "dvc", "push", "--all-branches")  # a file and four lists
    share.call(clone, "dvc", "pull")
    assert stored(clone) == FILES
