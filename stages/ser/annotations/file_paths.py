"""From paths as annotations write them, often those of another machine, to the files that a corpus has."""

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

# words of files and folders that name a part which the makers of a data set have set apart
TEST = {"test", "tests", "testing", "eval", "evaluation"}
OTHER = {"train", "training", "dev", "devel", "development", "val", "valid", "validation"}


def normal(path: str) -> str:
    """Return a path as it is compared: ``/`` between its parts, no ``.`` among them, in NFC."""
    path = path.strip().replace("\\", "/")
    return unicodedata.normalize("NFC", posixpath.normpath(path)) if path else ""


def below(folder: str, path: str) -> str:
    """Return the path inside the corpus of a file that a table in `folder` names; empty if it leads out of it."""
    path = normal(path)
    if not path or is_absolute(path):
        return ""
    inside = posixpath.normpath(posixpath.join(folder, path))
    return "" if inside == "." or inside.split("/")[0] == ".." else inside


def is_absolute(path: str) -> bool:
    """Say whether a path starts at the root of some machine, or in somebody's home there."""
    return bool(re.match(r"[/~]|[A-Za-z]:[\\/]|file:|\\\\", path))


def match_files(paths: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """Find files by the trailing parts of their paths.

    Parameters
    ----------
    paths : iterable of str
        As written by whoever had the files elsewhere (``/home/ann/corpus/wav/a.wav``).
    names : sequence of str
        The files of the corpus.

    Returns
    -------
    dict of str to str
        For every path the file that shares the most trailing parts with it; empty if there is none of its name, if
        several share as many, or if another path shares more with that file: nobody can tell then.
    """
    by_name = defaultdict(list)
    for name in names:
        by_name[unicodedata.normalize("NFC", posixpath.basename(name))].append(name)
    found, shared = {}, {}
    for path in dict.fromkeys(paths):
        parts = normal(path).split("/")
        counted = [(_trailing(parts, normal(name).split("/")), name) for name in by_name.get(parts[-1], ())]
        most = max((count for count, _ in counted), default=0)
        best = [name for count, name in counted if count == most]
        found[path], shared[path] = (best[0] if len(best) == 1 else ""), most
    closest = defaultdict(list)
    for path, name in found.items():
        closest[name].append(path)
    for name, others in closest.items():
        if name and len({normal(path) for path in others}) > 1:
            most = max(shared[path] for path in others)
            best = {normal(path) for path in others if shared[path] == most}
            for path in others:
                if shared[path] < most or len(best) > 1:
                    found[path] = ""
    return found


def folds_of(paths: Iterable[str]) -> dict[str, str]:
    """Return ``0``, the fold of the test part, for every path that names it, and nothing for the others.

    The last part of a path that names one counts: ``test/validation/a.parquet`` is of the validation part. Where all
    are of the test part (an archive called ``test-corpus-1.0``) nothing is set apart, and none has a fold.
    """
    folds = {path: _fold(path) for path in paths}
    return folds if "" in folds.values() else dict.fromkeys(folds, "")


def _trailing(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _fold(path: str) -> str:
    for part in reversed(path.split("/")):
        words = set(re.split(r"[\W\d_]+", part.lower()))
        if words & TEST:
            return "0"
        if words & OTHER:
            return ""
    return ""
