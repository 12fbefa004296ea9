"""Functionals: statistics over the frames of a clip."""

import numpy as np


def functionals(descriptors: np.ndarray, statistics: list[str]) -> np.ndarray:
    """Summarise descriptors over time.

    Parameters
    ----------
    descriptors : np.ndarray, shape (descriptors, frames)
    statistics : list of str
        ``mean``, ``std``, ``min``, ``max`` or a percentile such as ``p10``.

    Returns
    -------
    np.ndarray, shape (descriptors * statistics,)
        All statistics of the first descriptor, then those of the second, and so on.
    """
    simple = {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}
    percentiles = [int(name[1:]) for name in statistics if name not in simple]
    values = iter(np.percentile(descriptors, percentiles, axis=1)) if percentiles else iter(())
    columns = [simple[name](descriptors, axis=1) if name in simple else next(values) for name in statistics]
    return np.stack(columns, axis=1).ravel()


def functional_names(descriptor_names: list[str], statistics: list[str]) -> list[str]:
    """Return the names of what `functionals` returns, such as ``mfcc_1_p90``."""
    return [f"{descriptor}_{statistic}" for descriptor in descriptor_names for statistic in statistics]
