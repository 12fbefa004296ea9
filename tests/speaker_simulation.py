"""Simulated test clips of speakers whose errors are not independent: is an interval as sure as it says?"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ser.evaluation.intervals import paired_difference, score_interval


@dataclass(frozen=True)
class Corpus:
    """Speakers whose recalls are logit-normal around that of a class."""

    recall: float  # of the average class, roughly
    classes: int = 6
    speaker_sd: float = 0.5  # of logits, of a speaker in all classes
    cell_sd: float = 0.5  # of logits, of a speaker in one class
    clips: int = 12  # of a speaker and class
    sizes: str = "equal"

    @property
    def centers(self) -> np.ndarray:
        """Logits of the classes' recalls for the average speaker; the factor keeps the mean recall about `recall`."""
        spread = 0.5 * np.linspace(-1, 1, self.classes)
        return (special.logit(self.recall) + spread) * np.sqrt(1 + self.variance / 3)

    @property
    def variance(self) -> float:
        return self.speaker_sd**2 + self.cell_sd**2

    def true_uar(self, extra_variance: float = 0) -> float:
        """Return the mean over classes of the recall that is expected of a new speaker, by Gauss-Hermite quadrature."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        recalls = special.expit(self.centers[:, None] + np.sqrt(self.variance + extra_variance) * nodes)
        return float((recalls @ weights / weights.sum()).mean())

    def clips_of(self, runs: int, speakers: int, rng: np.random.Generator) -> np.ndarray:
        """Return how many clips there are of each speaker and class, shape (runs, speakers, classes)."""
        clips = np.full((runs, speakers, self.classes), self.clips)
        if "every other" in self.sizes:
            clips[:, ::2] = self.clips // 3
            clips[:, 1::2] = 5 * (self.clips // 3)
        if "two" in self.sizes:
            clips[:, :2] *= 5
        if "drawn" in self.sizes:
            clips = (clips * rng.uniform(1 / 3, 5 / 3, (runs, speakers, 1))).round().astype(int)
        if "lacking" in self.sizes:
            clips[rng.random(clips.shape) < 0.25] = 0
        return clips


def simulate(corpus, runs, speakers, rng, fold_sd=0.0, folds=None):
    """Draw what two equally good models get right, shape (2, runs, speakers, classes), and how many clips there are.

    Half the variance of the speakers' effects, and half that of which clip is hard, is common to both models.
    """

    def halfway(*shape):
        return np.sqrt(0.5) * (rng.standard_normal(shape) + rng.standard_normal((2, *shape)))

    clips = corpus.clips_of(runs, speakers, rng)
    logits = corpus.centers + corpus.speaker_sd * halfway(runs, speakers, 1)
    logits = logits + corpus.cell_sd * halfway(runs, speakers, corpus.classes)
    if folds is not None:
        logits = logits + fold_sd * rng.standard_normal((2, runs, folds.max() + 1, 1))[:, :, folds]
    hard = special.ndtri(special.expit(logits))
    right = np.zeros(logits.shape, dtype=int)
    for clip in range(clips.max()):
        right += (halfway(*clips.shape) < hard) & (clip < clips)
    return right, clips


def uar_and_left_out(right, clips):
    """Return the pooled UAR of each run, and that without each speaker; (runs,) and (runs, speakers)."""
    all_right, all_clips = right.sum(axis=1, keepdims=True), clips.sum(axis=1, keepdims=True)
    return (all_right / all_clips).mean(axis=(1, 2)), ((all_right - right) / (all_clips - clips)).mean(axis=2)


def covered_and_rejected(corpus, runs, speakers, fold_sd=0.0, folds=None, seed=0):
    """Return how often the interval of a UAR holds the true one, and two equal models differ at 5 %, in percent."""
    rng = np.random.default_rng([seed, speakers])
    right, clips = simulate(corpus, runs, speakers, rng, fold_sd, folds)
    truth = corpus.true_uar(fold_sd**2)
    (value, left_out), (other, other_left_out) = (uar_and_left_out(one, clips) for one in right)
    covered = rejected = 0
    for run in range(runs):
        options = {"sizes": clips[run], "folds": folds}
        interval = score_interval(value[run], left_out[run], **options)
        difference = paired_difference(value[run] - other[run], left_out[run] - other_left_out[run], **options)
        covered += interval.low <= truth <= interval.high
        rejected += difference.p < 0.05
    return 100 * covered / runs, 100 * rejected / runs


PLAIN = Corpus(recall=0.7)
CORPORA = {
    "plain": PLAIN,
    "near chance": Corpus(recall=0.2, classes=8),
    "high": Corpus(recall=0.9, classes=4),
    "very high": Corpus(recall=0.97, clips=20),
    "independent clips": Corpus(recall=0.6, speaker_sd=0, cell_sd=0),
    "strong effects": Corpus(recall=0.6, speaker_sd=1.2, cell_sd=1, classes=5),
    "every other speaker has 5 times the clips": replace(PLAIN, sizes="every other"),
    "two speakers have 5 times the clips": replace(PLAIN, sizes="two"),
    "clips drawn, classes lacking": replace(PLAIN, sizes="drawn, lacking"),
}
