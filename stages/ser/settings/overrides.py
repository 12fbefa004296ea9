"""Settings by dotted key, such as ``train_lstm.epochs``: read from named files, checked, written where they belong."""

import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from ser.errors import InputError
from ser.settings.all_sections import Params
from ser.settings.params_file import Section, validated

FOLDER = Path("overrides")
ASSIGNMENT = re.compile(r"(\w+(?:\.\w+)+)=(.*)", re.DOTALL)
PLAIN_WORD = re.compile(r"[A-Za-z_][\w./-]*")  # any other text is quoted
RESERVED = {"null", "true", "false", "nan", "inf"}  # to Hydra, which reads the values of -S


def collect_settings(arguments: Iterable[str], folder: Path | str = FOLDER) -> dict[str, Any]:
    """Return the settings that names of files and assignments stand for; of a key that is set twice the last counts.

    Parameters
    ----------
    arguments : iterable of str
        Each the name of a file in `folder` without ``.yaml``, or ``key=value`` with a value as YAML writes it.
    folder : Path

    Raises
    ------
    InputError
        There is no such file, or it is no flat mapping of dotted keys.
    """
    settings = {}
    for argument in arguments:
        assignment = ASSIGNMENT.fullmatch(argument)
        path = Path(folder) / f"{argument}.yaml"
        if assignment:
            settings[assignment[1]] = _parse(assignment[2], argument)
        elif re.fullmatch(r"[\w-]+", argument) and path.is_file():
            settings |= read_settings(path)
        else:
            names = ", ".join(describe_files(folder)) or "none"
            raise InputError(f"{argument!r} is neither key=value nor a file of {folder}/, which has {names}")
    return settings


def read_settings(path: Path | str) -> dict[str, Any]:
    """Read a file of settings: a line a dotted key, and its value."""
    content = _parse(Path(path).read_text(encoding="utf-8"), path)
    if not isinstance(content, dict) or not all(isinstance(key, str) and "." in key for key in content):
        raise InputError(f"{path} is no list of settings: write a dotted key and a value a line (train.seed: 2)")
    return content


def describe_files(folder: Path | str = FOLDER) -> dict[str, str]:
    """Return the first line, a comment, of each file of settings by its name."""
    files = sorted(Path(folder).glob("*.yaml"))
    return {file.stem: next(iter(file.read_text(encoding="utf-8").splitlines()), "").lstrip("# ") for file in files}


def present_value(params: Params, key: str, where: str) -> Any:
    """Return the value of a dotted key.

    Parameters
    ----------
    params : Params
    key : str
    where : str
        Who names the key, for the message.

    Raises
    ------
    InputError
        There is no such key, or it is that of a section.
    """
    place = params
    for name in key.split("."):
        if not isinstance(place, Section) or name not in type(place).model_fields:
            raise InputError(f"{where} names {key}, which params.yaml has not: remove it or correct its name")
        place = getattr(place, name)
    if isinstance(place, Section):
        names = ", ".join(type(place).model_fields)
        raise InputError(f"{where} names {key}, which is a section: name one of its settings ({names})")
    return place


def with_settings(params: Params, settings: dict[str, Any], where: str) -> Params:
    """Return the parameters with some values changed, by their dotted keys; `InputError` if they are not allowed."""
    content = params.model_dump()
    for key, value in settings.items():
        present_value(params, key, where)
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[name] = value
    return validated(Params, content, where)


def format_value(value: Any) -> str:
    """Return a value as ``dvc exp run -S key=value`` takes it (Hydra's grammar).

    Numbers are written out: 0.00001, because 1e-05 is a word to some readers of YAML.

    Raises
    ------
    InputError
        For a mapping, which ``-S`` cannot set.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return np.format_float_positional(value, trim="0")
    if isinstance(value, str):
        if PLAIN_WORD.fullmatch(value) and value.lower() not in RESERVED:
            return value
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(format_value(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    raise InputError(f"`dvc exp run -S` cannot set {value!r}; allowed are numbers, words, true, false, null, lists")


def change_values(text: str, settings: dict[str, Any]) -> str:
    """Return the text of ``params.yaml`` with other values, lists with a line an item; other lines stay as they are.

    Parameters
    ----------
    text : str
        Of params.yaml.
    settings : dict
        Values by dotted key; the keys exist. What has its value already is left as it is written.
    """
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width, yaml.preserve_quotes = 10**6, True
    yaml.representer.add_representer(type(None), _write_null)
    yaml.representer.add_representer(float, _write_float)
    content = yaml.load(text)
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        before = place[name]
        if before == value and isinstance(before, bool) == isinstance(value, bool):
            continue
        place[name] = value
        if value and isinstance(value, list) and isinstance(before, CommentedSeq):
            place[name] = _with_comments(value, before)
    written = io.StringIO()
    yaml.dump(content, written)
    return written.getvalue()


def _with_comments(values: list, before: CommentedSeq) -> CommentedSeq:
    """Return a list with the comment beside the first item, and the empty line behind the last, of another."""
    after = CommentedSeq(values)
    for old, new in ((len(before) - 1, len(values) - 1), (0, 0)):
        if old in before.ca.items:
            after.ca.items[new] = before.ca.items[old]
    return after


def _write_null(representer, _):
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")  # by default nothing is written


def _write_float(representer, value):
    return representer.represent_scalar("tag:yaml.org,2002:float", format_value(value))  # 0.00001, not 1e-05


def _parse(text: str, where: object) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise InputError(f"{where} is not valid YAML: {' '.join(str(error).split())}") from None
