"""What changes from step to step of a training by rule: the learning rate, the momentum of batch normalisation."""

import math

LONGEST_MOMENTUM = 0.99  # Keras's own, of batch normalisation
AVERAGED_SHARE = 0.1  # of the steps so far; the last of them have nearly the weights that the network is left with


def scheduled_rate(progress: float, settings) -> float:
    """Return the learning rate at a moment of the training.

    A function of the moment alone: a training that was interrupted goes on with the same rate, and a refit for fewer
    epochs goes the same way.

    Parameters
    ----------
    progress : float
        Epochs done so far, such as 2.5 in the middle of the third.
    settings : object
        With learning_rate (the highest), warmup_epochs (it rises from 0 to the highest for so long), epochs and
        schedule: ``constant``, or ``cosine`` (falls to 0 at the end of `epochs` along a half cosine [1]_).

    References
    ----------
    .. [1] I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    warmup = min(1.0, progress / settings.warmup_epochs) if settings.warmup_epochs else 1.0
    decay = (1 + math.cos(math.pi * progress / settings.epochs)) / 2 if settings.schedule == "cosine" else 1.0
    return settings.learning_rate * warmup * decay


def normalization_momentum(step: int) -> float:
    """Return by how much a step keeps the means and variances that batch normalisation predicts with.

    With a fixed momentum of 0.99 two thirds of them would still be those that a network begins with after 45 steps, as
    few as a small corpus gives: what predicts would be another network than the one that has learnt. So they are a mean
    over the last `AVERAGED_SHARE` of the steps ("polynomial-decay averaging" [1]_ with η = 9), however many there are
    and whenever training stops, until there are so many that 0.99 is reached.

    Parameters
    ----------
    step : int
        From 1; the first keeps nothing.

    References
    ----------
    .. [1] O. Shamir, T. Zhang, "Stochastic gradient descent for non-smooth optimization: convergence results and
       optimal averaging schemes", ICML 2013.
    """
    weight = 1 / AVERAGED_SHARE
    return min(LONGEST_MOMENTUM, 1 - weight / (step + weight - 1))
