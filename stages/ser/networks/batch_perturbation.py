"""Changes of a training batch's features that are drawn anew in every epoch: speed, masks, mixtures.

They cost little beside the network's own work, unlike copies of the audio.
"""

from typing import NamedTuple

import numpy as np


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
        mixed = values[self.partner]
        mixed *= 1 - share
        mixed += share * values
        return mixed


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
        With stretch (largest change of speed, as a share), mixup, and what `draw_masks` needs.
    rng : np.random.Generator
    multiple : int
        The padded length is a multiple of this: few different lengths spare a framework's preparations for each.

    Returns
    -------
    batch : np.ndarray of float32, shape (batch, time, features)
    lengths : np.ndarray of int, shape (batch,)
    targets : np.ndarray of float32, shape (batch, classes)
    """
    rates = rng.uniform(1 - settings.stretch, 1 + settings.stretch, len(clips)) if settings.stretch else None
    batch, lengths = stretched(clips, rates, multiple)
    hidden, blank = draw_masks(lengths, batch.shape[1:], settings, rng)
    np.copyto(batch, fill, where=blank[:, None])
    batch[hidden] = fill
    mixture = draw_mixture(len(clips), settings.mixup, rng)
    return mixture.mix(batch), np.maximum(lengths, lengths[mixture.partner]), mixture.mix(targets)


def stretched(clips: list[np.ndarray], rates: np.ndarray | None, multiple: int) -> tuple[np.ndarray, np.ndarray]:
    """Put clips into one array as if they had been spoken so many times as fast, by linear interpolation over time.

    Parameters
    ----------
    clips : list of np.ndarray of float32, shape (frames, features)
    rates : np.ndarray, shape (batch,), or None
        None: as fast as they are.
    multiple : int
        See `perturbed_batch`.

    Returns
    -------
    batch : np.ndarray of float32, shape (batch, time, features)
        Behind the end of a clip its last frame again and again.
    lengths : np.ndarray of int, shape (batch,)
    """
    frames = np.concatenate(clips)
    spoken = np.array([len(clip) for clip in clips])
    lengths = spoken if rates is None else np.maximum(1, np.rint(spoken / rates).astype(int))
    time = np.arange(-(-lengths.max() // multiple) * multiple)
    first, last = (np.cumsum(spoken) - spoken)[:, None], (spoken - 1)[:, None]
    if rates is None:
        return frames[first + np.minimum(time, last)], lengths
    places = np.minimum(time * (last / np.maximum(1, lengths - 1)[:, None]), last)
    before = places.astype(int)
    batch = frames.take(first + before, axis=0)
    after = frames.take(first + np.minimum(before + 1, last), axis=0)
    after -= batch
    after *= (places - before).astype(np.float32)[:, :, None]
    batch += after
    return batch, lengths


def warped(clips: list[np.ndarray], centres: np.ndarray, warp: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Move the bands of each clip's spectra as a longer or shorter vocal tract would (VTLP [1]_), by interpolation.

    Parameters
    ----------
    clips : list of np.ndarray of float32, shape (frames, bands)
    centres : np.ndarray, shape (bands,)
        Frequencies of the bands, Hz, rising.
    warp : float
        A factor is drawn for each clip from 1 - `warp` to 1 + `warp`: each band becomes what stood at its frequency
        times the factor. Beyond the highest band that one stands.
    rng : np.random.Generator

    References
    ----------
    .. [1] N. Jaitly, G. E. Hinton, "Vocal tract length perturbation (VTLP) improves speech recognition", ICML Workshop
       on Deep Learning for Audio, Speech and Language, 2013 (there the warp is bent towards the highest frequency).
    """
    places = np.arange(len(centres))
    moved = []
    for clip, factor in zip(clips, rng.uniform(1 - warp, 1 + warp, len(clips)), strict=True):
        source = np.interp(centres * factor, centres, places)
        below = source.astype(int)
        above = np.minimum(below + 1, places[-1])
        share = (source - below).astype(np.float32)
        moved.append(clip[:, below] * (1 - share) + clip[:, above] * share)
    return moved


def draw_masks(
    lengths: np.ndarray, shape: tuple[int, int], settings, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw which bands of features and which stretches of time are blanked out in each clip (SpecAugment [1]_).

    Parameters
    ----------
    lengths : np.ndarray of int, shape (batch,)
        Frames of each clip.
    shape : tuple of int
        Frames of the padded batch, features.
    settings : object
        With feature_masks, feature_mask_width (features), time_masks and time_mask_share (of the clip): how many masks
        are drawn, and how wide the widest is.
    rng : np.random.Generator

    Returns
    -------
    frames : np.ndarray of bool, shape (batch, time)
        Those in a stretch of time, and those behind the clip.
    bands : np.ndarray of bool, shape (batch, features)

    References
    ----------
    .. [1] D. Park, W. Chan, Y. Zhang et al., "SpecAugment: a simple data augmentation method for automatic speech
       recognition", Interspeech 2019.
    """
    time, features = shape
    frames, bands = np.arange(time) >= lengths[:, None], np.zeros((len(lengths), features), dtype=bool)
    for _ in range(settings.feature_masks):
        bands |= _draw_mask(np.full(len(lengths), features), settings.feature_mask_width, features, rng)
    for _ in range(settings.time_masks):
        frames |= _draw_mask(lengths, (settings.time_mask_share * lengths).astype(int), time, rng)
    return frames, bands


def _draw_mask(sizes: np.ndarray, widest: int | np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one run of places for each of the sizes, as a mask of shape (batch, count)."""
    widths = rng.integers(0, np.minimum(widest, sizes) + 1)
    starts = rng.integers(0, sizes - widths + 1)
    places = np.arange(count)
    return (places >= starts[:, None]) & (places < (starts + widths)[:, None])
