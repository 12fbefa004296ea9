"""Keras on TensorFlow, made quiet and deterministic; everything that needs Keras imports it from here."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Keras imports them, where they are there, for what nothing here uses; they take half as long as Keras and TensorFlow
SPARED = ("matplotlib.pyplot", "sklearn")


@contextmanager
def _without_start_messages() -> Iterator[None]:
    """Drop what TensorFlow's C++ part writes to standard error while it is imported; no setting stops it."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _without(modules: tuple[str, ...]) -> Iterator[None]:
    """Hide modules that nothing has imported yet, as if they were not installed."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def _without_settings() -> Iterator[None]:
    """Let Keras find no keras.json, such as one in the home that says float16, and leave none there."""
    given = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.devnull  # no folder: nothing can be in it
    try:
        yield
    finally:
        del os.environ["KERAS_HOME"]
        if given is not None:
            os.environ["KERAS_HOME"] = given


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # on CPUs without AVX512-VNNI it is off, and convolutions take twice as long
with _without_start_messages(), _without(SPARED), _without_settings():
    import keras  # noqa: F401
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # clips of many lengths: it warns of the first few times that it traces anew

    # Several threads add up in another order: other bytes.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    DEVICE = "cpu"
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # otherwise the first process takes all its memory
        DEVICE = tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
