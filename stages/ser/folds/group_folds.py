"""Whole groups of clips, such as speakers, dealt to folds."""

import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold


def deal_groups(labels: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the number of the fold of each clip, shape (clips,): each has its share of every label and some group.

    Parameters
    ----------
    labels : np.ndarray, shape (clips,)
        Of which at least one occurs `folds` times.
    groups : np.ndarray, shape (clips,)
        Clips of a group stay together. There are at least `folds` groups.
    folds, seed : int
    """
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    number = np.full(len(groups), -1)
    with warnings.catch_warnings():  # a label rarer than the folds is reported where it matters: in training
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, dealt) in enumerate(splitter.split(np.zeros(len(groups)), labels, groups)):
            number[dealt] = fold
    return fill_empty_folds(number, groups, folds)


def fill_empty_folds(number: np.ndarray, groups: np.ndarray, folds: int) -> np.ndarray:
    """Give every fold a group: scikit-learn minds the balance of labels alone and leaves folds empty for its sake.

    An empty fold gets a group of a fold that has several, such that the sizes of the folds are as even as one move
    allows (by their squares). Nothing changes where no fold is empty.
    """
    _, first, group, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    fold_of = number[first]
    while len(empty := np.setdiff1d(np.arange(folds), fold_of)):
        several = np.bincount(fold_of, minlength=folds)[fold_of] > 1
        others = np.bincount(fold_of, weights=sizes, minlength=folds)[fold_of] - sizes
        fold_of[np.argmax(np.where(several, sizes * others, -1))] = empty[0]
    return fold_of[group]
