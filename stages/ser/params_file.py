"""Changing values in the text of ``params.yaml``: no other line is touched, and comments stay where they are."""

from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ser.overrides import format_value


class _Entry(NamedTuple):
    """Where a key stands: its rows from the first to the last, its indentation, and the comments that are kept."""

    first: int
    last: int
    indentation: int
    comment: tuple[int, str]  # column and text of that beside the key
    item_comment: tuple[int, str]  # and of that beside the first item of a list


def change_values(text: str, settings: dict[str, Any]) -> str:
    """Return the text with other values, lists with a line an item.

    Parameters
    ----------
    text : str
        Of params.yaml.
    settings : dict
        Values by dotted key; the keys exist. What has its value already is left as it is written.

    Returns
    -------
    str
    """
    content, lines = YAML().load(text), text.splitlines()
    entries = {}
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        if place[name] != value or isinstance(place[name], bool) != isinstance(value, bool):
            entries[key] = _find(place, name)
    for key, entry in sorted(entries.items(), key=lambda pair: -pair[1].first):  # upwards: the rows above stay valid
        lines[entry.first : entry.last + 1] = _write(key.rpartition(".")[2], settings[key], entry)
    return "\n".join(lines) + "\n"


def _find(place: CommentedMap, name: str) -> _Entry:
    row, column = place.lc.key(name)
    value = place[name]
    beside = place.ca.items.get(name, [None] * 3)[2]
    of_item = value.ca.items.get(0, [None])[0] if isinstance(value, CommentedSeq) else None
    return _Entry(row, _last_row(place, name), column, _comment(beside), _comment(of_item))


def _last_row(place: CommentedMap | CommentedSeq, key: str | int) -> int:
    """Return the row in which a value ends."""
    value = place[key]
    if isinstance(value, CommentedMap | CommentedSeq) and len(value) and not value.fa.flow_style():
        return _last_row(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)
    return place.lc.data[key][0]


def _comment(token) -> tuple[int, str]:
    """Return what a token of ruamel.yaml holds of its own line; it also holds the empty lines below."""
    text = token.value.split("\n")[0] if token is not None else ""
    return (token.start_mark.column, text) if text else (0, "")


def _write(name: str, value: Any, entry: _Entry) -> list[str]:
    key = f"{' ' * entry.indentation}{name}:"
    if not (isinstance(value, list) and value):
        return [_beside(f"{key} {_format(value)}", entry.comment)]
    items = [f"{' ' * (entry.indentation + 2)}- {_format(item)}" for item in value]
    return [_beside(key, entry.comment), _beside(items[0], entry.item_comment), *items[1:]]


def _beside(line: str, comment: tuple[int, str]) -> str:
    column, text = comment
    return f"{line.ljust(column - 1)} {text}" if text else line


def _format(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{format_value(key)}: {_format(item)}" for key, item in value.items()) + "}"
    return format_value(value)
