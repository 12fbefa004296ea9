"""Which clips stay together where a part of them is set aside."""

import numpy as np


def group_by_name(names: np.ndarray, clips: np.ndarray) -> np.ndarray | None:
    """Return the groups of clips by the name that they share, such as their speaker's, shape (clips,).

    Parameters
    ----------
    names : np.ndarray of str, shape (clips,)
        Empty where unknown: such a clip is a group of its own, and those of known names stay together all the same.
    clips : np.ndarray of str, shape (clips,)
        What the clips are called.

    Returns
    -------
    np.ndarray of str or None
        None where fewer than two names are known: there are no groups to tell apart.
    """
    known = names != ""
    return np.where(known, names, clips) if len(set(names[known])) > 1 else None
