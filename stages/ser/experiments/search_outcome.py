"""What is said and kept of a search: a line a trial, and the best of them."""

from collections.abc import Sequence

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from ser.errors import InputError
from ser.experiments.optuna_search import best_trial, finished
from ser.experiments.scored_runs import Run
from ser.experiments.search_space import TUNE_SPACE
from ser.experiments.trials import apply_experiment, require_clean
from ser.settings.all_sections import Params
from ser.settings.overrides import FOLDER, format_value, present_value
from ser.storage.whole_files import written


def conclude(study: Study, params: Params, commit: str) -> None:
    """Say which trial is best, bring it into the workspace, and say what to do with it."""
    best = summarise(study)
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


def conclude_runs(study: Study, runs: Sequence[Run], name: str) -> None:
    """Say which trial is best of the search `name` over several runs; write its settings into a file of overrides/.

    No experiment has the settings and all corpora, as each is of one run. The file has a name of its own, because the
    search may have begun with what an earlier one has found.
    """
    best = summarise(study)
    for run, before in finished(study)[0].user_attrs["scores"].items():
        after = best.user_attrs["scores"][run]
        print(f"  {run}: {before:.4f} -> {after:.4f} ({after - before:+.4f})")
    if best.number == 0:
        print("best: the start (trial 0); nothing is written")
        return
    settings, path = best.user_attrs["settings"], FOLDER / f"tuned-{name}.yaml"
    about = f"# best of {len(finished(study)) - 1} trials of `ser tune` by the validation speakers of "
    lines = [f"{key}: {format_value(value)}" for key, value in settings.items()]
    with written(path) as temporary:
        temporary.write_text("\n".join([about + ", ".join(run.name for run in runs), *lines, ""]), encoding="utf-8")
    print(f"best: trial {best.number}, written to {path}")
    for key, value in settings.items():
        before = dict.fromkeys(format_value(present_value(run.params, key, TUNE_SPACE)) for run in runs)
        print(f"  {key}: {' or '.join(before)} -> {format_value(value)}")
    entry = " ".join([*runs[-1].params.tune.overrides[-1], path.stem])
    print(f"next: `ser override {entry}` and `dvc repro`, to see what it brings; git add {path} to keep it")


def summarise(study: Study) -> FrozenTrial:
    """Say what came of the trials and return the best; `InputError` if all but the start failed."""
    start, *tried = finished(study)
    failed = [trial for trial in tried if trial.state == TrialState.FAIL]
    stopped = sum(trial.state == TrialState.PRUNED for trial in tried)
    if len(failed) == len(tried):
        raise InputError(f"all {len(failed)} trials failed; the last: {failed[-1].user_attrs['reason']}")
    best = best_trial(study)
    print(
        f"\nvalidation UAR: start {start.value:.4f}, best {best.value:.4f} ({best.value - start.value:+.4f}); "
        f"{len(tried)} trials, {len(failed)} failed{f', {stopped} stopped' if stopped else ''}. "
        "Test scores were not used."
    )
    return best


def line(trial: FrozenTrial) -> str:
    """Return a finished trial in one line."""
    settings = ", ".join(f"{key}={format_value(value)}" for key, value in trial.user_attrs["settings"].items())
    if trial.state == TrialState.COMPLETE:
        several = f" ({scores_of(trial)})" if len(trial.user_attrs.get("scores", {})) > 1 else ""
        return f"trial {trial.number}: {settings}: {trial.value:.4f}{several}"
    reason = trial.user_attrs["reason"]
    return f"trial {trial.number}: {settings}: {reason if trial.state == TrialState.PRUNED else f'failed: {reason}'}"


def scores_of(trial: FrozenTrial) -> str:
    """Return the scores of a trial's runs in words."""
    return ", ".join(f"{run} {score:.4f}" for run, score in trial.user_attrs["scores"].items())
