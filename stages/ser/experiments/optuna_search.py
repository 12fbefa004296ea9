"""The search: Optuna's tree-structured Parzen estimator over experiments, kept in a journal so that it can go on.

Trial 0 is the start, the parameters as they are committed. Every later trial draws from a sampler of its own seed and
from the scores before it, so that a search that was killed proposes what an undisturbed one would have.

Optuna draws together only the parameters that all scored trials have: one trial that lacks a value, such as a start
with ``gamma: scale`` where a range of numbers is searched, takes that parameter out for the whole study. (The sampler's
``group`` does not mend this: it then draws both in groups of their own, for good.) So the sampler sees the trials that
have a value for every parameter, and no others.

References
----------
.. [1] J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for hyper-parameter optimization", NeurIPS 2011.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from ser.experiments.search_space import settings_of, start_values
from ser.experiments.trials import TrialError
from ser.settings.all_sections import Params
from ser.storage.seeds import derive_seed

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study_name(commit: str, model: str, params: Params) -> str:
    """Return a short name that changes with the commit, the model, the start, the space and the seed."""
    content = params.model_dump_json(exclude={"tune": {"trials"}, "compute": True})
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


def add_start(study: optuna.Study, params: Params, distributions: dict[str, BaseDistribution], score: float) -> None:
    """Make the start trial 0, with those of its values that lie in the space."""
    values = start_values(params, distributions)
    study.add_trial(
        create_trial(
            value=score,
            params=values,
            distributions={key: distributions[key] for key in values},
            user_attrs={"settings": {}},
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
    scored = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
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
        Takes settings by dotted key, returns the validation UAR or raises `TrialError`.
    """
    settings = settings_of(params, trial.params)
    trial.set_user_attr("settings", settings)
    trial.set_user_attr("experiment", name)
    for earlier in finished(study):
        if earlier.user_attrs["settings"] == settings:
            for key in ("experiment", "reason"):
                if key in earlier.user_attrs:
                    trial.set_user_attr(key, earlier.user_attrs[key])
            study.tell(trial, earlier.value, state=earlier.state)
            return
    try:
        study.tell(trial, score(settings))
    except TrialError as error:
        trial.set_user_attr("reason", str(error))
        study.tell(trial, state=TrialState.FAIL)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that have a score or failed, in their order."""
    return study.get_trials(deepcopy=False, states=[TrialState.COMPLETE, TrialState.FAIL])


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
