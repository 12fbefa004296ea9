"""Keras layers: for clips of unequal length, each padded at its end to the length of its batch, and for speed."""

from collections.abc import Callable

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

    What `keras.layers.Bidirectional` of `keras.layers.GRU` computes, with its variables. Its values have a single axis
    of channels; returns shape (batch, time / step, 2 · units).

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
        values, present = (tf.transpose(each, (1, 0, 2)) for each in (inputs[0], self.pooled(inputs[1])))
        cells = self.recurrent.forward_layer.cell, self.recurrent.backward_layer.cell
        kernel = tf.concat([cell.kernel.value for cell in cells], axis=1)
        recurrent = tf.stack([cell.recurrent_kernel.value for cell in cells])
        bias, recurrent_bias = tf.unstack(tf.stack([cell.bias.value for cell in cells], axis=1)[:, :, None])
        ahead, back = tf.split(tf.tensordot(values, kernel, 1), 2, axis=2)
        given = tf.stack([ahead, back[::-1]], axis=1) + bias
        states = gated_states(given, recurrent, recurrent_bias, tf.stack([present, present[::-1]], axis=1))
        return tf.transpose(tf.concat([states[:, 0], states[::-1, 1]], axis=2), (1, 0, 2))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:2], 2 * self.recurrent.forward_layer.units)


@tf.custom_gradient
def gated_states(given, recurrent, bias, present):
    """Return the states of gated recurrent units as Keras has them [1]_, of several directions at once.

    With its gradient by hand: TensorFlow's own of a loop repeats at every step what is quicker done for all of them.

    Parameters
    ----------
    given : tf.Tensor, shape (time, directions, batch, 3 · units)
        What the inputs bring to the update gate, the reset gate and the new state.
    recurrent : tf.Tensor, shape (directions, units, 3 · units)
        What the state before is multiplied by for the same.
    bias : tf.Tensor, shape (directions, 1, 3 · units)
        Of that product.
    present : tf.Tensor, shape (time, directions, batch, 1)
        1 where there is a clip; elsewhere the state is 0. It has no gradient.

    Returns
    -------
    tf.Tensor, shape (time, directions, batch, units)

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine
       translation", EMNLP 2014; the reset gate comes behind the product (``reset_after``).
    """
    steps, start = tf.shape(given)[0], tf.zeros_like(given[0, ..., : recurrent.shape[1]])

    def loop(first, direction: int, step: Callable, written: int) -> list:
        """Go through time and carry a state; return what each step wrote, with a first axis of time."""
        arrays = tuple(tf.TensorArray(tf.float32, steps, element_shape=start.shape) for _ in range(written))

        def body(time, carried, arrays):
            carried, values = step(time, carried)
            return time + direction, carried, tuple(map(lambda array, value: array.write(time, value), arrays, values))

        def inside(time, *_):
            return (time >= 0) & (time < steps)

        return [each.stack() for each in tf.while_loop(inside, body, (first, start, arrays), parallel_iterations=1)[2]]

    def ahead(time, state):
        update, reset, new = tf.split(given[time], 3, axis=2)
        of_update, of_reset, of_new = tf.split(tf.matmul(state, recurrent) + bias, 3, axis=2)
        update, reset = tf.sigmoid(update + of_update), tf.sigmoid(reset + of_reset)
        new = tf.tanh(new + reset * of_new)
        state = present[time] * (new + update * (state - new))
        return state, (state, update, reset, new, of_new)

    states, update, reset, new, of_new = loop(0, 1, ahead, 5)

    def gradients(of_states):
        before = tf.concat([start[None], states[:-1]], axis=0)
        to_new = present * (1 - update) * (1 - new**2)
        to_update = present * (before - new) * update * (1 - update)
        to_reset = to_new * of_new * reset * (1 - reset)
        to_product = tf.stack([to_update, to_reset, to_new * reset], axis=3)  # all of them times the state's gradient
        kept, transposed = present * update, tf.transpose(recurrent, (0, 2, 1))

        def back(time, later):
            own = of_states[time] + later
            product = tf.reshape(to_product[time] * own[:, :, None], tf.shape(given)[1:])
            return kept[time] * own + tf.matmul(product, transposed), (own,)

        (own,) = loop(steps - 1, -1, back, 1)
        of_product = tf.reshape(to_product * own[:, :, :, None], tf.shape(given))
        of_given = tf.concat([*tf.split(of_product, 3, axis=3)[:2], to_new * own], axis=3)
        return (
            of_given,
            tf.einsum("tdbu,tdbv->duv", before, of_product),
            tf.reduce_sum(of_product, (0, 2))[:, None],
            None,
        )

    return states, gradients


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
