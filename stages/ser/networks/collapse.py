"""Models that collapsed: one emotion for nearly every clip, UAR at chance. Found by fold, as a pooled UAR hides it."""

import numpy as np
import pandas as pd

from ser.storage.prediction_tables import emotions_of, predicted_emotions, scored_rows

SHARE = 0.95  # of a fold's test clips that get the same emotion
MARGIN = 0.05  # that the fold's UAR may be above chance
MINIMUM_CLIPS = 10  # of fewer, a model that works may well call all the same
MINIMUM_OTHERS = 5  # clips of other emotions than the most frequent: a single mistake is no collapse
CLEARLY_LOWER = 0.95  # times the loss of guessing: what is above that is hardly less
CLEARLY_HIGHER = 0.1  # than the accuracy of always saying the most frequent emotion
COLUMNS = ["fold", "emotion", "share", "uar", "reason"]


def collapsed_folds(table: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return the folds of which a model tells nothing apart, with the likely reason.

    Parameters
    ----------
    table : pd.DataFrame
        A prediction table.
    history : pd.DataFrame
        ``fold, loss, accuracy`` of the model's training, in the order of the epochs; without rows if it has no epochs.

    Returns
    -------
    pd.DataFrame
        ``fold, emotion, share, uar, reason``: the emotion that the model says for a `share` of at least `SHARE` of the
        fold's test clips, although they show several of which none is that frequent, and its UAR on them, which is not
        more than `MARGIN` above 1 / number of emotions. Folds of less than `MINIMUM_CLIPS`, or with
        less than `MINIMUM_OTHERS` of other emotions than the most frequent, are not judged.
    """
    frequencies = scored_rows(table)["emotion"].value_counts(normalize=True)
    found = []
    for fold, rows in scored_rows(table).groupby("fold"):
        shown = rows["emotion"].value_counts(normalize=True)
        said = pd.Series(predicted_emotions(rows), index=rows.index)
        shares = said.value_counts(normalize=True).sort_index()
        uar = (said == rows["emotion"]).groupby(rows["emotion"]).mean().mean()
        judged = len(rows) >= MINIMUM_CLIPS and round((1 - shown.iloc[0]) * len(rows)) >= MINIMUM_OTHERS
        if not judged or shown.iloc[0] >= SHARE or shares.max() < SHARE or uar > 1 / len(shown) + MARGIN:
            continue
        epochs = history[history["fold"] == fold] if len(history) else history
        reason = likely_reason(epochs, frequencies, len(emotions_of(table)))
        found.append((fold, shares.idxmax(), round(shares.max(), 4), round(uar, 4), reason))
    return pd.DataFrame(found, columns=COLUMNS)


def likely_reason(epochs: pd.DataFrame, frequencies: pd.Series, classes: int) -> str:
    """Say why a model that was trained like this may have collapsed.

    Parameters
    ----------
    epochs : pd.DataFrame
        Of the fold: ``loss, accuracy`` of the training clips. The last epoch tells: a training that fell apart ends
        with the loss of guessing, however low it once was.
    frequencies : pd.Series
        The share of each emotion. Who only knows these has their entropy as loss, which is below that of guessing.
    classes : int
    """
    if epochs.empty:
        return "no epochs tell more: too few clips, inputs out of range or, of an ensemble, members that collapsed"
    loss, accuracy = epochs["loss"].iloc[-1], epochs["accuracy"].iloc[-1]
    guessing = min(float(-(frequencies * np.log(frequencies)).sum()), float(np.log(classes)))
    if loss < CLEARLY_LOWER * guessing and accuracy > frequencies.max() + CLEARLY_HIGHER:
        return (
            f"it learnt (training accuracy {accuracy:.2f}), but unseen clips look different to it: batch statistics of "
            "a small training part, or another microphone"
        )
    return (
        f"it learnt next to nothing (training loss {loss:.2f}, guessing has {guessing:.2f}; accuracy {accuracy:.2f}): "
        "a learning rate that is too high or too low, too few epochs, or dropout, mixup or masks too strong for few "
        "clips"
    )


def describe_collapse(row: pd.Series) -> str:
    """Return a row of `collapsed_folds` as a sentence without the model's name."""
    return (
        f"collapsed in fold {row['fold']}: it says {row['emotion']} for {100 * row['share']:.0f} % of the test clips, "
        f"UAR {row['uar']:.3f}; {row['reason']}"
    )
