"""Successive halving: which trials are worth the next of the runs that they are scored by.

After each run but the last a trial goes on if its score so far is among the best 1/`halving` of the trials that got as
far, up to itself; of fewer trials than `halving`, if none is better. It is asynchronous successive halving [1]_ for one
trial at a time, in which a trial that does not go on is stopped for good. The verdict depends on nothing but the scores
of earlier trials, so a search that was killed says what an undisturbed one would have. (Optuna's
``SuccessiveHalvingPruner`` has the same rule but notes that a trial has passed before it says whether: a trial that is
killed in between goes on in any case.)

References
----------
.. [1] L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, J. Ben-tzur, M. Hardt, B. Recht, A. Talwalkar, "A system for
   massively parallel hyperparameter tuning", MLSys 2020.
"""

from optuna import Study, TrialPruned
from optuna.trial import Trial


def means_so_far(scores: dict[str, float]) -> list[float]:
    """Return the mean of the first score, of the first two, …: as long as `scores`."""
    values = list(scores.values())
    return [sum(values[:count]) / count for count in range(1, len(values) + 1)]


def note_scores(study: Study, trial: Trial, scores: dict[str, float], runs: int, halving: int | None) -> None:
    """Note what a trial has scored so far.

    Parameters
    ----------
    study : Study
    trial : Trial
    scores : dict
        The validation UAR of each run that is done by the run's name, in their order.
    runs : int
        How many there are to do.
    halving : int or None
        None: every trial goes on.

    Raises
    ------
    optuna.TrialPruned
        The trial does not go on; the message is the reason.
    """
    step, score = len(scores) - 1, means_so_far(scores)[-1]
    trial.set_user_attr("scores", scores)
    earlier = study.get_trials(deepcopy=False)[: trial.number + 1]
    if step not in earlier[-1].intermediate_values:  # it is there if the trial was interrupted
        trial.report(score, step)
    if halving is None or len(scores) == runs:
        return
    others = [each.intermediate_values[step] for each in earlier[:-1] if step in each.intermediate_values]
    rank = 1 + sum(other > score for other in others)
    count = len(others) + 1
    if rank > (best := max(1, count // halving)):
        those = "the best goes" if best == 1 else f"the best {best} go"
        raise TrialPruned(f"stopped after {list(scores)[-1]}, {score:.4f}: rank {rank} of {count}, {those} on")
