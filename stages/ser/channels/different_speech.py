"""Channels that carry different speech, as of a call with a person on each: they are not to be mixed.

Of the same speech every channel has the same course of levels, however far off, reverberant or turned down it is. Of
two people now one channel is loud and now the other, by more than the sound of one leaks into the channel of the other.

The numbers were chosen by calls, rooms, gates, codecs and noises that are made of synthetic and acted speech
(tests/channel_simulation.py): nothing much changes between 12 and 16 dB apart, and 25 and 60 dB of fall a second.
"""

import numpy as np

FRAME = 0.064  # s; shorter than a syllable, longer than any delay between microphones
RATE = 8000  # Hz, or up to twice that: what is left of a channel for its level, the band of a telephone
LEAST_DB = -75.0  # dBFS; what is below is no speech
ABOVE_FLOOR_DB = 10.0  # that speech exceeds the noise of its channel by
BELOW_PEAK_DB = 20.0  # that the speech of a channel is within, of its loudest frame
FALL_DB = 40.0  # a second, that a level is taken to fall by at most: rooms and gates are not done at once
APART_DB = 14.0  # in two directions together, that the levels of two channels differ by in the frames that count
LEAST_SECONDS = 0.5  # of such frames, for each of the two
LEAST_SHARE = 0.04  # of the frames with speech
SURROUND = (6, 8)  # channels: 5.1 and 7.1, of which music on one and dialogue on another belong together


class ChannelLevels:
    """The levels of channels, frame by frame; memory is 4 bytes a frame and channel.

    Parameters
    ----------
    channels : int
    sample_rate : int
        Hz.
    """

    def __init__(self, channels: int, sample_rate: int):
        self._step = max(1, sample_rate // RATE)
        self._mean = np.full(self._step, 1 / self._step, np.float32)  # a product with it takes a tenth of mean's time
        self._frame = self._step * round(FRAME * sample_rate / self._step)  # samples
        self._seconds = self._frame / sample_rate
        self._rest = np.empty((0, channels), np.float32)
        self._energies: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        """Take in a block of float32 of shape (samples, channels)."""
        if len(self._rest):
            block = np.concatenate([self._rest, block])
        frames = len(block) // self._frame
        whole, self._rest = block[: frames * self._frame], block[frames * self._frame :].copy()
        if not frames:
            return
        energies = np.empty((frames, block.shape[1]), np.float32)
        for place in range(block.shape[1]):
            y = whole[:, place].reshape(-1, self._step) @ self._mean  # the band of a telephone
            y = np.diff(y.reshape(frames, -1), axis=1)  # without offset and hum
            energies[:, place] = np.vecdot(y, y) / y.shape[1]
        self._energies.append(energies)

    def different(self) -> tuple[int, ...]:
        """Return the channels, from 1, that carry other speech than another one does; none if all carry the same.

        Not of surround sound.
        """
        if not self._energies or self._energies[0].shape[1] in SURROUND:
            return ()
        levels = 10 * np.log10(np.maximum(np.concatenate(self._energies), 10 ** (LEAST_DB / 10 - 1)))
        spoken = np.stack([_speech(level) for level in levels.T])
        lasting = np.stack([_lasting(level, FALL_DB * self._seconds) for level in levels.T])
        found = set()
        for one in range(len(spoken)):
            for other in range(one):
                frames = _apart(levels.T, lasting, spoken, one, other)
                most = max(LEAST_SECONDS / self._seconds, LEAST_SHARE * np.count_nonzero(spoken[one] | spoken[other]))
                if frames >= most:
                    found |= {one + 1, other + 1}
        return tuple(sorted(found))


def _speech(level: np.ndarray) -> np.ndarray:
    """Tell which frames of a channel may be speech."""
    return level > max(np.percentile(level, 10) + ABOVE_FLOOR_DB, level.max() - BELOW_PEAK_DB, LEAST_DB)


def _lasting(level: np.ndarray, fall: float) -> np.ndarray:
    """Return levels that fall by no more than so many dB from frame to frame."""
    slope = fall * np.arange(len(level))
    return np.maximum.accumulate(level + slope) - slope


def _apart(levels: np.ndarray, lasting: np.ndarray, spoken: np.ndarray, one: int, other: int) -> int:
    """Count how often each of two channels is louder, compared with how they are to each other otherwise."""
    louder = (levels[one] - lasting[other])[spoken[one]]
    quieter = (levels[other] - lasting[one])[spoken[other]]
    count = min(len(louder), len(quieter))
    both = np.sort(louder)[::-1][:count] + np.sort(quieter)[::-1][:count]
    return int(np.count_nonzero(both >= APART_DB))
