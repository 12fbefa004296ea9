"""Reading ``params.yaml`` section by section, and what the schemas of all sections share."""

import importlib
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


def _without_tilde(path: str) -> str:
    if path.startswith("~"):
        raise ValueError(f"allowed is a path without ~, which only a shell knows: write {os.path.expanduser(path)}")
    return path


PathText = Annotated[str, Field(min_length=1), AfterValidator(_without_tilde)]  # DVC reads it as well: not expanded
Share = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A section that takes the keys it names, of the types it names, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


SectionType = TypeVar("SectionType", bound=Section)


def load_sections(path: Path | str = "params.yaml", **sections: type[Section]) -> SimpleNamespace:
    """Load the sections that a stage reads, as attributes: ``load_sections(split=Split).split.seed``.

    The whole file is checked, so that what a later stage would stop at stops the first one.

    Parameters
    ----------
    path : Path
    **sections : subclass of Section
        The schema of each section, by its name in the file.

    Raises
    ------
    InputError
        For a missing or malformed file, an unknown key, a wrong type or an impossible value, each named.
    """
    content = read_params(path)
    # By name and not as an import, as it changes no result: a stage depends on the schemas of the sections it reads,
    # and a new key of another section must not make it run again.
    validated(importlib.import_module("ser.settings.all_sections").Params, content, str(path))
    return SimpleNamespace(
        **{name: validated(schema, content[name], f"{path}: {name}") for name, schema in sections.items()}
    )


def read_params(path: Path | str) -> object:
    """Read the file as YAML 1.2, as DVC does, so that ``1e-05`` is a number and ``no`` a word; see `load_sections`."""
    try:
        return YAML(typ="safe", pure=True).load(Path(path))
    except FileNotFoundError:
        raise InputError(f"{path} not found: run the stages from the root of the repository") from None
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None


def validated(section: type[SectionType], content: object, where: str) -> SectionType:
    """Return what a YAML file holds as a section; `InputError` names every unknown key and impossible value.

    Parameters
    ----------
    section : subclass of Section
    content : object
        Mappings, lists and values, as read.
    where : str
        Where they stand, for the message.
    """
    try:
        return section.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{where}: " + "; ".join(describe(item) for item in error.errors())) from None


def describe(item: dict) -> str:
    """Say in a line which key has which value and what is allowed, of one of pydantic's errors."""
    # pydantic adds the tried type of a union, such as constrained-float, to the path of the key
    key = ".".join(str(part) for part in item["loc"] if re.fullmatch(r"\w+", str(part))) or "the file"
    if item["type"] == "extra_forbidden":
        return f"unknown key {key} (value {item['input']!r}): remove it or correct its name"
    if item["type"] == "missing":
        return f"key {key} is missing"
    if item["type"] == "value_error":
        return f"{key}: {item['ctx']['error']}" if item["loc"] else str(item["ctx"]["error"])
    message = item["msg"][0].lower() + item["msg"][1:]
    return f"{key} is {item['input']!r}: {message}"


def require_distinct(key: str, values: list) -> None:
    """Raise a ValueError that names the key if a value occurs twice."""
    if len(set(values)) < len(values):
        raise ValueError(f"{key} is {values}; allowed is each value once")


def require_increasing(key: str, values: list[float]) -> None:
    """Raise a ValueError that names the key unless its two values, lower and upper, are in order."""
    if not values[0] <= values[1]:
        raise ValueError(f"{key} is {values}; allowed is a lower value followed by an upper one")
