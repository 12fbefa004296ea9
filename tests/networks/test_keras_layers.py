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
