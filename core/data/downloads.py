"""Keras's downloads as npz files: `python -m core.data.downloads NAME FILE`.

A page never loads TensorFlow, and nothing but Keras's own code reads what Keras downloads: CIFAR's
archives hold pickles. From then on everybody reads the npz. How far it is stands in the folder of
`core.data.downloading`, whoever has started it.
"""

import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from core.background import Telling, Work
from core.data.dataset_files import UnreadableFile, archive_of, read_file
from core.data.downloading import Downloading
from core.files import clear_unfinished, write_atomically
from core.processes import this_process
from core.training.quiet import load_tensorflow

SILENCE_SECONDS = 60
"""A server that says nothing for so long is given up."""

Told = Callable[[str, int, int], None]
"""What is being done, and how many bytes of how many that is so far."""


class Counted(urllib.request.BaseHandler):
    """Tells how much has come of whatever urllib fetches, which Keras downloads with."""

    handler_order = 900
    """Before redirections are followed, so that what they lead to is counted once."""

    def __init__(self, told: Told) -> None:
        self._told = told

    def http_response(self, request: urllib.request.Request, response: Any) -> HTTPResponse:
        """The same response, which tells what is read of it."""
        name, read, done = PurePosixPath(urlsplit(request.full_url).path).name, response.read, 0
        total = int(response.headers.get("Content-Length") or 0)

        def counted(*size: int) -> bytes:
            nonlocal done
            piece: bytes = read(*size)
            done += len(piece)
            self._told(f"downloading {name}", done, total)
            return piece

        response.read = counted
        found: HTTPResponse = response
        return found

    https_response = http_response


def download(name: str, file: Path, told: Told = lambda phase, done, total: None) -> None:
    """Write a dataset that Keras knows to `file`: x_train, y_train, x_test and y_test.

    The authors' own archive beside it, put there by hand, is taken instead of a download.
    """
    archive = archive_of(name)
    if archive and (file.parent / archive).is_file():
        arrays = _from_archive(name, file.parent / archive)
    else:
        arrays = _from_keras(name, told)
    told("writing", 0, 0)
    write_atomically(file, lambda opened: np.savez(opened, allow_pickle=False, **arrays))


def _from_archive(name: str, archive: Path) -> dict[str, NDArray[Any]]:
    try:
        train, test = read_file(archive, name, "train"), read_file(archive, name, "test")
    except UnreadableFile as error:
        raise UnreadableFile(f"{archive} lies there, but {error}; remove it") from None
    return _arrays(train, test)


def _from_keras(name: str, told: Told) -> dict[str, NDArray[Any]]:
    told("loading Keras", 0, 0)
    load_tensorflow()
    import keras

    urllib.request.install_opener(urllib.request.build_opener(Counted(told)))
    keras.config.set_image_data_format("channels_last")
    train, test = getattr(keras.datasets, name).load_data()
    return _arrays(train, test)


def _arrays(train: Any, test: Any) -> dict[str, NDArray[Any]]:
    return {"x_train": train[0], "y_train": train[1], "x_test": test[0], "y_test": test[1]}


def main(name: str, file: Path) -> None:
    """Download a dataset unless that was done meanwhile, and tell how far that is."""
    downloading = Downloading(name, file)
    downloading.folder.mkdir(parents=True, exist_ok=True)
    with downloading.lock().acquire(timeout=-1):
        if file.is_file():
            return
        clear_unfinished(file.parent, file.name)
        telling = Telling(downloading.tell, Work(process=this_process()))
        try:
            download(name, file, telling)
        except Exception as error:
            telling.end(downloading.failure(str(error) or type(error).__name__))
            raise
        telling.end()


if __name__ == "__main__":
    socket.setdefaulttimeout(SILENCE_SECONDS)
    # Keras removes what it has half downloaded where it is interrupted, but not where it is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main(sys.argv[1], Path(sys.argv[2]))
