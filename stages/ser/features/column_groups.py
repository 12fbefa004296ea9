"""Which columns of an input belong together: the groups whose importance the trainers measure."""

from fnmatch import fnmatchcase

import numpy as np

from ser.features.descriptor_catalogue import DESCRIPTORS, SEGMENTS
from ser.features.filter_banks import mel_frequencies
from ser.storage.recorded_level import LEVELS

BAND_EDGES = (0, 500, 2000)  # Hz: first harmonics and F1; F2 and F3; fricatives and what effort adds above


def feature_groups(description: dict) -> dict[str, np.ndarray]:
    """Return the columns of each group of an input, in the order of their first columns.

    Functionals and frame sequences are grouped as docs/features.md groups their descriptors, derivatives of frame
    sequences apart; log-mel bands by frequency; embeddings by layer of the encoder, 0 being the input of the first.
    Samples have no groups.

    Parameters
    ----------
    description : dict
        What extract wrote beside the input: ``kind``, ``names``, and the ``sample_rate`` of its ``audio``. Instead of
        ``names``, embeddings have ``layers`` and ``width``.

    Returns
    -------
    dict of str to np.ndarray of int
        Every column is in one group, if there are any.
    """
    if description["kind"] == "audio":
        return {}
    if description["kind"] == "embeddings":
        width = description["width"]
        return {f"layer {layer}": layer * width + np.arange(width) for layer in range(description["layers"])}
    names = description["names"]
    if description["kind"] == "logmel":
        groups = band_groups(len(names), description["audio"]["sample_rate"])
    elif description["kind"] == "frames":
        groups = [group_of(f"{name}_") + (" derivatives" if "_delta" in name else "") for name in names]
    else:
        groups = [group_of(name) for name in names]
    return {group: np.flatnonzero(np.array(groups) == group) for group in dict.fromkeys(groups)}


def group_of(functional: str) -> str:
    """Return the group of a functional, such as ``pitch`` of ``f0_delta_p90``; a `LookupError` if it has none."""
    if functional in SEGMENTS:
        return "segments"
    if functional in LEVELS:
        return "level"
    name = functional.removeprefix("unvoiced_").removeprefix("voiced_")
    # the longest name that fits: f1_bandwidth_mean is one of f[123]_bandwidth, not of f[123]
    fitting = [known for known in DESCRIPTORS if fnmatchcase(name, f"{known.name}_*")]
    if not fitting:
        raise LookupError(f"no descriptor of the catalogue has the functional {functional}")
    return max(fitting, key=lambda known: len(known.name)).group


def band_groups(n_mels: int, sample_rate: int) -> list[str]:
    """Return the range of frequencies, such as ``0-500 Hz``, that the centre of each mel band lies in."""
    centres = mel_frequencies(n_mels + 2, sample_rate / 2)[1:-1]
    tops = (*BAND_EDGES[1:], sample_rate // 2)
    labels = [f"{low}-{top} Hz" for low, top in zip(BAND_EDGES, tops, strict=True)]
    return [labels[position] for position in np.digitize(centres, BAND_EDGES) - 1]
