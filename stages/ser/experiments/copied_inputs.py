"""What an experiment's copy of the repository lacks: what the stages read and neither git nor DVC keeps.

`dvc exp run --temp` runs in a copy that has what is committed, and of the rest what it is told to take along.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from dvc.repo import Repo

from ser.errors import InputError
from ser.settings.all_sections import Params
from ser.settings.params_file import PathText, Section

COMMANDS = ("tune", "collect")  # sections that no stage reads
LINK = "120000"  # the mode of a link in git
CHECKPOINTS = "train_transformer.checkpoints."  # folders, or names on a hub


def untracked_inputs(committed: Params, *variants: Params) -> list[str]:
    """Return the files and folders inside the repository that a copy of it would lack, sorted.

    Parameters
    ----------
    committed : Params
        Those of params.yaml, with which DVC reads the dependencies of the stages.
    *variants : Params
        All that the experiments run with.

    Raises
    ------
    InputError
        Something that a setting names is not there, or cannot be taken along.
    """
    named = {path: key for params in variants for key, path in path_settings(params).items()}
    stated = {os.path.relpath(path) for path in path_settings(committed).values()}
    for path, key in named.items():
        _require_found(key, path, stated)
    with Repo() as repo:
        tracked = set(_git("ls-files", "-z"))
        kept = {os.path.relpath(out.fs_path) for out in repo.index.outs if os.path.relpath(out.stage.path) in tracked}
        read = {os.path.relpath(dep.fs_path) for dep in repo.index.deps if dep.protocol == "local"}
    inside = {os.path.relpath(path) for path in named if not os.path.isabs(path)} | (read - stated)
    needed = sorted(
        path for path in inside if os.path.lexists(path) and not path.startswith("..") and not _in(path, kept)
    )
    if not needed:
        return []
    _require_links_found(needed)
    # what DVC ignores, no stage reads
    options = ("--others", "--directory", "--no-empty-directory", "--exclude-per-directory=.dvcignore")
    listed = [path.rstrip("/") for path in _git("ls-files", "-z", *options, "--", *needed)]
    lacking = [path for path in listed if os.path.exists(path) and not _in(path, kept)]
    lacking = sorted(path for path in lacking if not _in(os.path.dirname(path), set(lacking)))
    for path in lacking:
        _require_copyable(path, tracked)
    return lacking


def path_settings(params: Params) -> dict[str, str]:
    """Return every path that a setting of the stages names, by its dotted key."""
    sections = ((name, getattr(params, name)) for name in type(params).model_fields if name not in COMMANDS)
    return {key: path for name, section in sections for key, path in _paths_of(section, name)}


def _paths_of(section: Section, place: str) -> Iterator[tuple[str, str]]:
    for name, annotation in get_type_hints(type(section), include_extras=True).items():
        if name not in type(section).model_fields:
            continue
        value, key = getattr(section, name), f"{place}.{name}"
        if isinstance(value, Section):
            yield from _paths_of(value, key)
        elif _names_paths(annotation):
            yield from _texts_of(value, key)


def _names_paths(annotation: Any) -> bool:
    return annotation == PathText or any(_names_paths(part) for part in get_args(annotation))


def _texts_of(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts_of(part, f"{key}.{name}")


def _require_found(key: str, path: str, stated: set[str]) -> None:
    """Raise `InputError` unless a copy of the repository can have what a setting names.

    What is `stated` in params.yaml and not there is nobody's input, or else `dvc status` has said so.
    """
    if not os.path.lexists(path):
        if key.startswith(CHECKPOINTS) or os.path.relpath(path) in stated:
            return
        raise InputError(f"{key} is {path}, which is not there: every experiment with it would fail")
    real = os.path.realpath(path)
    if not os.path.isabs(path) and real != os.path.join(os.path.realpath("."), os.path.normpath(path)):
        raise InputError(
            f"{key} is {path}, which leads out of the repository or through a link, where an experiment's copy does "
            f"not find it: name {real} instead"
        )


def _require_links_found(needed: list[str]) -> None:
    """Raise `InputError` for a link in git that leads out of the repository by a relative path: a copy's is broken."""
    for entry in _git("ls-files", "-z", "--stage", "--", *needed):
        about, path = entry.split("\t")
        if not about.startswith(LINK) or os.path.isabs(target := os.readlink(path)):
            continue
        if not Path(os.path.dirname(path), target).resolve().is_relative_to(Path.cwd().resolve()):
            raise InputError(f"{path} is a link to {target}, where a copy finds nothing: make it absolute")


def _require_copyable(path: str, tracked: set[str]) -> None:
    """Raise `InputError` for what DVC fails to copy."""
    if os.path.isfile(path) and not any(other.startswith(f"{os.path.dirname(path)}/") for other in tracked):
        raise InputError(f"{path} is in no folder that git keeps: `git add` and commit it, for experiments to find it")
    for folder, _, files in os.walk(path, followlinks=True):
        for name in files:
            if not os.path.exists(os.path.join(folder, name)):
                raise InputError(f"{folder}/{name} is a link to nothing, which cannot be copied: take it away")


def _in(path: str, places: set[str]) -> bool:
    """Tell whether a path is one of some places or lies in one."""
    return path in places or any(str(parent) in places for parent in Path(path).parents)


def _git(*arguments: str) -> list[str]:
    listed = subprocess.run(["git", "--literal-pathspecs", *arguments], check=True, capture_output=True).stdout
    return [os.fsdecode(line) for line in listed.split(b"\0") if line]  # names in any encoding
