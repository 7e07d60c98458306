"""Keras's downloads as npz files: `python -m core.downloads NAME FILE`, in a process of its own.

A page never loads TensorFlow, and nothing but Keras's own code reads what Keras downloads: CIFAR's
archives hold pickles. From then on everybody reads the npz.
"""

import socket
import sys
from pathlib import Path

import numpy as np

from core.files import write_atomically
from core.quiet import load_tensorflow

SILENCE_SECONDS = 60
"""A server that says nothing for so long is given up."""


def download(name: str, path: Path) -> None:
    """Write a dataset that Keras knows to `path`: x_train, y_train, x_test and y_test."""
    load_tensorflow()
    import keras

    keras.config.set_image_data_format("channels_last")
    train, test = getattr(keras.datasets, name).load_data()
    arrays = {"x_train": train[0], "y_train": train[1], "x_test": test[0], "y_test": test[1]}
    write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


if __name__ == "__main__":
    socket.setdefaulttimeout(SILENCE_SECONDS)
    download(sys.argv[1], Path(sys.argv[2]))
