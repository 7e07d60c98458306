"""The graphics processors that TensorFlow sees, and training on several of them."""

import tensorflow as tf


def gpu_capabilities() -> list[tuple[int, int]]:
    """CUDA compute capability of each GPU that TensorFlow sees."""
    devices = tf.config.list_physical_devices("GPU")
    details = (tf.config.experimental.get_device_details(device) for device in devices)
    return [detail["compute_capability"] for detail in details if "compute_capability" in detail]


def strategy() -> tf.distribute.Strategy:
    """All GPUs of the machine at once where it has several, else TensorFlow's default."""
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
