"""The ablation: which variants of the settings are tried, and what each scores beside the base.

`read_ablation` reads what `benchmarks/ablation.yaml` asks, `plan_trials` checks all of it before anything runs, and
`score_trial` compares the predictions that a trial, a DVC experiment, has left with those of the base.
"""

import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ser.errors import InputError
from ser.evaluation.comparisons import compare_uar, verdicts
from ser.evaluation.confusions import confusions_by_speaker, left_out_scores, uar
from ser.evaluation.intervals import Difference, Interval, holm
from ser.evaluation.model_scores import validation_scores
from ser.evaluation.protocol import comparability
from ser.evaluation.scored_speakers import interval_of, speakers_of
from ser.review.pull_request import tests_other_emotions, why_not_paired
from ser.settings.all_sections import Params, models_by_trainer, why_left_out
from ser.settings.overrides import format_value, with_settings
from ser.settings.params_file import Section, validated
from ser.storage.prediction_tables import scored_rows

BASE = "base"
OTHER_PROTOCOL, THE_BASE = "another protocol", "the base itself"
Model = Annotated[str, Field(pattern=r"^\w+/[\w-]+$")]  # <trainer>/<model>, as in data/predictions


class Variant(Section):
    """Settings that are changed, and the models whose scores are asked for."""

    changes: Annotated[dict[str, Any], Field(min_length=1)]
    models: Annotated[list[Model], Field(min_length=1)]


class Ablation(Section):
    """Settings of the base, and the variants by name."""

    settings: dict[str, Any]
    variants: Annotated[dict[str, Variant], Field(min_length=1)]


class Trial(NamedTuple):
    """One experiment: what it is called, what it changes of the committed and of the base's settings, its models."""

    name: str
    settings: dict[str, Any]
    changes: dict[str, Any]
    models: list[str]
    params: Params

    @property
    def stages(self) -> list[str]:
        """The stages that write its models' predictions, sorted."""
        trainers = {path.partition("/")[0] for path in self.models}
        # which is no stage but one a checkpoint and mode, whose tables another stage gathers
        return sorted("gather_transformers" if name == "train_transformer" else name for name in trainers)

    def experiment(self, commit: str) -> str:
        """Return a name for the experiment that changes with the commit, the settings and the stages."""
        content = json.dumps([commit, self.settings, self.stages], sort_keys=True)
        word = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"ablation-{word}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"


class Outcome(NamedTuple):
    """What a trial left: predictions by model, clips, folds, and the minutes that it took (NaN: unknown)."""

    tables: dict[str, pd.DataFrame]
    clips: pd.DataFrame
    folds: pd.DataFrame
    minutes: float


def read_ablation(path: Path | str) -> Ablation:
    """Read and check the file of variants; `InputError` says what is wrong with it."""
    try:
        content = YAML(typ="safe", pure=True).load(Path(path))
    except FileNotFoundError:
        raise InputError(f"{path} not found: run it from the root of the repository") from None
    except YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    return validated(Ablation, content, str(path))


def plan_trials(
    params: Params,
    ablation: Ablation,
    given: dict[str, Any],
    stages: Collection[str],
    *,
    only: Collection[str] = (),
    where: str,
) -> list[Trial]:
    """Return the base and the variants as trials, the base first.

    Parameters
    ----------
    params : Params
        The committed ones.
    ablation : Ablation
    given : dict
        Settings of the base by dotted key, which come before those of the file; a variant's changes come before both.
    stages : collection of str
        Those of dvc.yaml.
    only : collection of str
        Names of variants; by default all.
    where : str
        The file, for messages.

    Raises
    ------
    InputError
        A setting that params.yaml does not have or allow, a model or a variant that there is not.
    """
    if unknown := [name for name in only if name not in ablation.variants]:
        raise InputError(f"{where} has no variant {unknown[0]!r}; there are: {', '.join(ablation.variants)}")
    chosen = {name: variant for name, variant in ablation.variants.items() if not only or name in only}
    settings = ablation.settings | given
    models = list(dict.fromkeys(model for variant in chosen.values() for model in variant.models))
    trials = [Trial(BASE, settings, {}, models, with_settings(params, settings, f"{where}, {BASE}"))]
    for name, variant in chosen.items():
        whole = settings | variant.changes
        checked = with_settings(params, whole, f"{where}, {name}")
        trials.append(Trial(name, whole, variant.changes, variant.models, checked))
    for trial in trials:
        for value in trial.settings.values():
            format_value(value)  # what DVC cannot set is not found out half-way
        models = models_by_trainer(trial.params) | {"fuse": ["ensemble"]}
        for path in trial.models:
            trainer, _, model = path.partition("/")
            if trainer not in stages or model not in models.get(trainer, [model]):  # a trainer of the user's own
                allowed = ", ".join(f"{trainer}/{model}" for trainer in models for model in models[trainer])
                reason = why_left_out(trial.params, model)
                what = f"{path} is not trained ({reason})" if reason else f"no stage writes {path}"
                raise InputError(f"{where}, {trial.name}: {what}; allowed are {allowed}")
    return trials


def score_trial(trial: Trial, outcome: Outcome, base: Trial, base_outcome: Outcome) -> pd.DataFrame:
    """Score the models of a trial and compare them with the base's.

    Parameters
    ----------
    trial, base : Trial
    outcome, base_outcome : Outcome
        With the predictions of all of the trial's models.

    Returns
    -------
    pd.DataFrame
        ``variant, changes, model, scheme, normalization, folds, speaker_dependent, validation_uar, uar, low, high,
        difference, difference_low, difference_high, p, same_protocol, is_base, minutes``, a row a model. Interval and
        p of a difference are there only where the same clips were tested in the same folds (see `why_not_paired`), by
        the same protocol. Where the test clips show other emotions there is no difference at all.
    """
    params, confidence = trial.params, trial.params.evaluate.confidence
    validation = validation_scores(outcome.tables)
    warning, _ = comparability(outcome.clips, outcome.folds, params.split.scheme)
    same_protocol = protocol(params) == protocol(base.params)
    rows = []
    for path in trial.models:
        model = path.partition("/")[2]
        table, before = outcome.tables[model], base_outcome.tables[model]
        score, base_score = _uar(table, outcome.clips, confidence), _uar(before, base_outcome.clips, confidence)
        comparable = not tests_other_emotions({model: before}, {model: table})
        value = score.value - base_score.value if comparable else np.nan  # means over other emotions have none
        difference = Difference(value, np.nan, np.nan, np.nan)
        if same_protocol and not why_not_paired({model: before}, {model: table}, outcome.clips):
            difference = compare_uar(table, before, outcome.clips, confidence=confidence)
        rows.append(
            {
                "variant": trial.name,
                "changes": ", ".join(f"{key}={format_value(value)}" for key, value in trial.changes.items()),
                "model": model,
                **dict(zip(("scheme", "normalization"), protocol(params), strict=True)),
                "folds": table["fold"].nunique(),
                "speaker_dependent": bool(warning),
                "validation_uar": validation.get(model, np.nan),
                **dict(zip(("uar", "low", "high"), score, strict=True)),
                **dict(zip(("difference", "difference_low", "difference_high", "p"), difference, strict=True)),
                "same_protocol": same_protocol and comparable,
                "is_base": params == base.params,
                "minutes": outcome.minutes,
            }
        )
    return pd.DataFrame(rows)


def judge(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Add a ``verdict`` to the scores of all trials in place of ``p``, ``same_protocol`` and ``is_base``.

    Every variant is a question, and many questions find something by chance: p-values are corrected (Holm 1979). Scores
    of another protocol are no better or worse: they answer another question.
    """
    is_base, same_protocol = rows["is_base"], rows["same_protocol"]
    corrected = pd.Series(holm(rows["p"].where(same_protocol & ~is_base).to_numpy(dtype=float)), index=rows.index)
    words = pd.Series(verdicts(rows["difference"], corrected, 1 - confidence), index=rows.index)
    words = words.mask(~same_protocol, OTHER_PROTOCOL).mask(is_base, THE_BASE).mask(rows["variant"] == BASE, "")
    result = rows.drop(columns=["p", "same_protocol", "is_base"])
    result.insert(result.columns.get_loc("minutes"), "verdict", words)
    result.loc[is_base, ["difference", "difference_low", "difference_high"]] = np.nan
    result.loc[is_base & (rows["variant"] != BASE), "minutes"] = np.nan
    return result


def protocol(params: Params) -> tuple[str, str]:
    """Return what scores must share to be compared: the split, and by whose statistics features are normalised."""
    return params.split.scheme, params.train.normalization


def _uar(table: pd.DataFrame, clips: pd.DataFrame, confidence: float) -> Interval:
    rows = scored_rows(table)
    speakers = speakers_of(rows, clips)
    confusions = confusions_by_speaker(rows, speakers.of_row)
    left_out, sizes = left_out_scores(uar, confusions), confusions.sum(axis=-1)
    return interval_of(uar(confusions.sum(axis=0)), left_out, speakers, sizes=sizes, confidence=confidence)
