"""Channels that cancel each other in their mean: a cable with exchanged poles, a microphone behind the instrument."""

import numpy as np

# below what the mean of unrelated channels has, or of one beside silent ones: then the channels cancel each other
CANCELLED_DB = -10.0


class Powers:
    """The variance of each channel and of their mean, added up block by block."""

    def __init__(self, channels: int):
        self.count = 0
        self.sums, self.squares = np.zeros(channels + 1), np.zeros(channels + 1)

    def add(self, block: np.ndarray, mono: np.ndarray) -> None:
        """Take in a block of shape (samples, channels) and its mean."""
        self.count += len(block)
        for place in range(len(self.sums)):
            y = np.ascontiguousarray(block[:, place]) if place < block.shape[1] else mono
            self.sums[place] += y.sum(dtype=np.float64)
            self.squares[place] += np.vdot(y, y)

    def louder(self) -> int | None:
        """Return the loudest channel if their mean has far less power than that of unrelated channels would have.

        Unrelated channels of power p_i have a mean of the power sum(p_i) / N², equal ones N times that.
        """
        power = self.squares / max(self.count, 1) - np.square(self.sums / max(self.count, 1))
        of_channels, of_mean = power[:-1], power[-1]
        unrelated = of_channels.sum() / len(of_channels) ** 2
        if of_mean >= 10 ** (CANCELLED_DB / 10) * unrelated or unrelated <= 0.0:
            return None
        return int(of_channels.argmax())
