"""Whether recordings show more than one mood, without a label: by how much each speaker's voice varies between them.

Statistics of recordings that are all of one mood move that mood to the middle of all, and a model that is moved by them
tells it no longer. Voices that change their mood change their effort, which tilts the spectrum: from clip to clip
of a speaker the measures below vary far more than within one mood, by much the same in several corpora.
"""

from types import SimpleNamespace

import numpy as np

from ser.features.extraction import functional_names, functional_vector, spectrum

COLUMNS = (
    "voiced_hammarberg_mean",
    "voiced_mfcc_4_p10",
    "mfcc_4_p10",
    "voiced_mfcc_2_p10",
    "voiced_spectral_skewness_mean",
)
SETTINGS = SimpleNamespace(
    set="full", groups=["mfcc", "spectral", "balance", "pitch"], n_mfcc=4, n_mels=26, deltas=0, pause_db=40.0
)
N_FFT, HOP_LENGTH = 0.032, 0.01  # s
# geometric means of the deviations; docs/evaluation.md says how often each errs, and on which speakers it was chosen
LEAST_VARIETY = 3.6
LEAST_VARIETY_OF_SYNTHESIS = 2.4  # of speech that was made by a program, whose voices vary less


def effort(y: np.ndarray, sr: int) -> np.ndarray:
    """Return measures of vocal effort of a clip, shape (measures,); see `COLUMNS`.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
        As models hear it, full scale 1.
    sr : int
        Hz.
    """
    clip = spectrum(y, sr, n_fft=2 ** round(np.log2(N_FFT * sr)), hop_length=round(HOP_LENGTH * sr))
    names = functional_names(clip, SETTINGS)
    return functional_vector(clip, SETTINGS)[[names.index(name) for name in COLUMNS]].astype(np.float64)


def variety(efforts: np.ndarray, speakers: np.ndarray) -> float:
    """Return how much the effort of speakers varies from clip to clip: the geometric mean of the measures' deviations.

    Parameters
    ----------
    efforts : np.ndarray, shape (clips, measures)
    speakers : np.ndarray of str, shape (clips,)
        Each varies around a mean of their own.
    """
    _, who = np.unique(speakers, return_inverse=True)
    counts = np.bincount(who)
    means = np.stack([np.bincount(who, weights=column) / counts for column in efforts.T], axis=1)
    squares = np.square(efforts - means[who]).sum(axis=0)
    deviations = np.sqrt(squares / max(len(efforts) - len(counts), 1))
    return float(np.exp(np.log(np.maximum(deviations, 1e-9)).mean()))


def shows_one_mood(efforts: np.ndarray, speakers: np.ndarray, *, synthetic: bool) -> bool:
    """Return whether the recordings seem to be of one mood.

    Parameters
    ----------
    efforts, speakers
        See `variety`.
    synthetic : bool
        Whether they are synthetic speech, or taken for it, as the model knows no other.
    """
    return variety(efforts, speakers) < (LEAST_VARIETY_OF_SYNTHESIS if synthetic else LEAST_VARIETY)
