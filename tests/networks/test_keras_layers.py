import numpy as np
import pytest


@pytest.mark.parametrize("shape", [(16, 5, 4, 3), (16, 3)])
def test_gives_what_the_layer_of_keras_gives(shape):
    from ser.networks.keras_backend import keras, tf
    from ser.networks.keras_layers import BatchNormalization

    rng = np.random.default_rng(0)
    inputs, weights = (tf.constant(rng.normal(3, 2, shape).astype(np.float32)) for _ in range(2))
    found = []
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        layer = kind(momentum=0.9)
        layer.build(shape)
        layer.gamma.assign(np.float32([1, 2, 0.5]))
        layer.beta.assign(np.float32([0, 1, -1]))
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs, training=True)
            total = tf.reduce_sum(outputs * weights)
        gradients = tape.gradient(total, [inputs, layer.gamma.value, layer.beta.value])
        found.append([outputs, *gradients, layer.moving_mean, layer.moving_variance, layer(inputs, training=False)])
    for expected, value in zip(*found, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-3)


def test_weights_that_were_stored_of_the_layer_of_keras_are_read(tmp_path):
    from ser.networks.keras_backend import keras
    from ser.networks.keras_layers import BatchNormalization

    networks = []
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        inputs = keras.Input((3,))
        networks.append(keras.Model(inputs, keras.layers.Dense(2)(kind(name="normalisation")(inputs))))
    keras_own, own = networks
    keras_own.layers[1].moving_mean.assign([1.0, 2.0, 3.0])
    keras_own.save_weights(tmp_path / "network.weights.h5")
    own.load_weights(tmp_path / "network.weights.h5")
    for value, expected in zip(own.get_weights(), keras_own.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


def test_the_recurrent_layer_gives_what_keras_gives_within_each_clip():
    from ser.networks.keras_backend import keras, tf
    from ser.networks.keras_layers import BidirectionalGRU

    batch, steps, channels, step = 4, 7, 5, 2
    rng = np.random.default_rng(0)
    inputs, weights = (tf.constant(rng.normal(size=(batch, steps, n)).astype(np.float32)) for n in (channels, 6))
    present = np.arange(steps * step) < step * np.array([[7], [1], [4], [6]])
    own = BidirectionalGRU(3, step)
    own.build([(None, None, channels)])
    for variable in own.recurrent.weights:
        variable.assign(rng.normal(0, 0.7, variable.shape))
    mask = tf.constant(present[:, ::step])
    presence = tf.constant(present[:, :, None].astype(np.float32))
    learnt = [variable.value for variable in own.recurrent.weights]
    found = []
    for layer in (lambda values: own.recurrent(values, mask=mask), lambda values: own([values, presence])):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *learnt])
            outputs = keras.ops.convert_to_tensor(layer(inputs)) * tf.cast(mask[:, :, None], tf.float32)
            total = tf.reduce_sum(outputs * weights)
        found.append([outputs, *tape.gradient(total, [inputs, *learnt])])
    assert len(found[0]) == 8
    for expected, value in zip(*found, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
