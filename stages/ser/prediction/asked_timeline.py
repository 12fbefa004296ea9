"""What a timeline is asked for: an answer an utterance, or one a window."""

from typing import NamedTuple

from ser.prediction.answering import SHORT
from ser.prediction.clip_inputs import SHORTEST

LONGEST_WINDOW = 30.0  # s


class Windows(NamedTuple):
    """Sliding windows instead of utterances.

    Attributes
    ----------
    length : float
        s that each answer is of.
    hop : float
        s from one to the next: what the answer is given for, the middle of the window.
    """

    length: float
    hop: float


class Asked(NamedTuple):
    """How a timeline is made: of utterances or `Windows`; the rest as of `TrainedModel.predict`."""

    windows: Windows | None = None
    calibrated: bool = False
    certainty: float = 0.0


def windows_of(window: float | None, hop: float | None) -> Windows | None:
    """Return the windows that are asked for, of 3 hops where only one of both is named; None if neither is.

    Raises
    ------
    ValueError
        If they are too short, too long, or leave gaps.
    """
    if window is None and hop is None:
        return None
    window = 3 * hop if window is None else window  # type: ignore[operator]
    hop = window / 3 if hop is None else hop
    if not SHORT <= window <= LONGEST_WINDOW or not SHORTEST <= hop <= window:
        raise ValueError(
            f"windows of {window:g} s every {hop:g} s: allowed are {SHORT:g} to {LONGEST_WINDOW:g} s, every "
            f"{SHORTEST:g} s or more, without gaps"
        )
    return Windows(float(window), float(hop))
