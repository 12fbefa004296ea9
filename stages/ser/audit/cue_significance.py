"""Which cues are more than chance: a permutation test of all of them together.

Of a dozen properties of a few clips, one tells the emotions well by chance. So emotions are shuffled, all properties
are judged again, and a cue counts only if hardly a shuffle has any property that stands out as much.

What may be shuffled is what is exchangeable if a property tells nothing:

- Numbers are judged on speakers that were not seen, and the clips of a speaker sound alike: a speaker is one draw, not
  as many as there are clips. Emotions are shuffled among the clips of a speaker, and those of whole speakers are dealt
  to other speakers (Winkler et al. 2015: exchange within and of whole blocks). The first finds what tells emotions
  within speakers, the second what tells them where a speaker, or a corpus, shows one emotion. It is exact where
  speakers have equally many clips; else the emotions of a speaker run over to the next.
- Names (speaker, sentence, format, corpus) are about these very speakers, sentences, formats and corpora, and judged
  clip by clip. Emotions are shuffled among all clips: within speakers, shuffling leaves what a speaker tells as it is.

References
----------
Westfall, P. H., & Young, S. S. (1993). Resampling-based multiple testing. Wiley. (Algorithm 2.8: step-down)
Winkler, A. M., Webster, M. A., Vidaurre, D., Nichols, T. E., & Smith, S. M. (2015). Multi-level block permutation.
NeuroImage, 123, 253–268.
Besag, J., & Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika, 78(2), 301–304.
Wilson, E. B., & Hilferty, M. M. (1931). The distribution of chi-square. PNAS, 17(12), 684–688.
"""

from typing import NamedTuple

import numpy as np
from scipy import sparse, stats

from ser.storage.seeds import generator

LEVEL = 0.01  # of the family: of corpora in which nothing tells the emotions, those in which something is reported
SHUFFLES = 999
ENOUGH = 10  # shuffles as clear as what was found: with so many, no p of up to SHUFFLES shuffles is at most LEVEL
BINS = 8  # of numbers, equally full
BATCH = 8_000_000  # clips times emotions, of the shuffles that are judged at once


class Labelled(NamedTuple):
    """Clips and properties of a corpus that are tested with the same shuffles.

    Attributes
    ----------
    identity : tuple of str
        What the draws depend on besides the seed.
    emotions : np.ndarray of int, shape (clips,)
    blocks : np.ndarray of int, shape (clips,)
        Clips among which emotions are shuffled; whole blocks are exchanged.
    values : list of np.ndarray of int, shape (clips,)
        Of each property: which value a clip has, counted from 0; -1 is unknown.
    """

    identity: tuple[str, ...]
    emotions: np.ndarray
    blocks: np.ndarray
    values: list[np.ndarray]


def binned(values: np.ndarray) -> np.ndarray:
    """Return for each number one of `BINS` equally full bins, equal numbers in the same; -1 for NaN."""
    known = ~np.isnan(values)
    bins = np.full(len(values), -1)
    bins[known] = (stats.rankdata(values[known]) - 0.5) * BINS / max(known.sum(), 1)
    return bins


def family_p_values(family: list[Labelled], asked: np.ndarray, seed: int) -> np.ndarray:
    """Return the p-value of each property, adjusted for all that were looked at.

    Step-down maximum of Westfall and Young (1993) over the properties of all corpora; the statistic is chi-square of
    values and emotions, brought to one scale by the cube root of Wilson and Hilferty (1931). It stops as soon as
    `ENOUGH` shuffles were as clear as each property that is asked about (Besag & Clifford 1991).

    Parameters
    ----------
    family : list of Labelled
        All properties that were looked at, whatever was found.
    asked : np.ndarray of bool, shape (properties,)
        Whose p-values are needed, in the order of the family.
    seed : int

    Returns
    -------
    np.ndarray of float, shape (properties,)
        Probability that any property that tells nothing stands out as much; at least 1 / (`SHUFFLES` + 1).
    """
    tables = [_Tables(part) for part in family]
    observed = [table.deviations(part.emotions[None]) for table, part in zip(tables, family, strict=True)]
    found = np.concatenate(observed, axis=1)[0]
    order = np.argsort(found, kind="stable")
    thresholds = found[order] - 1e-9 * np.abs(found[order]).clip(1)  # sums that differ by rounding are equal
    generators = [generator(seed, "shuffled emotions", *part.identity) for part in family]
    size = sum(len(part.emotions) * (int(part.emotions.max()) + 1) for part in family)
    batch = int(np.clip(BATCH // size, 10, 100))
    clearer, shuffles = np.zeros(len(found), dtype=int), 0
    while shuffles < SHUFFLES and (clearer[asked[order]] < ENOUGH).any():
        count = min(batch, SHUFFLES - shuffles)
        drawn = [
            table.deviations(_shuffle(part, count, rng))
            for table, part, rng in zip(tables, family, generators, strict=True)
        ]
        highest = np.maximum.accumulate(np.concatenate(drawn, axis=1)[:, order], axis=1)
        clearer += (highest >= thresholds).sum(axis=0)
        shuffles += count
    p = np.empty(len(found))
    p[order] = np.maximum.accumulate(((clearer + 1) / (shuffles + 1))[::-1])[::-1]
    return p


def _shuffle(part: Labelled, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return shuffled emotions, shape (count, clips)."""
    blocks = int(part.blocks.max()) + 1
    places = rng.permuted(np.tile(np.arange(blocks), (count, 1)), axis=1)
    order = np.argsort(places[:, part.blocks] + rng.random((count, len(part.blocks))), axis=1)
    shuffled = np.empty_like(order)
    shuffled[:, np.argsort(part.blocks, kind="stable")] = part.emotions[order]
    return shuffled


class _Tables:
    """Contingency tables of values and emotions, of many shuffles at once."""

    def __init__(self, part: Labelled) -> None:
        clips = len(part.emotions)
        self.emotions = int(part.emotions.max()) + 1
        rows, columns, self.starts, size = [], [], [], 0
        for values in part.values:
            known = np.flatnonzero(values >= 0)
            codes = np.unique(values[known], return_inverse=True)[1]
            rows.append(codes + size)
            columns.append(known)
            self.starts.append(size)
            size += int(codes.max()) + 1
        places = (np.concatenate(rows), np.concatenate(columns))
        self.members = sparse.csr_array((np.ones(len(places[0]), np.float32), places), shape=(size, clips))
        self.sizes = np.asarray(self.members.sum(axis=1))
        self.levels = np.diff([*self.starts, size])

    def deviations(self, emotions: np.ndarray) -> np.ndarray:
        """Return how many standard deviations chi-square is above what is expected, shape (shuffles, properties)."""
        shuffles, clips = emotions.shape
        shown = emotions.T[:, :, None] == np.arange(self.emotions)
        counts = self.members @ shown.reshape(clips, -1).astype(np.float32)
        counts = counts.reshape(-1, shuffles, self.emotions).astype(float)
        of_emotions = np.add.reduceat(counts, self.starts)
        of_all = of_emotions.sum(axis=2)
        squares = np.add.reduceat(counts**2 / self.sizes[:, None, None], self.starts)
        chi_square = of_all * ((squares / of_emotions.clip(1)).sum(axis=2) - 1)
        freedom = (self.levels[:, None] - 1) * ((of_emotions > 0).sum(axis=2) - 1)
        spread = 2 / (9 * freedom.clip(1))
        deviations = (np.cbrt(chi_square / freedom.clip(1)) - 1 + spread) / np.sqrt(spread)
        return np.where(freedom > 0, deviations, -np.inf).T
