"""Taking a comparison along: pictures, tables and the report, as files or in a folder."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import Comparison, as_json
from core.analysis.images import Images
from core.analysis.report import report
from core.analysis.selection import Positions
from core.data.datasets import load_tested
from core.errors import InvalidRequest
from core.files import write_json, write_text
from core.registry.predictions import Predictions
from core.workspace import Workspace

MOST_BYTES = 256 * 2**20
"""What a ZIP of pictures should take at most: it is made in memory."""
SAMPLE = 40
"""Pictures that are encoded to tell how large all of them will be."""
OF_ENTRY = 150
"""Bytes that a ZIP needs for an entry besides its content."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_comparison(comparison: Comparison, folder: Path, workspace: Workspace) -> dict[str, Any]:
    """Write what the articles exchange; returns the folder and how many images were written.

    `disagreements/INDEX_TRUE_A_B.png` for each image that the two take for different classes,
    `predictions.csv` with both predictions of every image, `a.csv` and `b.csv` with the columns
    ImageId (from 1) and Label, `report.html` to read and print, and `comparison.json`. Raises
    InvalidRequest where the folder cannot be written, NotComparable where the images have changed
    since.
    """
    images, pictures = Images(comparison), tested_pictures(comparison, workspace)
    positions, told = comparison.disagreements(), report(images, pictures)
    try:
        _write_pictures(comparison, positions, pictures, folder / "disagreements")
        for name, text in tables(images).items():
            write_text(folder / name, text)
        write_text(folder / "report.html", told)
        write_json(folder / "comparison.json", as_json(comparison))
    except OSError as error:
        raise InvalidRequest(
            f"--export must be a folder that can be written, got {folder}: {error.strerror}"
        ) from None
    return {"folder": str(folder), "images": len(positions)}


def tested_pictures(comparison: Comparison, workspace: Workspace) -> NDArray[np.uint8]:
    """The test images, (count, height, width[, 3]), a folder's as sharp as either network saw them.

    Raises NotComparable where they have changed since.
    """
    side = max(side.run.config.network.side for side in comparison.sides)
    tested, fingerprint = comparison.a.run.config.data, comparison.a.predictions.fingerprint
    pictures: NDArray[np.uint8] = load_tested(
        tested, fingerprint, side=side, workspace=workspace
    ).images
    return pictures


def picture_names(comparison: Comparison, positions: Positions) -> list[str]:
    """INDEX_TRUE_A_B.png of each image, classes by number: a class may be called anything."""
    a, b = comparison.a.predictions, comparison.b.predictions
    parts = zip(
        *(values[positions].tolist() for values in (a.indices, a.labels, a.classes, b.classes)),
        strict=True,
    )
    return [f"{index}_{true}_{of_a}_{of_b}.png" for index, true, of_a, of_b in parts]


def size_of_each(pictures: NDArray[np.uint8]) -> float:
    """About how many bytes a ZIP needs for one of these pictures, from a sample of them."""
    sample = pictures[:: max(1, len(pictures) // SAMPLE)][:SAMPLE]
    return OF_ENTRY + float(np.mean([len(png(picture)) for picture in sample]))


def zip_of_pictures(
    comparison: Comparison, positions: Positions, pictures: NDArray[np.uint8]
) -> bytes:
    """A ZIP of images of the test split, each named as `picture_names` says."""
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        for name, position in zip(picture_names(comparison, positions), positions, strict=True):
            archive.writestr(name, png(pictures[position]))
    return file.getvalue()


def tables(images: Images) -> dict[str, str]:
    """The tables by the names of their files: what both took each image for, and for Kaggle."""
    a, b = images.comparison.sides
    return {
        "predictions.csv": predictions_csv(images),
        "a.csv": labels_csv(a.predictions),
        "b.csv": labels_csv(b.predictions),
    }


def predictions_csv(images: Images) -> str:
    """What both took each image for, how surely, and what probability they gave the truth."""
    columns: dict[str, NDArray[Any]] = {
        "index": images.comparison.a.predictions.indices,
        "true": images.truth,
        "a": images.a.said,
        "b": images.b.said,
        "a_probability": images.a.confidence,
        "b_probability": images.b.confidence,
        "a_probability_of_true": images.a.of_truth,
        "b_probability_of_true": images.b.of_truth,
    }
    names = [_no_formula(name) for name in images.comparison.class_names]
    named = {
        f"{column}_name": [names[number] for number in columns[column]]
        for column in ("true", "a", "b")
    }
    rows = zip(*map(_as_written, columns.values()), *named.values(), strict=True)
    return _csv([*columns, *named], rows)


def labels_csv(predictions: Predictions) -> str:
    """The classes that one network took the images for, as Kaggle's digit recogniser wants them."""
    return _csv(["ImageId", "Label"], enumerate(predictions.classes.tolist(), start=1))


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture (height, width) or (height, width, 3) RGB as a PNG."""
    in_order = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".png", in_order)[1].tobytes()
    return encoded


def _write_pictures(
    comparison: Comparison, positions: Positions, pictures: NDArray[np.uint8], folder: Path
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("*_*_*_*.png"):
        earlier.unlink()
    for name, position in zip(picture_names(comparison, positions), positions, strict=True):
        (folder / name).write_bytes(png(pictures[position]))


def _as_written(values: NDArray[Any]) -> list[Any]:
    """Numbers as a table holds them: shares with four digits."""
    if values.dtype.kind == "f":
        values = values.astype(np.float64).round(4)
    written: list[Any] = values.tolist()
    return written


def _no_formula(name: str) -> str:
    """A name with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _csv(header: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
