"""The search: Optuna's tree-structured Parzen estimator over experiments, kept in a journal so that it can go on.

Trial 0 is the start, the parameters as they are committed. Every later trial draws from a sampler of its own seed and
from the scores before it, so that a search that was killed proposes what an undisturbed one would have.

Optuna draws together only the parameters that all scored trials have: one trial that lacks a value, such as a start
with ``gamma: scale`` where a range of numbers is searched, takes that parameter out for the whole study. (The sampler's
``group`` does not mend this: it then draws both in groups of their own, for good.) So the sampler sees the trials that
have a value for every parameter, and no others. To it, trials that `ser.experiments.halving` has stopped are
worse than all others; those stopped later are better, and of those stopped after the same run those of a higher score.

References
----------
.. [1] J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for hyper-parameter optimization", NeurIPS 2011.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from ser.experiments.halving import means_so_far
from ser.experiments.scored_runs import Run
from ser.experiments.search_space import settings_of
from ser.experiments.trials import TrialError
from ser.settings.all_sections import Params
from ser.storage.seeds import derive_seed

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study_name(commit: str, model: str, params: Params, runs: Sequence[Run] = ()) -> str:
    """Return a short name that changes with the commit, the model, the start, the runs, the space and the seed."""
    unused = {"halving"} if params.tune.halving is None else set()
    content = params.model_dump_json(exclude={"tune": {"trials", "hours", "overrides"} | unused, "compute": True})
    if params.tune.overrides:
        content += json.dumps([[run.name, run.settings] for run in runs])
    return hashlib.sha256(f"{commit} {model} {content}".encode()).hexdigest()[:6]


def open_study(name: str, folder: Path) -> optuna.Study:
    """Open a search or begin it; `folder` keeps its journal."""
    folder.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    return optuna.create_study(
        study_name=name,
        storage=storage,
        sampler=RandomSampler(),  # is never asked: every trial begins with all its values
        direction="maximize",
        load_if_exists=True,
    )


def add_start(
    study: optuna.Study, values: dict[str, Any], distributions: dict[str, BaseDistribution], scores: dict[str, float]
) -> None:
    """Make the start trial 0.

    Parameters
    ----------
    study : optuna.Study
    values : dict
        Those of the start that lie in the space.
    distributions : dict
    scores : dict
        The validation UAR of each run by the run's name, in their order.
    """
    so_far = means_so_far(scores)
    study.add_trial(
        create_trial(
            value=so_far[-1],
            params=values,
            distributions={key: distributions[key] for key in values},
            user_attrs={"settings": {}, "scores": scores},
            intermediate_values=dict(enumerate(so_far)),
        )
    )


def next_trial(study: optuna.Study, distributions: dict[str, BaseDistribution], seed: int) -> Trial:
    """Return the trial that was interrupted, or the next one, with a value drawn for every key."""
    if begun := study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        trial = Trial(study, begun[0]._trial_id)
    else:
        if not study.get_trials(deepcopy=False, states=[TrialState.WAITING]):
            study.enqueue_trial(propose(study, distributions, seed))
        trial = study.ask()
    for key, distribution in distributions.items():
        _take(trial, key, distribution)
    return trial


def propose(study: optuna.Study, distributions: dict[str, BaseDistribution], seed: int) -> dict[str, Any]:
    """Draw a value for every key, all together, from the scored trials that have one for each."""
    scored = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED])
    sampler = TPESampler(seed=derive_seed(seed, "tune", len(study.get_trials(deepcopy=False))))
    taught = optuna.create_study(sampler=sampler, direction="maximize")
    taught.add_trials([trial for trial in scored if trial.params.keys() == distributions.keys()])
    return taught.ask(distributions).params


def run_trial(study: optuna.Study, trial: Trial, params: Params, name: str, score: Callable[[dict], float]) -> None:
    """Score a trial's settings and record the score, or the reason why there is none.

    Settings that were tried before are not tried again.

    Parameters
    ----------
    study, trial : optuna.Study, optuna.Trial
    params : Params
    name : str
        Of the experiment.
    score : callable
        Takes settings by dotted key, returns the validation UAR or raises `TrialError`, or `optuna.TrialPruned` if the
        trial is not worth its other runs.
    """
    settings = settings_of(params, trial.params)
    trial.set_user_attr("settings", settings)
    trial.set_user_attr("experiment", name)
    for earlier in finished(study):
        if earlier.user_attrs["settings"] == settings:
            for key in ("experiment", "reason", "scores"):
                if key in earlier.user_attrs:
                    trial.set_user_attr(key, earlier.user_attrs[key])
            study.tell(trial, earlier.value if earlier.state == TrialState.COMPLETE else None, state=earlier.state)
            return
    try:
        study.tell(trial, score(settings))
    except (TrialError, optuna.TrialPruned) as error:
        trial.set_user_attr("reason", str(error))
        study.tell(trial, state=TrialState.FAIL if isinstance(error, TrialError) else TrialState.PRUNED)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that have a score, were stopped or failed, in their order."""
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])


def best_trial(study: optuna.Study) -> FrozenTrial:
    """Return the trial with the highest validation UAR, the earlier of equals."""
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    return max(complete, key=lambda each: (each.value, -each.number))


def _take(trial: Trial, key: str, distribution: BaseDistribution) -> None:
    """Take the value that the trial was begun with as one of the parameter's."""
    if isinstance(distribution, CategoricalDistribution):
        trial.suggest_categorical(key, distribution.choices)
    elif isinstance(distribution, IntDistribution):
        trial.suggest_int(key, distribution.low, distribution.high, log=distribution.log)
    else:
        trial.suggest_float(key, distribution.low, distribution.high, log=distribution.log)
