"""What is wrong with the clips as a whole: the same audio twice, too few emotions."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd


def audio_digests(audio: Sequence[np.ndarray]) -> np.ndarray:
    """Return a digest of the samples of each clip; equal audio has equal digests.

    Parameters
    ----------
    audio : sequence of np.ndarray
    """
    return np.array([hashlib.sha256(np.ascontiguousarray(samples)).hexdigest() for samples in audio], dtype=object)


def find_duplicates(clips: pd.DataFrame, digests: np.ndarray) -> pd.DataFrame:
    """Find clips that hold the same audio as another.

    The first of several copies with the same speaker and emotion is kept. Copies whose labels contradict each other
    are all of no use: nobody can tell which label is right.

    Parameters
    ----------
    clips : pd.DataFrame
        With ``clip``, ``speaker`` and ``emotion``.
    digests : np.ndarray of str, shape (clips,)

    Returns
    -------
    pd.DataFrame
        ``row`` (position in `clips`) and ``reason`` of each clip to leave out.
    """
    found = []
    for _, group in clips.reset_index(drop=True).groupby(digests, sort=False):
        if len(group) == 1:
            continue
        names = group["clip"].tolist()
        contradictory = len(group[["speaker", "emotion"]].drop_duplicates()) > 1
        for row, name in zip(group.index, names, strict=True):
            if contradictory:
                others = ", ".join(other for other in names if other != name)
                found.append((row, f"same audio as {others}, which has another speaker or emotion"))
            elif name != names[0]:
                found.append((row, f"same audio as {names[0]}"))
    return pd.DataFrame(found, columns=["row", "reason"])
