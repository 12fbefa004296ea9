"""Keras layers: for clips of unequal length, each padded at its end to the length of its batch, and for speed."""

from ser.networks.keras_backend import keras, tf

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


class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis, with the same variables and the same results.

    By TensorFlow's one operation for it: Keras puts it together from some twenty small ones. Its inputs have four axes,
    the last of them the channels, or two. The name of the class is part of where stored weights are looked for.
    """

    def call(self, inputs, training=None):
        if not training:
            return super().call(inputs, training=False)
        values = tf.reshape(inputs, (-1, 1, 1, inputs.shape[-1])) if len(inputs.shape) == 2 else inputs
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=values, scale=self.gamma.value, offset=self.beta.value, mean=[], variance=[], epsilon=self.epsilon,
            is_training=True,
        )  # fmt: skip
        count = tf.cast(tf.size(values) // tf.shape(values)[-1], variance.dtype)
        biased = variance * (count - 1) / count  # as Keras keeps it; TensorFlow's is the unbiased one
        for average, value in ((self.moving_mean, mean), (self.moving_variance, biased)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return tf.reshape(normalized, tf.shape(inputs))
