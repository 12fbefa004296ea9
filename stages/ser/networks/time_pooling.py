"""Keras layers for clips of unequal length, each padded at its end to the length of its batch."""

from ser.networks.keras_backend import keras

ops = keras.ops


class PaddedLayer(keras.layers.Layer):
    """What the layers below share: they know where the padding lies, for it is no part of the clip.

    Called with values, shape (batch, time / step, …), and presence, shape (batch, time, 1): 1 where there is a clip.

    Parameters
    ----------
    step : int
        Frames that were pooled to one.
    """

    def __init__(self, step: int, **arguments):
        super().__init__(**arguments)
        self.step = step

    def pooled(self, present):
        """Return the presence of the values' own steps, shape (batch, time / step, 1)."""
        return present[:, :: self.step]


class MaskPadding(PaddedLayer):
    """Set to zero what lies behind the end of a clip, so that the clip's output does not depend on its batch."""

    def call(self, inputs):
        values, present = inputs
        present = self.pooled(present)
        return values * ops.reshape(present, (-1, ops.shape(present)[1], *[1] * (len(values.shape) - 2)))


class BidirectionalGRU(PaddedLayer):
    """A gated recurrent layer in both directions, each clip within its own length.

    Its values have a single axis of channels; returns shape (batch, time / step, 2 · units).

    Parameters
    ----------
    units : int
        Of each direction.
    step : int
        Frames that were pooled to one.
    """

    def __init__(self, units: int, step: int, **arguments):
        super().__init__(step, **arguments)
        self.recurrent = keras.layers.Bidirectional(keras.layers.GRU(units, return_sequences=True))

    def build(self, shapes):
        self.recurrent.build((None, None, shapes[0][-1]))

    def call(self, inputs):
        values, present = inputs
        # "+ 0" leaves behind the mask that Keras ties to the output: the layers that follow are given `present`
        return self.recurrent(values, mask=self.pooled(present)[:, :, 0] > 0) + 0

    def compute_output_shape(self, shapes):
        return (*shapes[0][:2], 2 * self.recurrent.forward_layer.units)


class AttentivePooling(PaddedLayer):
    """Mean and deviation over time, weighted by how much a small network attends to each frame [1]_.

    Returns shape (batch, 2 · width).

    References
    ----------
    .. [1] K. Okabe, T. Koshinaka, K. Shinoda, "Attentive statistics pooling for deep speaker embedding",
       Interspeech 2018.
    """

    def build(self, shapes):
        width = shapes[0][-1]
        self.hidden = keras.layers.Dense(width // 2, activation="tanh", name="hidden")
        self.score = keras.layers.Dense(1, name="score")
        self.hidden.build((None, None, width))
        self.score.build((None, None, width // 2))

    def call(self, inputs):
        values, present = inputs
        absent = (1 - self.pooled(present)) * 1e9
        weights = ops.softmax(self.score(self.hidden(values)) - absent, axis=1)
        mean = ops.sum(weights * values, axis=1)
        variance = ops.sum(weights * (values - mean[:, None]) ** 2, axis=1)
        return ops.concatenate([mean, ops.sqrt(variance + 1e-6)], axis=1)  # the root's slope at 0 is infinite

    def compute_output_shape(self, shapes):
        return (shapes[0][0], 2 * shapes[0][-1])


class MeanMaxPooling(PaddedLayer):
    """Mean and maximum over time; returns shape (batch, 2 · width)."""

    def call(self, inputs):
        values, present = inputs
        present = self.pooled(present)
        mean = ops.sum(values * present, axis=1) / ops.sum(present, axis=1)
        return ops.concatenate([mean, ops.max(values - (1 - present) * 1e9, axis=1)], axis=1)

    def compute_output_shape(self, shapes):
        return (shapes[0][0], 2 * shapes[0][-1])
