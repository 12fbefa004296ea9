"""The learning rate in the course of a training."""

import math


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
