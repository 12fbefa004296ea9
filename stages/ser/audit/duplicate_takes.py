"""Which clips are the same take: re-encoded, resampled, louder, shifted or cut, but once spoken.

A fingerprint is two words of 32 bits every 10 ms of a 3.2 kHz copy. The *spectrum's* bits tell whether the difference
between neighbouring bands grows or shrinks (Haitsma & Kalker 2002, ISMIR): they do not depend on where exactly the
frames lie, so equal words find the candidates among millions. The *waveform's* bits are the signs of the samples
themselves: codecs keep the waveform and no two performances share it, so they decide. Loud frames alone count.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import soxr
from scipy import fft, signal

from ser.compute.parallel import parallel_map
from ser.settings.compute_section import Compute

RATE = 3200  # Hz; fundamental and first formants, which every codec and telephone keeps
HOP = 32  # samples, 10 ms: one word of samples
FRAME = 512  # samples, 160 ms: long, so that half a hop's shift changes few bits
# A word's bits are the 8 differences of 9 bands at 4 moments: codecs spare them more often than 32 of narrow bands.
BANDS = np.geomspace(200.0, 1400.0, 10)  # Hz, edges
MOMENTS = (-24, -8, 8, 24)  # hops from the word
SPREAD = 8  # hops from a moment to each of the two spectra that are compared
HIGH_PASS = signal.butter(2, 100.0, "highpass", fs=RATE, output="sos")  # mains hum is common to a whole corpus
SMOOTHING = signal.windows.hann(11)[1:-1] / 5  # hops, of sum 1; the level of a frame is that of its neighbourhood
LOUD_DB = 20.0  # frames count that are less than this below the loudest: noise and codecs change what is softer
SILENCE = 1e-8  # mean square (-80 dBFS) of the loudest frame, below which there is nothing to compare

NEIGHBOURS = 16  # equal words compared with each word: bounds the work where a word occurs everywhere
CONTEXT = np.arange(-64, 65, 4)  # frames around two equal words that are compared to make the pair a candidate
CONTEXT_ERROR = 0.16  # of their bits may differ; a cut changes those of the 0.4 s next to it. 0.2 takes twice the time
MIN_CONTEXT = 5  # frames, loud in both
PAIRS = 256  # compared by a worker at a time
HERE = Compute(workers=1, backend="loky", address=None)
BLOCK = 1 << 17  # pairs of words compared at a time, which bounds the memory

# Share of signs that differ, at most: MAX_ERROR, and less in few frames, as the best of all shifts fits the better by
# chance the fewer they are: 0.5 - EVIDENCE / sqrt(frames in common), which is 0.13 of 30 and 0.25 of 64 or more.
# Measured on RAVDESS, EMO-DB and a demo corpus (1944 clips) and on 20 to 60 % of the speech of each third of them, from
# the start, the middle and the end (19440 cuts, half of them in the worst MP3). Other takes have 0.5 - 1.55 / sqrt at
# most among the candidates (4892 pairs) and 0.5 - 1.84 / sqrt among 620 000 pairs of a cut and another clip, mostly of
# its speaker; none was taken for a copy. The cuts reach 0.17, those in MP3 0.24, of 95 in 100 0.13 and 0.17.
# With a CONTEXT_ERROR of 0.2, of the cuts to 50 % are found: 97 % of starts and ends (MP3 90 %), 89 % of middles
# (71 %); to 30 %: 70 % (51 %), 30 % (20 %). With 0.16, a seventh to a fifth fewer of the middles in MP3 are candidates.
# What is missing has too few loud frames or no equal word, as a cut changes the words next to it.
MAX_ERROR = 0.25
EVIDENCE = 2.0
FINER = 2  # steps a sample in which the waveforms are shifted
MIN_OVERLAP = 0.7  # of the loud frames of the shorter clip: a cut brings soft frames nearer to its loudest
MIN_FRAMES = 30  # loud frames in common, 0.3 s
RIVAL_DISTANCE, MAX_RIVAL = 0.1, 0.7  # s; agreement so far from the best one, re it: a steady tone fits anywhere


def fingerprint(y: np.ndarray, sr: int) -> np.ndarray:
    """Describe a clip so that `find_same_takes` can compare it.

    Parameters
    ----------
    y : np.ndarray of float32, shape (samples,)
        As decoded; any rate, level and length.
    sr : int
        Hz.

    Returns
    -------
    np.ndarray of uint32, shape (frames, 2)
        The words of the spectrum and of the waveform, every 10 ms. The former is 0 where the clip is too soft to tell
        and nowhere else. No frames: silence, or too short.
    """
    nothing = np.empty((0, 2), dtype=np.uint32)
    if len(y) * RATE < HOP * sr:
        return nothing
    y = soxr.resample(y - y.mean(), sr, RATE, quality="MQ")
    y = y[: len(y) // HOP * HOP]
    if len(y) == 0:
        return nothing
    y = signal.sosfilt(HIGH_PASS, y).astype(np.float32)
    level = np.convolve(np.square(y).reshape(-1, HOP).mean(axis=1), SMOOTHING)[SMOOTHING.size // 2 :][: len(y) // HOP]
    if level.max() < SILENCE:
        return nothing
    loud = level > level.max() * 10 ** (-LOUD_DB / 10)
    spectrum = np.maximum(_words(_spectral_bits(y)), 1) * loud
    return np.stack([spectrum, _words(y.reshape(-1, HOP) > 0)], axis=1).astype(np.uint32)


def _band_weights() -> np.ndarray:
    """Return the share of each bin of the spectrum that lies in each band, shape (bins, bands)."""
    width = RATE / FRAME
    bins = np.arange(FRAME // 2 + 1)[:, None] * width
    upper = np.minimum(bins + width / 2, BANDS[1:])
    lower = np.maximum(bins - width / 2, BANDS[:-1])
    return (np.maximum(upper - lower, 0.0) / width).astype(np.float32)


WEIGHTS = _band_weights()
WINDOW = signal.windows.hann(FRAME, sym=False).astype(np.float32)


def _spectral_bits(y: np.ndarray) -> np.ndarray:
    """Tell whether the difference between neighbouring bands grows, shape (frames, 32)."""
    count = len(y) // HOP
    reach = max(MOMENTS) + SPREAD
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(y, FRAME // 2 + reach * HOP), FRAME)[HOP // 2 :: HOP]
    spectrum = fft.rfft(frames * WINDOW)
    energy = (np.square(spectrum.real) + np.square(spectrum.imag)) @ WEIGHTS
    slope = energy[:, :-1] - energy[:, 1:]
    grows = slope[2 * SPREAD :] > slope[: -2 * SPREAD]
    return np.concatenate([grows[max(MOMENTS) + moment :][:count] for moment in MOMENTS], axis=1)


def _words(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits, axis=1).view(">u4")[:, 0]


def find_same_takes(fingerprints: Sequence[np.ndarray], compute: Compute = HERE) -> pd.DataFrame:
    """Find the pairs of clips that hold the same take, or of which one is a part of the other.

    Parameters
    ----------
    fingerprints : sequence of np.ndarray
        See `fingerprint`.
    compute : Compute, optional
        Where the candidates are compared.

    Returns
    -------
    pd.DataFrame
        ``first`` and ``second`` (positions; first < second), ``offset`` (s, by which the take lies later in the
        second) and ``error`` (share of the signs of the waveform that differ). Of a take that occurs very often not
        every pair is listed, but every copy.
    """
    pairs = _candidates(fingerprints)
    both = _Pairs(fingerprints, pairs)
    agreements = parallel_map(_compare_both, both, compute=compute, label="same takes", unit="pair", chunk=PAIRS)
    found = [(*pair, *agreement) for pair, agreement in zip(pairs, agreements, strict=True) if agreement is not None]
    table = pd.DataFrame(found, columns=["first", "second", "offset", "error"])
    return table.astype({"first": int, "second": int, "offset": float, "error": float})


class _Pairs(Sequence):
    """The fingerprints of pairs of clips, looked up when they are asked for."""

    def __init__(self, fingerprints: Sequence[np.ndarray], pairs: list[list[int]]):
        self._fingerprints, self._pairs = fingerprints, pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, part: slice) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(self._fingerprints[first], self._fingerprints[second]) for first, second in self._pairs[part]]


def _compare_both(pair: tuple[np.ndarray, np.ndarray]) -> tuple[float, float] | None:
    return compare(*pair)


def compare(first: np.ndarray, second: np.ndarray) -> tuple[float, float] | None:
    """Lay one waveform over the other where they agree best.

    Returns
    -------
    offset, error : float
        See `find_same_takes`; None if they do not share most of the shorter one's speech, if they fit equally well
        elsewhere, or if too many signs differ for as little as they share.
    """
    loud = [np.flatnonzero(words[:, 0]) for words in (first, second)]
    needed = max(MIN_FRAMES, MIN_OVERLAP * min(map(len, loud)))
    if min(map(len, loud)) < needed:
        return None
    one, other = (words[rows[0] : rows[-1] + 1] for words, rows in zip((first, second), loud, strict=True))
    size = fft.next_fast_len(HOP * (len(one) + len(other)), real=True)
    product = fft.rfft(_signs(one), size).conj() * fft.rfft(_signs(other), size)
    agreement = np.abs(fft.irfft(product, FINER * size)) * FINER  # of either polarity
    best = int(agreement.argmax())
    highest = float(agreement[best])
    lag = (best if best < FINER * HOP * len(other) else best - FINER * size) / FINER
    common = _common_frames(one[:, 0] != 0, other[:, 0] != 0, round(lag / HOP))
    far = round(RIVAL_DISTANCE * RATE * FINER)
    agreement[(best + np.arange(1 - far, far)) % len(agreement)] = 0.0
    if common < needed or agreement.max() > MAX_RIVAL * highest:
        return None
    error = min(max((1 - highest / (common * HOP)) / 2, 0.0), 1.0)
    if error > min(MAX_ERROR, 0.5 - EVIDENCE / common**0.5):
        return None
    return lag / RATE + (int(loud[1][0]) - int(loud[0][0])) * HOP / RATE, error


def _common_frames(first: np.ndarray, second: np.ndarray, shift: int) -> int:
    """Count the frames that are loud in both clips, the second of which is `shift` frames late."""
    start, end = max(0, -shift), min(len(first), len(second) - shift)
    return int((first[start:end] & second[start + shift : end + shift]).sum()) if end > start else 0


def _signs(words: np.ndarray) -> np.ndarray:
    """Return the signs of the samples of the loud frames, 0 elsewhere, shape (frames * HOP,)."""
    bits = np.unpackbits(words[:, 1].astype(">u4").view(np.uint8)).reshape(-1, HOP)
    return ((2 * bits.astype(np.float32) - 1) * (words[:, :1] != 0)).ravel()


def _candidates(fingerprints: Sequence[np.ndarray]) -> list[list[int]]:
    """Return the pairs of clips that agree around an equal word of the spectrum."""
    margin = np.zeros(int(np.abs(CONTEXT).max()), dtype=np.uint32)  # a context that reaches into another clip is void
    words = np.concatenate([margin, *(part for words in fingerprints for part in (words[:, 0], margin))])
    clip = np.repeat(np.arange(len(fingerprints), dtype=np.int32), [len(words) + len(margin) for words in fingerprints])
    clip = np.concatenate([np.full(len(margin), -1, dtype=np.int32), clip])
    used = np.flatnonzero((words[1:] != 0) & (words[1:] != words[:-1])) + 1  # a word that stays says nothing new
    # Words that follow equal words in the order are equal too where the clips go on together.
    after = words[used + CONTEXT[CONTEXT > 0][0]].astype(np.uint64)
    order = used[np.argsort((words[used].astype(np.uint64) << np.uint64(32)) | after, kind="stable")]
    pairs = [np.empty(0, dtype=np.int64)]
    for first, second in _equal_words(words, clip, order):
        alike = _context_error(words, first, second) <= CONTEXT_ERROR
        ends = np.sort(np.stack([clip[first[alike]], clip[second[alike]]]).astype(np.int64), axis=0)
        pairs.append(np.unique(ends[0] * len(fingerprints) + ends[1]))
    pairs = np.unique(np.concatenate(pairs))
    return np.stack(np.divmod(pairs, max(len(fingerprints), 1)), axis=1).tolist()


def _equal_words(words: np.ndarray, clip: np.ndarray, order: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the places of equal words of different clips, a block at a time."""
    for step in range(1, NEIGHBOURS + 1):
        for start in range(0, len(order) - step, BLOCK):
            first = order[start : min(start + BLOCK, len(order) - step)]
            second = order[start + step : start + step + len(first)]
            equal = (words[first] == words[second]) & (clip[first] != clip[second])
            yield first[equal], second[equal]


def _context_error(words: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the share of bits that differ around two places, of those frames that are loud in both."""
    differing = np.zeros(len(first))
    compared = np.zeros(len(first))
    for step in CONTEXT:
        one, other = words[first + step], words[second + step]
        both = (one != 0) & (other != 0)
        differing += np.bitwise_count(one ^ other) * both
        compared += both
    return np.where(compared >= MIN_CONTEXT, differing / (32 * np.maximum(compared, 1)), 1.0)
