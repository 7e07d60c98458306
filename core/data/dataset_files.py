"""Datasets in one file: an npz laid out as Keras's are, or a binary archive of CIFAR.

Nothing in such a file is run: pickles are refused.
"""

import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.data.catalogue import DATASETS

Part = Literal["train", "test"]
Arrays = tuple[NDArray[np.uint8], NDArray[np.int64]]


class UnreadableFile(Exception):
    """Why a file cannot be read as the dataset that it was named for."""


@dataclass(frozen=True)
class Archive:
    """A binary archive of CIFAR (https://www.cs.toronto.edu/~kriz/cifar.html).

    Its files hold one record after another: the labels, the last of which counts, one byte each,
    then 3072 bytes of pixels, channel by channel.
    """

    files: dict[Part, tuple[str, ...]]
    labels: int


ARCHIVES = {
    "cifar10": Archive(
        {"train": tuple(f"data_batch_{n}.bin" for n in range(1, 6)), "test": ("test_batch.bin",)},
        labels=1,
    ),
    "cifar100": Archive({"train": ("train.bin",), "test": ("test.bin",)}, labels=2),
}
_PIXELS = (3, 32, 32)


def read_file(path: Path, name: str, part: Part) -> Arrays:
    """Images (count, height, width[, 3]) and labels (count,) of one part of a dataset.

    Raises UnreadableFile.
    """
    try:
        if zipfile.is_zipfile(path):
            images, labels = _read_npz(path, part)
        elif name in ARCHIVES and tarfile.is_tarfile(path):
            images, labels = _read_archive(path, ARCHIVES[name], part)
        else:
            raise UnreadableFile("it is of another kind")
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as e:
        raise UnreadableFile(f"it cannot be read ({e})") from None
    _check(images, labels, DATASETS[name].image_shape)
    return images, labels.astype(np.int64)


def expected(name: str) -> str:
    """The kinds of file that a dataset can be read from, in words."""
    npz = "an npz file that holds x_train, y_train, x_test and y_test"
    return f"{npz}, or {archive_of(name)}" if name in ARCHIVES else npz


def archive_of(name: str) -> str:
    """What the binary archive of a dataset is called where its authors offer it, if there is one.

    >>> archive_of("cifar100")
    'cifar-100-binary.tar.gz'
    """
    return f"cifar-{name.removeprefix('cifar')}-binary.tar.gz" if name in ARCHIVES else ""


def _read_npz(path: Path, part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        missing = [key for key in (f"x_{part}", f"y_{part}") if key not in arrays]
        if missing:
            raise UnreadableFile(f"it holds no {missing[0]}")
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    # Some keep a single channel or label in an axis of its own.
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    return images, labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels


def _read_archive(path: Path, archive: Archive, part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    wanted = archive.files[part]
    found: dict[str, bytes] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = PurePosixPath(member.name).name
            file = tar.extractfile(member) if name in wanted else None
            if file is not None:
                found[name] = file.read()
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UnreadableFile(f"it holds no {missing[0]}")
    records = np.concatenate([_records(name, found[name], archive.labels) for name in wanted])
    pixels = records[:, archive.labels :].reshape(-1, *_PIXELS).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels), records[:, archive.labels - 1]


def _records(name: str, content: bytes, labels: int) -> NDArray[np.uint8]:
    size = labels + int(np.prod(_PIXELS))
    if len(content) % size:
        raise UnreadableFile(f"{name} in it is no row of records of {size} bytes")
    return np.frombuffer(content, np.uint8).reshape(-1, size)


def _check(images: NDArray[Any], labels: NDArray[Any], shape: tuple[int, ...]) -> None:
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        sizes = "x".join(map(str, shape))
        got = "x".join(map(str, images.shape[1:]))
        raise UnreadableFile(f"its images must be {sizes} uint8, got {got} {images.dtype}")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise UnreadableFile(
            f"it must hold one whole number for each of its {len(images)} images as label, "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    if len(images) == 0:
        raise UnreadableFile("it holds no images")
