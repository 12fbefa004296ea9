"""A search for better parameters: every trial is a DVC experiment, or one for each entry of ``tune.overrides``.

A trial's score is the UAR on the validation speakers; with several experiments the mean of theirs. The mean of the
differences from the start would rank the trials alike, as it is lower by the same number for all.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from optuna import Study
from optuna.trial import FrozenTrial, Trial
from tqdm import tqdm

from ser.errors import InputError
from ser.experiments.copied_inputs import untracked_inputs
from ser.experiments.halving import means_so_far, note_scores
from ser.experiments.optuna_search import (
    add_start,
    best_trial,
    finished,
    next_trial,
    open_study,
    run_trial,
    study_name,
)
from ser.experiments.scored_runs import scored_runs
from ser.experiments.search_outcome import conclude, conclude_runs, line, scores_of
from ser.experiments.search_space import TUNE_SPACE, choices, shared_distributions, shared_start
from ser.experiments.trials import (
    TrialError,
    reference,
    require_clean,
    require_finished_commit,
    run_experiment,
    validation_uar,
)
from ser.settings.all_sections import Params, load_params, why_left_out
from ser.settings.overrides import with_settings


class SessionOverError(Exception):
    """The hours of this call have passed."""


class Session:
    """The time that one call may take: no experiment begins after it, but one always does.

    Parameters
    ----------
    hours : float or None
        None: as long as it takes.
    """

    def __init__(self, hours: float | None):
        self.hours = hours
        self.began = time.monotonic()
        self.experiments = 0

    def require_time(self) -> None:
        """Raise `SessionOverError` if no other experiment may begin."""
        if self.hours is not None and self.experiments and time.monotonic() >= self.began + 3600 * self.hours:
            raise SessionOverError(f"{self.hours:g} hours have passed")


class Search:
    """What the trials of a search have in common.

    Parameters
    ----------
    params : Params
    model : str
    hours : float or None
        See `Session`.
    folder : Path
        Keeps the journals and logs of all searches.
    """

    def __init__(self, params: Params, model: str, hours: float | None, folder: Path):
        self.params, self.model, self.session = params, model, Session(hours)
        self.runs = scored_runs(params)
        for run in self.runs:
            if reason := why_left_out(run.params, model):
                where = f" with {run.name} of tune.overrides" if run.name else ""
                raise InputError(
                    f"tune.model is {model}, which is not trained{where} ({reason}): train it, or name another model "
                    "(MODEL=ensemble)"
                )
        self.distributions = shared_distributions([run.params for run in self.runs])
        self.commit = require_finished_commit()
        self.name = study_name(self.commit, model, params, self.runs)
        self.folder = folder / self.name
        self.copied = [untracked_inputs(params, run.params, *choices(run.params)) for run in self.runs]

    def experiment(self, number: int) -> str:
        """Return the name of a trial, which those of its experiments begin with."""
        return f"tune-{self.name}-{number}"

    def start(self) -> dict[str, float]:
        """Return the scores of the start by run. The commit itself was reproduced, so it need not run again."""
        scores = {}
        if self.params.tune.overrides:
            print(f"the start, trial 0, is run with {', '.join(run.name for run in self.runs)}", flush=True)
        for place, run in enumerate(self.runs):
            try:
                if run.params == self.params:
                    scores[run.name] = validation_uar(self.commit, self.model)
                else:
                    scores[run.name] = self.uar(0, place, {})
            except TrialError as error:
                what = f"the start with {run.name}" if run.name else f"commit {self.commit[:7]}"
                raise InputError(f"{what} has no score: {error}") from None
        return scores

    def score(self, study: Study, trial: Trial, settings: dict, say: Callable[[str], None]) -> float:
        """Return the score of a trial, run by run; see `run_trial`."""
        for run in self.runs:
            try:
                with_settings(run.params, settings, TUNE_SPACE)  # each is allowed; perhaps not together
            except InputError as error:
                raise TrialError(f"{run.name}: {error}" if run.name else str(error)) from None
        scores: dict[str, float] = {}
        for place, run in enumerate(self.runs):
            say(run.name)
            try:
                scores[run.name] = self.uar(trial.number, place, settings)
            except TrialError as error:
                raise TrialError(f"{run.name}: {error}" if run.name else str(error)) from None
            note_scores(study, trial, scores, len(self.runs), self.params.tune.halving)
        return means_so_far(scores)[-1]

    def uar(self, number: int, place: int, settings: dict) -> float:
        """Run one of a trial's experiments unless it is there; return its validation UAR."""
        run = self.runs[place]
        experiment, log = run.experiment(self.experiment(number)), run.experiment(str(number))
        self.session.require_time()
        require_clean(self.commit)
        ran = True
        try:
            ran = run_experiment(
                experiment,
                self.commit,
                run.settings | settings,
                self.copied[place],
                self.folder / f"{log}.log",
                run.stages,
            )
        finally:
            self.session.experiments += ran
        return validation_uar(reference(experiment, self.commit), self.model)


def search(model: str | None, trials: int | None, hours: float | None, folder: Path) -> None:
    """Try settings until `trials` of them were scored, stopped or failed beside the start; keep the best."""
    params = load_params()
    trials = trials or params.tune.trials
    search = Search(params, model or params.tune.model, hours or params.tune.hours, folder)
    study = open_study(search.name, search.folder)
    try:
        if not finished(study):
            values = shared_start([run.params for run in search.runs], search.distributions)
            add_start(study, values, search.distributions, search.start())
        try_settings(search, study, trials)
    except SessionOverError as over:
        done = finished(study)
        best = f"; best so far {best_trial(study).value:.4f} (trial {best_trial(study).number})" if done else ""
        print(f"\n{over}: {max(len(done) - 1, 0)} of {trials} trials done{best}; run it again to go on")
        return
    if params.tune.overrides:
        conclude_runs(study, search.runs, search.name)
    else:
        conclude(study, params, search.commit)


def try_settings(search: Search, study: Study, trials: int) -> None:
    """Run trials until there are as many beside the start."""
    start, done = finished(study)[0], len(finished(study)) - 1
    if outside := search.distributions.keys() - start.params.keys():
        print(f"the start does not teach the sampler: tune.space leaves out its {', '.join(sorted(outside))}")
    several = f" (the mean of {scores_of(start)})" if search.params.tune.overrides else ""
    print(
        f"search {search.name}: {search.model}, validation UAR {start.value:.4f}{several} at commit "
        f"{search.commit[:7]}, the start"
    )
    each = "is the DVC experiment" if not several else "has DVC experiments, their names begin with"
    print(f"{done} of {trials} trials done; each {each} {search.experiment(0)[:-1]}<trial>")
    with tqdm(total=trials, initial=min(done, trials), unit="trial", dynamic_ncols=True) as bar:
        while len(finished(study)) <= trials:
            require_clean(search.commit)
            trial = next_trial(study, search.distributions, search.params.tune.seed)
            best = best_trial(study)

            def say(run: str, number: int = trial.number, best: FrozenTrial = best) -> None:
                which = f"trial {number} {run}".rstrip()
                bar.set_description(f"{which}, best {best.value:.4f} (trial {best.number})")

            def score(settings: dict, trial: Trial = trial, say: Callable = say) -> float:
                return search.score(study, trial, settings, say)

            run_trial(study, trial, search.params, search.experiment(trial.number), score)
            bar.write(line(finished(study)[-1]), file=sys.stdout)
            bar.update()
