"""Changing values in the text of ``params.yaml``: comments and all other lines stay as they are."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from ser.overrides import format_value


def change_values(text: str, settings: dict[str, Any]) -> str:
    """Return the text with other values, lists with a line an item.

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
