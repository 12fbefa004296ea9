"""The loop around every trainer: a model for each fold, scored on clips it has not seen, then one for use.

Fits that an earlier run has left are taken over; the others are spread over the cores, the longest first.
"""

import json
from collections import Counter, deque
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ser.compute.job_queue import run_jobs
from ser.features.column_groups import feature_groups
from ser.folds.speaker_groups import one_emotion_warning
from ser.networks.checkpoints import CHECKPOINTS, remove_checkpoints
from ser.networks.layer_graph import Layer
from ser.probabilities.model_results import add_results, temperatures_of
from ser.settings.compute_section import Compute
from ser.settings.train_section import Train
from ser.storage.kept_folders import kept_folder
from ser.storage.prediction_tables import write_temperatures
from ser.storage.whole_files import write_json
from ser.training.adapted_folds import require_adaptable
from ser.training.dataset import (
    DATA,
    Dataset,
    Inputs,
    Source,
    data_digest,
    file_stamps,
    fold_names,
    open_dataset,
    require_speakers,
)
from ser.training.fit_rows import Job, inner_jobs, rows_of_job
from ser.training.kept_fits import HERE, Outcome, restore_fit
from ser.training.model_fits import MODELS, Plan, fit_key, model_folder, run_job
from ser.training.result_tables import table_path, write_tables
from ser.training.seeded_networks import seeds_of

TIMES = CHECKPOINTS / "seconds.json"
# s that a fit takes for each clip it learns from until it was measured here; of some hundred demo clips with copies
EXPECTED = {
    "logistic_regression": 0.001,
    "discriminant_analysis": 0.001,
    "svm_rbf": 0.003,
    "svm_poly": 0.002,
    "random_forest": 0.007,
    "mlp": 0.003,
    "lightgbm": 0.005,
}
UNKNOWN = 0.1  # of a network
START = 8.0  # s of work below which workers cost more, by starting and importing what fits, than they spare


def cross_fit(
    trainer: str,
    module: str,
    kind: str | Inputs,
    fits: dict[str, dict],
    *,
    settings: Train,
    compute: Compute,
    alone: bool = False,
) -> dict[str, list[Layer]]:
    """Train models on every fold, then once more for use; write models, predictions, histories and importances.

    Parameters
    ----------
    trainer : str
        Names the folders below data/models, data/predictions, data/history and data/importance.
    module : str
        The module with ``fit``, ``save``, ``load``, ``predict_proba`` and, of networks, ``network_layers``, such as
        ``ser.models.lstm``. By name: a stage whose fits are all there imports no framework.
    kind : {"functionals", "frames", "logmel"} or Inputs
        The input of the models.
    fits : dict of str to dict
        By model what is given to ``fit`` besides ``(train, validation, classes, seed=…, epochs=…, checkpoint=…)``: its
        ``settings``, and nothing that it does not depend on; see `last_job`. It returns a
        `ser.networks.early_stopping.Fitted`.
    settings : Train
        Section ``train`` of the parameters; each fit derives its own seed from that.
    compute : Compute
        See `run_jobs`.
    alone : bool
        Each model of the trainer is a DVC stage, and this is the only one in `fits`. As stages cannot share a folder of
        tables, they go to that of the model, as ``predictions.csv``, ``history.csv``, ``importance.csv`` and
        ``temperatures.json``.

    Returns
    -------
    dict of str to list of Layer
        The layers of each network for use.
    """
    files = file_stamps(kind)  # before they are read: of what is written meanwhile nothing is kept
    data = open_dataset(kind)
    if data.left_out:
        print(f"  {data.left_out}")
    if settings.normalization == "speaker":
        require_speakers(data.clips)
    if settings.adapt != "none":
        require_adaptable(data, settings.adapt == "labels")
    if warning := one_emotion_warning(data.clips, settings.normalization):
        print(f"  warning: {warning}")
    plan = Plan(
        trainer=trainer,
        stage=f"{trainer}@{next(iter(fits))}" if alone else trainer,  # one must not remove the checkpoints of another
        module=module,
        source=Source(data_digest(data), kind, settings.normalization, files),
        fits=fits,
        groups=feature_groups(data.description),
        settings=settings,
        here=HERE,
    )
    outcomes, taken = fit_all(plan, data, compute)
    temperatures = {}
    for model in fits:
        of_folds = {job: outcome for job, outcome in outcomes.items() if job.model == model and job.fold}
        path_of = partial(table_path, trainer=trainer, model=model, alone=alone)
        kept = sum(job in taken for job in of_folds)
        stopped = patience_of(fits[model]) is not None
        predictions = write_tables(model, of_folds, path_of, stopped_early=stopped, taken_over=kept)
        for fold, rows in predictions.groupby("fold"):
            add_results(MODELS / trainer / model / f"fold_{fold}", rows)
        add_results(MODELS / trainer / model, predictions)
        temperatures[model] = temperatures_of(predictions)
        write_temperatures(temperatures, path_of("predictions").parent)
    if not alone and not (histories := DATA / "history" / trainer).is_dir():
        write_json({"models": []}, histories / "models.json")  # a declared output, and DVC warns of empty folders
    if taken:
        print(f"  {len(taken)} of {len(outcomes)} fits taken over from earlier runs")
    remove_checkpoints(plan.stage)
    return {job.model: outcome.layers for job, outcome in outcomes.items() if job.fold is None}


def fit_all(plan: Plan, data: Dataset, compute: Compute) -> tuple[dict[Job, Outcome], set[Job]]:
    """Return what all fits left, in the order of models and folds, and which of them were taken over."""
    folds, times = fold_names(data), read_times()
    outcomes: dict[Job, Outcome] = {}
    taken: set[Job] = set()
    queue: deque[tuple[Job, str]] = deque()

    handed_out: set[Job] = set()

    def hand_out(jobs: list[Job]) -> None:
        missing = []
        handed_out.update(jobs)
        for job in jobs:
            key = fit_key(job, plan, data)
            if (outcome := restore_fit(key, model_folder(plan.trainer, job))) is None:
                missing.append((job, key))
            else:
                outcomes[job] = outcome
                taken.add(job)
        missing.sort(key=lambda item: expected_seconds(item[0], plan, data, times))
        queue.extendleft(missing)  # the longest comes last, and is then the first

    def hand_out_waiting(model: str) -> None:
        """Go on with the fits of a model that is stopped early that learn for as long as others have shown."""
        own = plan.fits[model]
        if patience_of(own) is None:
            return
        for fold in folds:
            inner = inner_jobs(data, model, fold, plan.settings)
            if inner and all(job in outcomes for job in inner):
                hand_out_once(last_job(model, fold, own, [outcomes[job].epochs for job in inner]))
        tested = [job for job in outcomes if job.model == model and job.fold and job.inner is None]
        if len(tested) == len(folds):
            hand_out_once(last_job(model, None, own, [outcomes[job].epochs for job in tested]))

    def hand_out_once(job: Job | None) -> None:
        if job is not None and job not in handed_out:
            hand_out([job])

    jobs = []
    for model, own in plan.fits.items():
        if (for_use := last_job(model, None, own)) is not None:
            jobs.append(for_use)
        for fold in folds:
            inner = inner_jobs(data, model, fold, plan.settings)
            tested = last_job(model, fold, own) if inner else Job(model, fold)
            jobs += [*inner, *([tested] if tested else [])]
    hand_out(jobs)
    for model in plan.fits:
        hand_out_waiting(model)
    if compute.backend == "loky" and sum(expected_seconds(job, plan, data, times) for job, _ in queue) < START:
        compute = compute.model_copy(update={"workers": 1})  # others would take longer to start than there is to do
    if queue:
        run = partial(run_job, plan=plan)
        for (job, _), outcome in run_jobs(run, queue, compute=compute, label=plan.trainer, unit="fit"):
            outcomes[job] = outcome
            hand_out_waiting(job.model)
        write_times(times | measured_times(plan, data, outcomes, taken))
    places = {model: place for place, model in enumerate(plan.fits)}

    def place(job: Job) -> tuple[int, int, int]:
        """Models and folds in their order; of a fold the model that is tested comes before the inner ones."""
        inner = -1 if job.inner is None else job.inner
        return places[job.model], folds.index(job.fold) if job.fold else len(folds), inner

    return {job: outcomes[job] for job in sorted(outcomes, key=place)}, taken


def expected_seconds(job: Job, plan: Plan, data: Dataset, times: dict[str, float]) -> float:
    """Return about how long a fit will take, and what waits for it; no result depends on that.

    Parameters
    ----------
    job : Job
    plan : Plan
    data : Dataset
    times : dict of str to float
        See `read_times`.
    """
    a_clip = times.get(f"{plan.trainer}/{job.model}", EXPECTED.get(job.model, UNKNOWN)) * seeds_of(plan.fits[job.model])
    clips = rows_of_job(data, job, plan.settings).learnt.sum()
    if job.fold is not None and patience_of(plan.fits[job.model]) is not None:  # others wait for it
        clips += rows_of_job(data, Job(job.model, None), plan.settings).learnt.sum()
    return float(a_clip * clips)


def read_times() -> dict[str, float]:
    """Return the seconds that fits took for each clip they learnt from, by ``<trainer>/<model>``; measured earlier."""
    try:
        return {name: float(a_clip) for name, a_clip in json.loads(kept_folder(TIMES, Path.cwd()).read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):  # nothing yet, or nothing of use
        return {}


def write_times(times: dict[str, float]) -> None:
    """Keep what `read_times` reads."""
    write_json(times, kept_folder(TIMES, Path.cwd()))


def measured_times(plan: Plan, data: Dataset, outcomes: dict[Job, Outcome], taken: set[Job]) -> dict[str, float]:
    """Return seconds for each clip, by ``<trainer>/<model>``, of the models that were fitted on a fold."""
    seconds, clips = Counter(), Counter()
    for job, outcome in outcomes.items():
        if job.fold and job not in taken:
            seconds[f"{plan.trainer}/{job.model}"] += outcome.seconds
            learnt = int(rows_of_job(data, job, plan.settings).learnt.sum())
            clips[f"{plan.trainer}/{job.model}"] += learnt * seeds_of(plan.fits[job.model])
    return {name: seconds[name] / clips[name] for name in seconds}


def last_job(model: str, fold: str | None, own: dict, epochs: Sequence[int] | None = None) -> Job | None:
    """Return the fit that nobody watches: as many epochs as the settings say or, stopped early, the median of others.

    Parameters
    ----------
    model : str
    fold : str or None
        None: for use, on all speakers.
    own : dict
        What is given to its ``fit``: ``settings`` and, where that section has one for each of several models, the
        ``name`` of the model's.
    epochs : sequence of int, optional
        That the others kept. Without them the fit of a model that is stopped early is not known yet: None.
    """
    if patience_of(own) is None:
        return Job(model, fold, getattr(_own_settings(own), "epochs", None))
    return None if epochs is None else Job(model, fold, int(np.median(epochs)))


def patience_of(own: dict) -> int | None:
    """Return for how many epochs a fit waits for a better one; None: it has no epochs, or keeps the last of them all.

    Parameters
    ----------
    own : dict
        See `last_job`.
    """
    return getattr(_own_settings(own), "patience", None)


def _own_settings(own: dict) -> object:
    settings = own["settings"]
    return getattr(settings, own.get("name", ""), settings)
