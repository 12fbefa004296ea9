"""Files that DVC keeps, of any revision: from the workspace, DVC's cache or its remote, which may be slow or gone."""

import hashlib
import queue
import sys
import threading
from collections.abc import Callable, Iterator

from dvc.api import DVCFileSystem

NOTE_AFTER = 10.0  # seconds without an answer
PATIENCE = 50.0  # seconds more; the client of S3 asks a server that is silent for many minutes


class DamagedFileError(Exception):
    """What lies under a hash in DVC's cache or remote has another one."""


def find_files(folder: str, commit: str | None, project: str) -> list[str]:
    """Return the paths of the files in a folder, below `project`.

    Parameters
    ----------
    folder : str
        Relative to the project.
    commit : str or None
        None: the workspace.
    project : str
        What paths begin with: of a commit DVC sees the whole git repository, of which the project may be a sub-folder
        (``dvc init --subdir``).

    Raises
    ------
    TimeoutError
        There was no answer.
    Exception
        Any of DVC and of the libraries with which it asks a remote.
    """

    def find() -> Iterator[list[str]]:
        yield [path.removeprefix(project) for path in _files(commit, project).find(project + folder)]

    return _patiently(find, f"the list of {folder}")[0]


def read_files(paths: list[str], commit: str | None, project: str) -> list[bytes]:
    """Return the content of files; parameters and exceptions as of `find_files`.

    Raises
    ------
    DamagedFileError
        It is not what was stored. DVC itself does not look (``verify``), neither here nor in ``dvc pull``.
    """

    def read() -> Iterator[bytes]:
        files = _files(commit, project)
        for path in paths:
            content = files.read_bytes(project + path)
            stored = files.info(project + path).get("md5")  # None of a file in the workspace, which may have changed
            if stored is not None and hashlib.md5(content, usedforsecurity=False).hexdigest() != stored:
                raise DamagedFileError(f"{path} is damaged in files/md5/{stored[:2]}/{stored[2:]}")
            yield content

    return _patiently(read, f"{len(paths)} files")


def _files(commit: str | None, project: str) -> DVCFileSystem:
    return DVCFileSystem(rev=commit, subrepos=bool(project))


def _patiently(answers: Callable[[], Iterator], what: str) -> list:
    """Return what a generator yields in a thread of its own, which is left behind if nothing comes for too long."""
    given = queue.SimpleQueue()

    def work() -> None:
        try:
            for answer in answers():
                given.put((answer, None))
            given.put((None, StopIteration()))
        except Exception as error:
            given.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    found, noted = [], False
    while True:
        try:
            answer, error = given.get(timeout=PATIENCE if noted else NOTE_AFTER)
        except queue.Empty:
            if noted:
                raise TimeoutError(f"no answer for {PATIENCE:.0f} s") from None
            print(f"waiting for {what} from DVC's remote", file=sys.stderr)
            noted = True
            continue
        if isinstance(error, StopIteration):
            return found
        if error is not None:
            raise error
        found.append(answer)
