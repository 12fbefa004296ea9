"""A search for better parameters: every trial is a DVC experiment, scored by the UAR on validation speakers."""

import sys
from pathlib import Path

from optuna import Study
from optuna.trial import FrozenTrial
from tqdm import tqdm

from ser.errors import InputError
from ser.experiments.copied_inputs import untracked_inputs
from ser.experiments.optuna_search import (
    add_start,
    best_trial,
    finished,
    next_trial,
    open_study,
    run_trial,
    study_name,
)
from ser.experiments.search_space import TUNE_SPACE, choices, search_distributions, start_values
from ser.experiments.trials import (
    TrialError,
    apply_experiment,
    reference,
    require_clean,
    require_finished_commit,
    run_experiment,
    validation_uar,
)
from ser.settings.all_sections import Params, load_params, why_left_out
from ser.settings.overrides import format_value, present_value, with_settings


def search(model: str | None, trials: int | None, folder: Path) -> None:
    """Try settings until `trials` of them were scored or failed beside the start; apply the best."""
    params = load_params()
    model, trials = model or params.tune.model, trials or params.tune.trials
    if reason := why_left_out(params, model):
        raise InputError(
            f"tune.model is {model}, which is not trained ({reason}): train it, or name another model (MODEL=ensemble)"
        )
    distributions = search_distributions(params)
    commit = require_finished_commit()
    name = study_name(commit, model, params)
    copied = untracked_inputs(params, params, *choices(params))

    def score(number: int, settings: dict) -> float:
        experiment = f"tune-{name}-{number}"
        try:
            with_settings(params, settings, TUNE_SPACE)  # each is allowed; perhaps not together
        except InputError as error:
            raise TrialError(str(error)) from None
        run_experiment(experiment, commit, settings, copied, folder / name / f"{number}.log")
        return validation_uar(reference(experiment, commit), model)

    study = open_study(name, folder / name)
    if not finished(study):
        add_start(study, params, distributions, start_uar(commit, model))
    if outside := distributions.keys() - start_values(params, distributions).keys():
        print(f"the start does not teach the sampler: tune.space leaves out its {', '.join(sorted(outside))}")
    done = len(finished(study)) - 1
    print(f"search {name}: {model}, validation UAR {finished(study)[0].value:.4f} at commit {commit[:7]}, the start")
    print(f"{done} of {trials} trials done; each is the DVC experiment tune-{name}-<trial>")
    with tqdm(total=trials, initial=min(done, trials), unit="trial", dynamic_ncols=True) as bar:
        while len(finished(study)) <= trials:
            require_clean(commit)
            trial = next_trial(study, distributions, params.tune.seed)
            best = best_trial(study)
            bar.set_description(f"trial {trial.number}, best {best.value:.4f} (trial {best.number})")
            run_trial(study, trial, params, f"tune-{name}-{trial.number}", lambda s, n=trial.number: score(n, s))
            bar.write(line(finished(study)[-1]), file=sys.stdout)
            bar.update()
    conclude(study, params, commit)


def start_uar(commit: str, model: str) -> float:
    """Return the score of the commit itself: it was reproduced, so it need not run again."""
    try:
        return validation_uar(commit, model)
    except TrialError as error:
        raise InputError(f"commit {commit[:7]} has no score: {error}") from None


def conclude(study: Study, params: Params, commit: str) -> None:
    """Say which trial is best, bring it into the workspace, and say what to do with it."""
    start, *tried = finished(study)
    failed = [trial for trial in tried if trial.value is None]
    if len(failed) == len(tried):
        raise InputError(f"all {len(failed)} trials failed; the last: {failed[-1].user_attrs['reason']}")
    best = best_trial(study)
    print(
        f"\nvalidation UAR: start {start.value:.4f}, best {best.value:.4f} ({best.value - start.value:+.4f}); "
        f"{len(tried)} trials, {len(failed)} failed. Test scores were not used."
    )
    if best.number == 0:
        print("best: the start (trial 0); the workspace is left as it is")
        return
    require_clean(commit)
    apply_experiment(best.user_attrs["experiment"])
    print(f"best: trial {best.number}, now in the workspace (experiment {best.user_attrs['experiment']})")
    for key, value in best.user_attrs["settings"].items():
        print(f"  {key}: {format_value(present_value(params, key, TUNE_SPACE))} -> {format_value(value)}")
    print(
        "next: look at `dvc params diff` and `dvc metrics diff`; commit params.yaml, dvc.lock and reports on a branch",
        "and\n      run `make pr-report`; or go back with `git restore . && dvc checkout`",
    )


def line(trial: FrozenTrial) -> str:
    """Return a finished trial in one line."""
    settings = ", ".join(f"{key}={format_value(value)}" for key, value in trial.user_attrs["settings"].items())
    score = f"{trial.value:.4f}" if trial.value is not None else f"failed: {trial.user_attrs['reason']}"
    return f"trial {trial.number}: {settings}: {score}"
