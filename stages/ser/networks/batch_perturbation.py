"""Changes of a training batch's features that are drawn anew in every epoch: speed, masks, mixtures.

They cost little beside the network's own work, unlike copies of the audio.
"""

from typing import NamedTuple

import numpy as np

from ser.networks.batches import padded


class Mixture(NamedTuple):
    """With which other example of its batch each one is mixed.

    Attributes
    ----------
    partner : np.ndarray of int, shape (batch,)
    share : np.ndarray of float32, shape (batch,)
        The example's own share, 0.5 to 1.
    """

    partner: np.ndarray
    share: np.ndarray

    def mix(self, values: np.ndarray) -> np.ndarray:
        """Return the mixtures of `values`, shape (batch, …)."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return share * values + (1 - share) * values[self.partner]


def draw_mixture(batch: int, alpha: float, rng: np.random.Generator) -> Mixture:
    """Draw mixup's partners and shares [1]_; with an `alpha` of 0 nothing is mixed.

    Parameters
    ----------
    batch : int
        Number of examples.
    alpha : float
        Shares are drawn from Beta(alpha, alpha); the larger part is the example's own.
    rng : np.random.Generator

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
    """
    if alpha == 0:
        return Mixture(np.arange(batch), np.ones(batch, dtype=np.float32))
    share = rng.beta(alpha, alpha, batch).astype(np.float32)
    return Mixture(rng.permutation(batch), np.maximum(share, 1 - share))


def stretch_frames(frames: np.ndarray, rate: float) -> np.ndarray:
    """Return a clip's frames as if it had been spoken `rate` times as fast, by linear interpolation over time.

    Parameters
    ----------
    frames : np.ndarray of float32, shape (frames, features)
    rate : float
    """
    if rate == 1:
        return frames
    places = np.linspace(0, len(frames) - 1, max(1, round(len(frames) / rate)))
    before = places.astype(int)
    after = np.minimum(before + 1, len(frames) - 1)
    share = (places - before).astype(np.float32)[:, None]
    return frames[before] * (1 - share) + frames[after] * share


def mask_frames(frames: np.ndarray, fill: np.ndarray, settings, rng: np.random.Generator) -> np.ndarray:
    """Return a clip's frames with bands of features and stretches of time blanked out (SpecAugment [1]_).

    Parameters
    ----------
    frames : np.ndarray of float32, shape (frames, features)
    fill : np.ndarray of float32, shape (features,)
        What stands in a mask: the features' training means.
    settings : object
        With feature_masks, feature_mask_width (features), time_masks and time_mask_share (of the clip): how many masks
        are drawn, and how wide the widest is.
    rng : np.random.Generator

    References
    ----------
    .. [1] D. Park, W. Chan, Y. Zhang et al., "SpecAugment: a simple data augmentation method for automatic speech
       recognition", Interspeech 2019.
    """
    frames = frames.copy()
    length, features = frames.shape
    for _ in range(settings.feature_masks):
        start, width = _draw_mask(features, min(settings.feature_mask_width, features), rng)
        frames[:, start : start + width] = fill[start : start + width]
    for _ in range(settings.time_masks):
        start, width = _draw_mask(length, int(settings.time_mask_share * length), rng)
        frames[start : start + width] = fill
    return frames


def _draw_mask(size: int, widest: int, rng: np.random.Generator) -> tuple[int, int]:
    width = int(rng.integers(0, widest + 1))
    return int(rng.integers(0, size - width + 1)), width


def perturbed_batch(
    clips: list[np.ndarray], targets: np.ndarray, fill: np.ndarray, settings, rng: np.random.Generator, multiple: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretch, mask, pad and mix the clips of a training batch.

    Parameters
    ----------
    clips : list of np.ndarray of float32, shape (frames, features)
    targets : np.ndarray of float32, shape (batch, classes)
        What is to be learnt of each clip, see `soft_targets`.
    fill : np.ndarray of float32, shape (features,)
        Training means: what stands in masks and padding.
    settings : object
        With stretch (largest change of speed, as a share), mixup, and what `mask_frames` needs.
    rng : np.random.Generator
    multiple : int
        See `padded`.

    Returns
    -------
    batch : np.ndarray of float32, shape (batch, time, features)
    lengths : np.ndarray of int, shape (batch,)
    targets : np.ndarray of float32, shape (batch, classes)
    """
    rates = rng.uniform(1 - settings.stretch, 1 + settings.stretch, len(clips))
    clips = [stretch_frames(frames, rate) for frames, rate in zip(clips, rates, strict=True)]
    batch, lengths = padded([mask_frames(frames, fill, settings, rng) for frames in clips], fill, multiple)
    mixture = draw_mixture(len(clips), settings.mixup, rng)
    return mixture.mix(batch), np.maximum(lengths, lengths[mixture.partner]), mixture.mix(targets)
