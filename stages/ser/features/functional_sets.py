"""The named sets of functionals: which descriptors are summarised, over which frames, and how."""

from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple, Protocol, get_args

import numpy as np

from ser.features.descriptors import Descriptors, describe
from ser.features.frames import Spectrum
from ser.features.functionals import FUNCTIONALS, functionals, segments
from ser.features.spectral import delta
from ser.settings.extract_choices import ABSENT_GROUPS, DescriptorGroup

CONTOUR = ("p10", "p50", "p90", "range", "rising_mean", "rising_std", "falling_mean", "falling_std")
LEVEL = ("mean", "std")
SPREAD = ("mean", "std", "p10", "p50", "p90")


class FunctionalSettings(Protocol):
    """The ``extract.functionals`` section of the parameters."""

    set: str
    groups: list[str]
    n_mfcc: int
    n_mels: int
    deltas: int
    pause_db: float


class Block(NamedTuple):
    """Functionals of some descriptors.

    Attributes
    ----------
    frames : {"every", "voiced", "voice"}
        Descriptors of every frame over all frames, or over the voiced ones; or those that only voiced frames have.
    descriptors : tuple of str
        Names, or patterns such as ``mfcc_*``.
    functionals : tuple of str
    of : {"values", "derivatives", "both"}
        The derivatives are as many as ``deltas`` says.
    """

    frames: str
    descriptors: tuple[str, ...]
    functionals: tuple[str, ...]
    of: str = "values"


# The mean pooling of most published recipes.
MEAN = (Block("every", ("mfcc_*", "chroma_*", "mel_*"), ("mean",)),)

# In the spirit of the Geneva minimalistic set (Eyben et al. 2016): few, interpretable, with more of the cepstrum.
CEPSTRUM = tuple(f"mfcc_{number}" for number in range(1, 13))
COMPACT = (
    Block("voice", ("f0", "jitter", "shimmer", "hnr", "f[123]", "f[123]_bandwidth"), LEVEL),
    Block("voice", ("f0",), CONTOUR),
    Block("voiced", ("alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "flux"), LEVEL),
    Block("every", ("loudness", "centroid", "zero_crossings", *CEPSTRUM), LEVEL),
    Block("every", ("loudness",), (*CONTOUR, "peak_rate")),
    Block("every", CEPSTRUM, ("std",), of="derivatives"),
)

# Without chroma: pitch classes tell one voice from another, not its moods.
FULL = (
    Block("every", ("*",), FUNCTIONALS, of="both"),
    Block("voiced", ("*",), SPREAD),
    Block("voice", ("*",), FUNCTIONALS, of="both"),
)

ALL_GROUPS = frozenset(get_args(DescriptorGroup))
BLOCKS = {"mean": MEAN, "compact": COMPACT, "full": FULL}
SETS = {name: (blocks, ALL_GROUPS - ABSENT_GROUPS[name]) for name, blocks in BLOCKS.items()}


def functional_vector(clip: Spectrum, settings: FunctionalSettings) -> np.ndarray:
    """Return the functionals of the chosen set, float32 of shape (features,)."""
    blocks, groups, found = measure(clip, settings)
    parts = []
    for block in blocks:
        _, x = select(found, block, settings.deltas)
        if len(x):
            parts.append(functionals(x, block.functionals, found.rate).ravel())
    if "segments" in groups:
        parts.append(np.array(list(all_segments(found).values()), dtype=np.float32))
    return np.concatenate(parts)


def functional_names(clip: Spectrum, settings: FunctionalSettings) -> list[str]:
    """Return the names of what `functional_vector` returns, the same for every clip; such as ``mfcc_1_delta_p90``."""
    blocks, groups, found = measure(clip, settings)
    names = []
    for block in blocks:
        descriptors, _ = select(found, block, settings.deltas)
        prefix = "voiced_" if block.frames == "voiced" else ""
        names += [f"{prefix}{name}_{functional}" for name in descriptors for functional in block.functionals]
    return names + (list(all_segments(found)) if "segments" in groups else [])


def measure(clip: Spectrum, settings: FunctionalSettings) -> tuple[tuple[Block, ...], set[str], Descriptors]:
    """Return the blocks of the chosen set, the groups it is made of, and their descriptors."""
    blocks, groups = SETS[settings.set]
    groups = groups & set(settings.groups)
    find_voice = any(block.frames == "voiced" for block in blocks)
    return blocks, groups, describe(clip, settings, groups, find_voice=find_voice)


def select(found: Descriptors, block: Block, deltas: int) -> tuple[list[str], np.ndarray]:
    """Return the names and the values, shape (descriptors, frames), of the descriptors of a block."""
    source = found.voice if block.frames == "voice" else found.every
    names = matching(tuple(source), block.descriptors)
    if not names:
        return [], np.empty((0, 0), dtype=np.float32)
    x = np.array([source[name] for name in names], dtype=np.float32)
    if block.frames == "voiced":
        x = x[:, found.voiced]
    orders = [x]
    for _ in range(deltas if block.of != "values" else 0):
        orders.append(delta(orders[-1]))
    first = 1 if block.of == "derivatives" else 0
    named = [name + "_delta" * order for order in range(first, len(orders)) for name in names]
    return named, np.concatenate(orders[first:]) if named else np.empty((0, 0), dtype=np.float32)


def all_segments(found: Descriptors) -> dict[str, float]:
    """Return the lengths and rates of voiced, unvoiced and silent stretches, and the length of the clip, by name."""
    kinds = np.where(found.voiced, 0, np.where(found.pause, 2, 1))
    values = segments(kinds, ("voiced", "unvoiced", "pause"), found.rate)
    return values | {"seconds": len(kinds) / found.rate}


@cache
def matching(names: tuple[str, ...], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that match any of the patterns, in their order."""
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
