"""Which columns of a data set of Hugging Face say what, and what the numbers in them stand for."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.annotations.records import FIELDS, Files

# as data sets on the hub call them; the first that a table has counts
COLUMNS = {
    "emotion": (
        *("emotion", "emotions", "emotion_name", "emotion_label", "emo", "emotional_state", "major_emotion", "affect"),
        *("label", "labels", "label_name", "label_text", "class", "class_name", "category", "sentiment", "target"),
    ),
    "speaker": (
        *("speaker_id", "speaker", "spk_id", "spk", "speaker_name", "actor", "actor_id", "client_id", "subject"),
        *("subject_id", "participant", "participant_id"),
    ),
    "sex": ("gender", "sex", "speaker_gender", "speaker_sex"),
    "language": ("language", "lang", "locale"),
    "age": ("age", "speaker_age"),
    "intensity": ("intensity", "emotion_intensity"),
    "statement": ("statement", "statement_id", "sentence_id"),
    "start": ("start", "start_time", "start_s", "begin"),
    "end": ("end", "end_time", "end_s"),
    "channel": ("channel",),
    "fold": ("fold",),
    "global_speaker": ("global_speaker",),
}
MOST_BYTES = 16 * 2**20  # of a description


class Columns(NamedTuple):
    """What columns of a table mean: the column of each field that it has, and the names of classes by column."""

    by_field: dict[str, str]
    classes: dict[str, list[str]]


def find_columns(
    header: Sequence[str], classes: Mapping[str, list[str]], stated: Mapping[str, str], texts: Iterable[str] = ()
) -> Columns:
    """Find the columns of the fields.

    Parameters
    ----------
    header : sequence of str
        The columns of the table.
    classes : mapping of str to list of str
        The names of the classes that the numbers in a column stand for.
    stated : mapping of str to str
        What the user calls the columns of `FIELDS`; it counts where there is such a column.
    texts : iterable of str
        Columns of text, which need no names of classes.
    """
    by_field = {}
    spelled = {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(header)}
    for field in FIELDS:
        if stated.get(field) in header:
            by_field[field] = stated[field]
            continue
        found = [spelled[name] for name in COLUMNS.get(field, ()) if name in spelled]
        legible = [name for name in found if name in classes or name in set(texts)]
        if field == "emotion":
            others = {name for words in COLUMNS.values() for name in words}
            found = legible or found or [name for name in classes if name.lower() not in others]
            if len(found) > 1 and found[0].lower() not in COLUMNS["emotion"]:
                continue  # several columns of classes: nobody can tell
        if found:
            by_field[field] = found[0]
    return Columns(by_field, {name: list(names) for name, names in classes.items() if name in header})


def named_classes(features: object) -> dict[str, list[str]]:
    """Return the names of classes by column, from features as `datasets` writes them to JSON or to a README."""
    found = {}
    if isinstance(features, list):  # of a README: a list of {name, dtype: {class_label: {names: {'0': …}}}}
        features = {part.get("name"): part.get("dtype", part) for part in features if isinstance(part, dict)}
    for name, kind in features.items() if isinstance(features, dict) else ():
        if not isinstance(kind, dict) or not isinstance(name, str):
            continue
        if isinstance(kind.get("feature"), dict):  # a list of classes
            kind = kind["feature"]
        names = kind.get("class_label", {}).get("names") if isinstance(kind.get("class_label"), dict) else None
        if kind.get("_type") == "ClassLabel":
            names = kind.get("names")
        if isinstance(names, dict) and all(str(key).isdecimal() for key in names):
            numbered = sorted((int(key), str(value)) for key, value in names.items())
            gaps = [number for number, _ in numbered] != list(range(len(numbered)))
            names = None if gaps else [value for _, value in numbered]
        if isinstance(names, list) and names:
            found[name] = [str(value) for value in names]
    return found


def described_classes(files: Files, table: str) -> list[dict[str, list[str]]]:
    """Return what descriptions beside and above a table say of its classes, the nearest first; one a configuration."""
    found = []
    folder = table.rpartition("/")[0]
    names = set(files.names)
    while True:
        prefix = f"{folder}/" if folder else ""
        for name in ("dataset_info.json", "README.md", "dataset_infos.json"):
            if prefix + name in names:
                found += [classes for classes in _classes_in(files, prefix + name) if classes]
        if not folder:
            return found
        folder = folder.rpartition("/")[0]


def class_name(value: object, names: Sequence[str]) -> tuple[str, str]:
    """Return the name of a class by its number, and why there is none; -1 is what `datasets` writes for unknown."""
    try:
        number = -1 if value is None else int(value)
    except (TypeError, ValueError):
        return str(value), ""
    if number == -1:
        return "", ""
    if not 0 <= number < len(names):
        return str(value), f"the class {value}, and the data set names {len(names)}, from 0: {', '.join(names[:20])}"
    return names[number], ""


def _classes_in(files: Files, name: str) -> list[dict[str, list[str]]]:
    with files.open(name) as file:
        content = file.read(MOST_BYTES)
    try:
        if name.endswith(".json"):
            described = json.loads(content)
            if "features" in described:
                return [named_classes(described["features"])]
            return [named_classes(part.get("features")) for part in described.values() if isinstance(part, dict)]
        front = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(\n|$)", content.decode(errors="replace"), re.DOTALL)
        described = YAML(typ="base").load(front[1]) if front else {}
        info = described.get("dataset_info", []) if isinstance(described, dict) else []
        parts = info if isinstance(info, list) else [info]
        return [named_classes(part.get("features")) for part in parts if isinstance(part, dict)]
    except (ValueError, AttributeError, TypeError, YAMLError, RecursionError):
        return []  # a README is for people; where numbers then have no names, that is said
