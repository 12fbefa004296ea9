"""Files that DVC keeps: a remote that says nothing, and one that gives something else."""

import hashlib
import threading

import pytest

from ser.errors import InputError
from ser.review import dvc_files, revisions


class Files:
    """A file system of DVC, all files of which have one content and one hash; for the second it waits for `never`."""

    def __init__(self, content: bytes, md5: str | None, never: threading.Event | None = None) -> None:
        self.content, self.md5, self.never = content, md5, never

    def read_bytes(self, path: str) -> bytes:
        if self.never is not None and path.endswith("second.csv"):
            self.never.wait()
        return self.content

    def info(self, path: str) -> dict[str, str]:
        return {} if self.md5 is None else {"md5": self.md5}


def use(monkeypatch, files: Files) -> None:
    monkeypatch.setattr(dvc_files, "_files", lambda commit, project: files)


def test_a_remote_that_falls_silent_is_left(monkeypatch, capsys):
    never = threading.Event()
    use(monkeypatch, Files(b"a", None, never))
    monkeypatch.setattr(dvc_files, "NOTE_AFTER", 0.01)
    monkeypatch.setattr(dvc_files, "PATIENCE", 0.01)
    try:
        with pytest.raises(TimeoutError, match="^no answer for 0 s$"):
            dvc_files.read_files(["first.csv", "second.csv"], None, "")
        assert capsys.readouterr().err == "waiting for 2 files from DVC's remote\n"
        with pytest.raises(InputError, match=r"DVC cannot read the folds of the workspace \(TimeoutError: no answer"):
            revisions._of_dvc("folds", None, dvc_files.read_files, ["second.csv"])
    finally:
        never.set()  # the threads that were left end


def test_only_what_was_stored_counts_and_in_the_workspace_anything(monkeypatch):
    for md5 in (None, hashlib.md5(b"a").hexdigest()):
        use(monkeypatch, Files(b"a", md5))
        assert dvc_files.read_files(["first.csv", "second.csv"], None, "") == [b"a", b"a"]
    use(monkeypatch, Files(b"a", "0" * 32))
    with pytest.raises(dvc_files.DamagedFileError, match=f"first.csv is damaged in files/md5/00/{'0' * 30}$"):
        dvc_files.read_files(["first.csv"], None, "")
    with pytest.raises(InputError, match="or mend the remote .docs/data.md, Share data and models.$"):
        revisions._of_dvc("folds", None, dvc_files.read_files, ["first.csv"])


@pytest.mark.parametrize(
    "error, remedy",
    [
        (PermissionError("Forbidden"), "give the remote a key that may read it"),
        (ImportError("s3 is supported"), r"`pip install -e '\.\[s3\]' -c constraints.txt`"),
        (ConnectionError("gone"), "try again with a remote that is there and answers"),
        (FileNotFoundError("The specified bucket does not exist"), "try again with a remote that is there"),
        (FileNotFoundError("bucket/ser/x"), "^DVC has no folds of the workspace: .* name a remote that has them"),
        (None, "^DVC has no folds of the workspace: .* name a remote that has them"),
    ],
)
def test_the_reason_of_the_remote_is_said_though_dvc_hides_it(monkeypatch, error, remedy):
    def ask(*arguments):
        raise revisions.DataIndexError("failed to load directory") from error

    with pytest.raises(InputError, match=remedy) as caught:
        revisions._of_dvc("folds", None, ask, [])
    assert "failed to load" not in str(caught.value)
