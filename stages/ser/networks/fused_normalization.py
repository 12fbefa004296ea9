"""Batch normalisation by TensorFlow's one operation for it: Keras puts it together from some twenty small ones."""

from ser.networks.keras_backend import keras, tf


class FusedNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last axis, with the same variables and the same results.

    Its inputs have four axes, the last of them the channels, or two.
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
