"""How loud a clip sounds: integrated loudness of EBU R 128, by the package pyloudnorm.

Imported only where it is wanted: pyloudnorm imports scipy.signal, which takes a second in every worker process.
"""

import numpy as np
import pyloudnorm

BLOCK_SECONDS = 0.4  # of the gate (ITU-R BS.1770-4); a shorter clip is one block
FILTER = "DeMan"  # the filters of the recommendation; pyloudnorm's own are built from rounded frequencies


def integrated_loudness(y: np.ndarray, sr: int) -> float:
    """Measure the integrated loudness of a clip as if its loudest sample were at full scale.

    The absolute gate, -70 LUFS, then leaves out the same blocks whatever the level of the recording, so that copies of
    different levels become equally loud.

    Parameters
    ----------
    y : np.ndarray of float, shape (samples,)
    sr : int
        Hz.

    Returns
    -------
    float
        LUFS of ``y`` itself; minus infinity for what nobody hears, such as an offset.

    References
    ----------
    ITU-R BS.1770-4 (2015). Algorithms to measure audio programme loudness and true-peak audio level.
    EBU R 128 (2023). Loudness normalisation and permitted maximum level of audio signals.
    """
    peak = np.abs(y).max()
    block = min(BLOCK_SECONDS, (len(y) - 0.5) / sr)  # half a sample less: a block must not be longer than the clip
    meter = pyloudnorm.Meter(sr, filter_class=FILTER, block_size=block)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(meter.integrated_loudness(y.astype(np.float64) / peak) + 20 * np.log10(peak))
