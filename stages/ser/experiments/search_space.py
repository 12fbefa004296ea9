"""The search space of ``tune.space``: what may be tried, as Optuna knows it."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ser.errors import InputError
from ser.settings.all_sections import Params
from ser.settings.overrides import format_value, present_value, with_settings
from ser.settings.tool_sections import SearchRange

TUNE_SPACE = "tune.space"
# All of prepare decides which clips there are: cleaning makes some too short, silent or copies of one another.
SEARCHED = (
    "augment",
    "extract",
    "train",
    "train_ml",
    "train_lstm",
    "train_residual_keras",
    "train_cnn",
    "train_transformer",
    "fuse",
)
FIXED = re.compile(r"train\.(normalization|importance_repeats)|.*\bseed")
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
        start = present_value(params, key, TUNE_SPACE)
        if key.partition(".")[0] not in SEARCHED or FIXED.fullmatch(key):
            raise InputError(
                f"tune.space names {key}, which decides what is validated, or does not bear on it: scores would not be "
                f"comparable; allowed are settings in {', '.join(SEARCHED)}, without seeds, train.normalization and "
                "train.importance_repeats"
            )
        switch = f"{key.partition('.')[0]}.enabled"
        if not getattr(getattr(params, key.partition(".")[0]), "enabled", True) and switch not in params.tune.space:
            raise InputError(f"tune.space names {key}, but {switch} is false: no score depends on it; set that to true")
        for value in entry if isinstance(entry, list) else (entry.low, entry.high):
            with_settings(params, {key: value}, TUNE_SPACE)
        result[key] = _distribution(key, entry, start)
    return result


def choices(params: Params) -> list[Params]:
    """Return the parameters with each choice of a list in ``tune.space``, one at a time."""
    lists = {key: entry for key, entry in params.tune.space.items() if isinstance(entry, list)}
    return [with_settings(params, {key: value}, TUNE_SPACE) for key, entry in lists.items() for value in entry]


def shared_distributions(runs: Sequence[Params]) -> dict[str, BaseDistribution]:
    """Check ``tune.space`` against the parameters of every run, see `search_distributions`; return the first's."""
    return [search_distributions(params) for params in runs][0]


def shared_start(runs: Sequence[Params], distributions: dict[str, BaseDistribution]) -> dict[str, Any]:
    """Return the values in which the parameters of all runs agree, of those in the space."""
    first, *others = (start_values(params, distributions) for params in runs)
    return {key: value for key, value in first.items() if all(key in each and each[key] == value for each in others)}


def start_values(params: Params, distributions: dict[str, BaseDistribution]) -> dict[str, Any]:
    """Return what the present parameters are in the space; a key whose value is outside it is left out."""
    found = {}
    for key, distribution in distributions.items():
        value = present_value(params, key, TUNE_SPACE)
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


def _distribution(key: str, entry: list | SearchRange, start: Any) -> BaseDistribution:
    if isinstance(entry, list):
        texts = [format_value(choice) for choice in entry]
        if len(set(texts)) < len(texts):
            raise InputError(f"tune.space.{key} is {entry}; allowed is each choice once")
        return CategoricalDistribution(texts)
    if isinstance(entry.low, int) and isinstance(entry.high, int) and not isinstance(start, float):
        return IntDistribution(entry.low, entry.high, log=entry.log)
    return FloatDistribution(entry.low, entry.high, log=entry.log)
