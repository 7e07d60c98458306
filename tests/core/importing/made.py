"""Files that tests import, made by them: pictures, folders, ZIPs, idx files, tables."""

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.importing.items import Source

HEADER = ",".join(f"pixel{number}" for number in range(784))


def picture(shade: int = 100, ending: str = ".png", side: int = 8) -> bytes:
    """A picture file of one shade."""
    pixels = np.full((side, side, 3), shade, np.uint8)
    encoded: bytes = cv2.imencode(ending, pixels)[1].tobytes()
    return encoded


def pets(count: int = 6, classes: tuple[str, ...] = ("cat", "dog")) -> dict[str, bytes]:
    """Pictures in class folders, so many in each; they are noise, no two of which are alike."""
    random = np.random.default_rng(0)
    return {
        f"{name}/{number}.png": cv2.imencode(".png", noise)[1].tobytes()
        for name in classes
        for number, noise in enumerate(random.integers(0, 256, (count, 12, 12), np.uint8))
    }


def folder_of(folder: Path, files: Mapping[str, bytes] | Iterable[str]) -> Path:
    """A folder with some files; those without content hold a picture."""
    contents = files if isinstance(files, Mapping) else dict.fromkeys(files, picture())
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zip_of(path: Path, files: Mapping[str, bytes] | Iterable[str]) -> Path:
    """A ZIP with some files; those without content hold a picture."""
    contents = files if isinstance(files, Mapping) else dict.fromkeys(files, picture())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def digits(count: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Noise in the shape of digits, with labels from 0 to 9."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, 28, 28), np.uint8), random.integers(
        0, 10, count, np.uint8
    )


def idx(array: NDArray[np.uint8]) -> bytes:
    """An idx file of an array of bytes."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


def table(images: NDArray[np.uint8], labels: NDArray[np.uint8] | None = None) -> bytes:
    """Kaggle's table of some digits."""
    columns = images.reshape(len(images), -1)
    header = HEADER
    if labels is not None:
        columns, header = np.column_stack([labels, columns]), f"label,{HEADER}"
    file = io.BytesIO()
    np.savetxt(file, columns, fmt="%d", delimiter=",", header=header, comments="")
    return file.getvalue()


def all_rows(source: Source) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str], list[str]]:
    """Images, labels, parts and names of a source of pixels."""
    assert source.rows is not None
    pieces = list(source.rows())
    return (
        np.concatenate([piece.images for piece in pieces]),
        np.concatenate([piece.labels for piece in pieces]),
        [piece.part for piece in pieces for _ in piece.names],
        [name for piece in pieces for name in piece.names],
    )


def listed(source: Source) -> list[tuple[str, str, str]]:
    """Part, class and path of each picture of a source of files."""
    return [
        (file.part, source.class_names[file.label] if file.label >= 0 else "", file.name)
        for file in source.files
    ]


def reasons(source: Source) -> dict[str, str]:
    """Why files were skipped, by their names."""
    return {item.name: item.reason for item in source.skipped}
