"""Reduction of steady background noise by spectral gating, as Audacity and the package noisereduce do it."""

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

FRAME_SECONDS = 0.032  # long enough to see between the harmonics of most voices
OVERLAP = 4  # frames over each sample: Hann windows add up evenly, and gains that change leave no steps
QUIETEST = 0.1  # of the frames are taken for noise: pauses are a fifth to a half of recorded sentences
LEAST_FRAMES = 10  # that a noise floor is estimated from
AUDIBLE_DB = 60.0  # below the loudest frame; what is quieter is digital silence, or noise that does not matter
OPEN_DB = 8.0  # above the floor; of noise alone e^-6.3, 0.2 %, of the cells reach it (its power is exponential)
SMOOTH_SECONDS = 0.05  # half-height width of the smoothing of the gate: single cells that open are musical noise
SMOOTH_HZ = 100.0  # the same in frequency: about the distance of harmonics
OPEN_SHARE = 0.5  # of a cell's neighbourhood that is open where it passes whole: the edges of speech do


def denoise(y: np.ndarray, sr: int, reduction_db: float) -> np.ndarray:
    """Attenuate what is no louder than the clip's own noise floor.

    The floor of each frequency is the mean power of the clip's quietest frames. A cell of the spectrogram that is
    louder by `OPEN_DB` passes; the others are attenuated; and the gains are smoothed in time and frequency.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
    sr : int
        Hz.
    reduction_db : float
        dB, the most that anything is attenuated by. 12 is usual: more leaves holes that a listener hears, and a model
        learns.

    Returns
    -------
    np.ndarray of float32, shape (samples,)
        `y` itself if it is too short to know its noise from.

    References
    ----------
    Sainburg, T., Zorea, A. (2024). Noisereduce: Domain general noise reduction for time series signals.
    arXiv:2412.17851.
    """
    length = 2 ** round(np.log2(FRAME_SECONDS * sr))
    hop = length // OVERLAP
    if len(y) < length + LEAST_FRAMES * hop:
        return y
    transform = ShortTimeFFT(hann(length, sym=False), hop, sr)
    spectrum = transform.stft(y)
    power = np.abs(spectrum) ** 2
    floor = noise_floor(power[:, transform.lower_border_end[1] : transform.upper_border_begin(len(y))[1]])
    if floor is None:
        return y
    gate = (power > floor[:, None] * 10 ** (OPEN_DB / 10)).astype(np.float64)
    for axis, width in ((1, SMOOTH_SECONDS * sr / hop), (0, SMOOTH_HZ * length / sr)):
        for _ in range(2):  # twice a box is a triangle
            gate = uniform_filter1d(gate, max(1, round(width)), axis=axis, mode="nearest")
    gate = np.minimum(gate / OPEN_SHARE, 1.0)
    least = 10 ** (-reduction_db / 20)
    return transform.istft(spectrum * (least + (1 - least) * gate), k1=len(y)).astype(np.float32)


def noise_floor(power: np.ndarray) -> np.ndarray | None:
    """Return the mean power of the quietest frames, shape (frequencies,), from that of all, (frequencies, frames).

    Returns None if hardly any frame is loud enough to be listened to.
    """
    level = power.sum(axis=0)
    audible = np.flatnonzero(level > level.max(initial=0.0) * 10 ** (-AUDIBLE_DB / 10))
    if len(audible) < LEAST_FRAMES:
        return None
    count = max(LEAST_FRAMES, round(QUIETEST * len(audible)))
    quietest = audible[np.argsort(level[audible], kind="stable")[:count]]
    return power[:, quietest].mean(axis=1)
