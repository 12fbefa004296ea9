"""Speakers who show a single emotion: normalised by themselves, they show none."""

import pandas as pd

MOST = 0.5  # share of the clips


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
    if normalization != "speaker" or alone <= MOST * len(clips):
        return ""
    return (
        f"normalising by speaker takes the emotion away here: {alone} of {len(clips)} clips are of speakers who show "
        "one emotion only"
    )
