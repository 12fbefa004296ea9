"""The runs that a trial is scored by: one as params.yaml has it, or one with each entry of ``tune.overrides``."""

from typing import Any, NamedTuple

from ser.errors import InputError
from ser.settings.all_sections import Params
from ser.settings.overrides import collect_settings, format_value, with_settings

TUNE_OVERRIDES = "tune.overrides"


class Run(NamedTuple):
    """What stands beside the settings of a trial: a name (empty: params.yaml as it is), settings, all parameters."""

    name: str
    settings: dict[str, Any]
    params: Params

    @property
    def stages(self) -> list[str]:
        """Those that an experiment runs, and what they depend on; none: all, for it may come into the workspace."""
        return ["evaluate"] if self.name else []  # which writes the validation UAR

    def experiment(self, trial: str) -> str:
        """Return the name of the experiment of a trial."""
        return f"{trial}-{self.name}" if self.name else trial


def scored_runs(params: Params) -> list[Run]:
    """Return the runs in their order.

    Raises
    ------
    InputError
        An entry of ``tune.overrides`` names no file of overrides/, or a setting that is not there, not allowed, or none
        of the stages'.
    """
    if not params.tune.overrides:
        return [Run("", {}, params)]
    runs = []
    for name, entry in zip(_names(params.tune.overrides), params.tune.overrides, strict=True):
        try:
            settings = collect_settings(entry)
            for value in settings.values():
                format_value(value)  # what DVC cannot set is not found out half-way
        except InputError as error:
            raise InputError(f"{TUNE_OVERRIDES}, {' '.join(entry)}: {error}") from None
        if own := [key for key in settings if key.startswith("tune.")]:
            raise InputError(f"{TUNE_OVERRIDES}, {' '.join(entry)}: {own[0]} is for params.yaml, no run depends on it")
        runs.append(Run(name, settings, with_settings(params, settings, f"{TUNE_OVERRIDES}, {' '.join(entry)}")))
    return runs


def _names(entries: list[list[str]]) -> list[str]:
    """Return a name for each entry: those of its files, with its place where another has the same."""
    names = ["-".join(word for word in entry if "=" not in word) or "params" for entry in entries]
    return [name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, start=1)]
