"""What clips of one speaker share: they stay together where a part is set aside, and may show one emotion only."""

import numpy as np
import pandas as pd

MOST_OF_ONE_EMOTION = 0.5  # share of the clips


def group_by_name(names: np.ndarray, clips: np.ndarray) -> np.ndarray | None:
    """Return the groups of clips by the name that they share, such as their speaker's, shape (clips,).

    Parameters
    ----------
    names : np.ndarray of str, shape (clips,)
        Empty where unknown: such a clip is a group of its own, and those of known names stay together all the same.
    clips : np.ndarray of str, shape (clips,)
        What tells the clips apart, such as `names_of_places`.

    Returns
    -------
    np.ndarray of str or None
        None where fewer than two names are known: there are no groups to tell apart.
    """
    known = names != ""
    return np.where(known, names, clips) if len(set(names[known])) > 1 else None


def names_of_places(places: np.ndarray) -> np.ndarray:
    """Return names that sort like the numbers of some places; no speaker's begins with a space."""
    return np.array([f" {place:09d}" for place in places])


def one_emotion_warning(clips: pd.DataFrame, normalization: str) -> str:
    """Say that normalising by speaker takes the emotion away; an empty text where it does not, or is not done.

    Where a speaker is always angry, anger is what distinguishes this voice from others, and that is what normalising
    by speaker removes.

    Parameters
    ----------
    clips : pd.DataFrame
        ``speaker, emotion``.
    normalization : str
        ``train.normalization``.
    """
    emotions = clips.groupby("speaker")["emotion"].transform("nunique")
    alone = int((emotions == 1).sum())
    if normalization != "speaker" or alone <= MOST_OF_ONE_EMOTION * len(clips):
        return ""
    return (
        f"normalising by speaker takes the emotion away here: {alone} of {len(clips)} clips are of speakers who show "
        "one emotion only"
    )
