"""The search space of ``tune.space``: what may be tried, as Optuna knows it and as ``dvc exp run -S`` takes it."""

import json
import re
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import ValidationError

from ser.errors import InputError
from ser.params import Params, SearchRange

SEARCHED = (
    "prepare",
    "augment",
    "extract",
    "train",
    "train_ml",
    "train_lstm",
    "train_residual_keras",
    "train_cnn",
    "fuse",
)
FIXED = re.compile(r"prepare\.(corpora|emotions|rename|manifest|min_seconds|max_seconds)\b.*|.*\bseed")
PLAIN_WORD = re.compile(r"[A-Za-z_][\w./-]*")  # any other text is quoted
RESERVED = {"null", "true", "false", "nan", "inf"}  # to Hydra, which reads the values of -S
DIGITS = 4  # significant digits of a number that is drawn: enough, and readable in params.yaml


def search_distributions(params: Params) -> dict[str, BaseDistribution]:
    """Check ``tune.space`` against the parameters and return it as Optuna's distributions.

    The choices of a list become their text as `format_value` writes it; a range becomes integers if both ends are and
    the parameter's present value is no fraction.

    Raises
    ------
    InputError
        For a key that params.yaml has not, one that decides what is validated rather than how well (so that scores
        could not be compared), and a choice or an end of a range that the parameter would not take.
    """
    result = {}
    for key, entry in params.tune.space.items():
        start = present_value(params, key)
        if key.partition(".")[0] not in SEARCHED or FIXED.fullmatch(key):
            raise InputError(
                f"tune.space names {key}, which decides what is validated, or does not bear on it: scores would not be "
                f"comparable; allowed are settings in {', '.join(SEARCHED)} other than corpora, labels and seeds"
            )
        for value in entry if isinstance(entry, list) else (entry.low, entry.high):
            with_settings(params, {key: value})
        result[key] = _distribution(key, entry, start)
    return result


def start_values(params: Params, distributions: dict[str, BaseDistribution]) -> dict[str, Any]:
    """Return what the present parameters are in the space; a key whose value is outside it is left out."""
    found = {}
    for key, distribution in distributions.items():
        value = present_value(params, key)
        if isinstance(distribution, CategoricalDistribution):
            if format_value(value) in distribution.choices:
                found[key] = format_value(value)
        elif type(value) in (int, float) and distribution.low <= value <= distribution.high:
            found[key] = value
    return found


def settings_of(params: Params, drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters' values for what Optuna drew: choices as they are, fractions with `DIGITS` digits."""
    settings = {}
    for key, value in drawn.items():
        entry = params.tune.space[key]
        if isinstance(entry, list):
            value = entry[[format_value(choice) for choice in entry].index(value)]
        elif isinstance(value, float):
            value = float(np.clip(float(f"{value:.{DIGITS}g}"), entry.low, entry.high))
        settings[key] = value
    return settings


def present_value(params: Params, key: str) -> Any:
    """Return the value of a dotted key; `InputError` if there is none or it is a section."""
    place = params.model_dump()
    for name in key.split("."):
        if not isinstance(place, dict) or name not in place:
            raise InputError(f"tune.space names {key}, which params.yaml has not: remove it or correct its name")
        place = place[name]
    if isinstance(place, dict):
        raise InputError(f"tune.space names {key}, which is a section: name one of its settings ({', '.join(place)})")
    return place


def with_settings(params: Params, settings: dict[str, Any]) -> Params:
    """Return the parameters with some values changed, by their dotted keys; `InputError` if they are not allowed."""
    content = params.model_dump()
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[name] = value
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        # of a union, such as a word or a number, pydantic reports each member: the last one is what is meant
        problem = error.errors()[-1]
        changes = ", ".join(f"{key}={format_value(value)}" for key, value in settings.items())
        raise InputError(f"tune.space allows {changes}, params.yaml does not: {problem['msg']}") from None


def format_value(value: Any) -> str:
    """Return a value as ``dvc exp run -S key=value`` takes it (Hydra's grammar).

    Numbers are written out: 0.00001, because 1e-05 is a word to some readers of YAML.
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
    raise InputError(f"tune.space has the choice {value!r}; allowed are numbers, words, true, false, null and lists")


def _distribution(key: str, entry: list | SearchRange, start: Any) -> BaseDistribution:
    if isinstance(entry, list):
        texts = [format_value(choice) for choice in entry]
        if len(set(texts)) < len(texts):
            raise InputError(f"tune.space.{key} is {entry}; allowed is each choice once")
        return CategoricalDistribution(texts)
    if isinstance(entry.low, int) and isinstance(entry.high, int) and not isinstance(start, float):
        return IntDistribution(entry.low, entry.high, log=entry.log)
    return FloatDistribution(entry.low, entry.high, log=entry.log)
