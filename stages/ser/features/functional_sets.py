"""The named sets of functionals: which descriptors are summarised, over which frames, and how."""

from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple, Protocol, get_args

import numpy as np

from ser.features.descriptors import Descriptors, describe
from ser.features.frames import Spectrum
from ser.features.functionals import FAMILIES, FUNCTIONALS, autocorrelation, functionals, segments
from ser.features.spectral import delta
from ser.settings.extract_choices import ABSENT_GROUPS, DescriptorGroup
from ser.storage.recorded_level import LEVELS

CONTOUR = ("p10", "p50", "p90", "range", "rising_mean", "rising_std", "falling_mean", "falling_std")
MELODY = ("skewness", "kurtosis", "slope", "trend", "curvature")
PACE = FAMILIES[autocorrelation]  # how fast a contour moves
LEVEL = ("mean", "std")
SPREAD = ("mean", "std", "p10", "p50", "p90")
NO_ROWS = np.empty((0, 0), dtype=np.float32)
LONGEST_GAP = 0.08  # s without a pitch within a stretch of voice: a stop or a fricative between vowels, no new stretch


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
    frames : {"every", "voiced", "unvoiced", "voice"}
        Descriptors of every frame over all frames, or over the voiced or the unvoiced ones; or those that only voiced
        frames have.
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
    Block("voice", ("f0",), (*CONTOUR, *MELODY, *PACE)),
    Block("voiced", ("alpha_ratio", "hammarberg", "slope_0_500", "slope_500_1500", "flux"), LEVEL),
    Block("every", ("loudness", "centroid", "zero_crossings", *CEPSTRUM), LEVEL),
    Block("every", ("loudness",), (*CONTOUR, "peak_rate", *PACE)),
    Block("every", CEPSTRUM, ("std",), of="derivatives"),
)

# Without chroma: pitch classes tell one voice from another, not its moods.
FULL = (
    Block("every", ("*",), FUNCTIONALS, of="both"),
    Block("voiced", ("*",), SPREAD),
    Block("unvoiced", ("*",), SPREAD),
    Block("voice", ("*",), FUNCTIONALS, of="both"),
)

ALL_GROUPS = frozenset(get_args(DescriptorGroup))
BLOCKS = {"mean": MEAN, "compact": COMPACT, "full": FULL}
SETS = {name: (blocks, ALL_GROUPS - ABSENT_GROUPS[name]) for name, blocks in BLOCKS.items()}


def functional_vector(clip: Spectrum, settings: FunctionalSettings) -> np.ndarray:
    """Return the functionals of the chosen set, float32 of shape (features,)."""
    blocks, groups, found = measure(clip, settings)
    parts = []
    stacked: dict[tuple, np.ndarray] = {}
    for block in blocks:
        x = select(found, block, settings.deltas, stacked)
        if len(x):
            parts.append(functionals(x, block.functionals, found.rate).ravel())
    if "segments" in groups:
        parts.append(np.array(list(all_segments(found).values()), dtype=np.float32))
    if "level" in groups:  # the last, so that they can be left out of a table without copying it
        if clip.level is None:
            raise ValueError("clip has no level: the group level needs that of the recording")
        parts.append(np.array(clip.level, dtype=np.float32))
    return np.concatenate(parts)


def functional_names(clip: Spectrum, settings: FunctionalSettings) -> list[str]:
    """Return the names of what `functional_vector` returns, the same for every clip; such as ``mfcc_1_delta_p90``."""
    blocks, groups, found = measure(clip, settings)
    names = []
    for block in blocks:
        chosen = matching(tuple(source_of(found, block)), block.descriptors)
        descriptors = [name + "_delta" * order for order in orders_of(block, settings.deltas) for name in chosen]
        prefix = f"{block.frames}_" if block.frames in ("voiced", "unvoiced") else ""
        names += [f"{prefix}{name}_{functional}" for name in descriptors for functional in block.functionals]
    names += list(all_segments(found)) if "segments" in groups else []
    return names + (list(LEVELS) if "level" in groups else [])


def measure(clip: Spectrum, settings: FunctionalSettings) -> tuple[tuple[Block, ...], set[str], Descriptors]:
    """Return the blocks of the chosen set, the groups it is made of, and their descriptors."""
    blocks, groups = SETS[settings.set]
    groups = groups & set(settings.groups)
    find_voice = any(block.frames in ("voiced", "unvoiced") for block in blocks)
    return blocks, groups, describe(clip, settings, groups, find_voice=find_voice)


def source_of(found: Descriptors, block: Block) -> dict[str, np.ndarray]:
    """Return the descriptors that a block chooses from."""
    return found.voice if block.frames == "voice" else found.every


def orders_of(block: Block, deltas: int) -> range:
    """Return which derivatives a block is of; 0 are the descriptors themselves."""
    return range(1 if block.of == "derivatives" else 0, 1 if block.of == "values" else deltas + 1)


def select(found: Descriptors, block: Block, deltas: int, stacked: dict[tuple, np.ndarray]) -> np.ndarray:
    """Return the values of the descriptors of a block and of their derivatives, shape (descriptors, frames).

    `stacked` keeps those of all frames from one block of a clip for the next ones that select the same descriptors.
    """
    source, orders = source_of(found, block), orders_of(block, deltas)
    key = block.frames == "voice", block.descriptors
    if key not in stacked:
        rows = [source[name] for name in matching(tuple(source), block.descriptors)]
        # one after another: `numpy.array` would first look at them all for their type
        stacked[key] = np.concatenate(rows, dtype=np.float32).reshape(len(rows), -1) if rows else NO_ROWS
    x = stacked[key]
    if not len(x) or not orders:
        return NO_ROWS
    if block.frames in ("voiced", "unvoiced"):
        x = x[:, np.flatnonzero(found.voiced if block.frames == "voiced" else found.unvoiced)]
    parts = [x]
    for _ in range(orders[-1]):
        parts.append(delta(parts[-1]))
    parts = parts[orders[0] :]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def all_segments(found: Descriptors) -> dict[str, float]:
    """Return the lengths and rates of voiced, unvoiced and silent stretches, and the length of the clip, by name.

    Stretches of voice go on over gaps up to `LONGEST_GAP`: what is counted is phrases, and not consonants.
    """
    voiced = bridged(found.voiced, round(LONGEST_GAP * found.rate))
    kinds = np.where(voiced, 0, np.where(found.pause, 2, 1))
    values = segments(kinds, ("voiced", "unvoiced", "pause"), found.rate)
    return values | {"seconds": len(kinds) / found.rate}


def bridged(mask: np.ndarray, longest: int) -> np.ndarray:
    """Return a mask in which the gaps of at most so many elements, between two that are true, are true as well."""
    at = np.flatnonzero(mask)
    gap = at[1:] - at[:-1] - 1
    filled = mask.copy()
    for after in np.flatnonzero((gap > 0) & (gap <= longest)):
        filled[at[after] : at[after + 1]] = True
    return filled


@cache
def matching(names: tuple[str, ...], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that match any of the patterns, in their order."""
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
