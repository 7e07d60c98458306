"""Taking a comparison along: pictures and tables in a folder."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2

from core.analysis.comparison import Comparison, as_json
from core.datasets import load_tested
from core.errors import InvalidRequest
from core.files import write_json
from core.predictions import Predictions
from core.workspace import Workspace


def export_comparison(comparison: Comparison, folder: Path, workspace: Workspace) -> dict[str, Any]:
    """Write what the articles exchange; returns the folder and how many images were written.

    `disagreements/INDEX_TRUE_A_B.png` for each image that the two take for different classes,
    `predictions.csv` with both predictions of every image, `a.csv` and `b.csv` with the columns
    ImageId (from 1) and Label, and `comparison.json`. Raises InvalidRequest where the folder
    cannot be written, NotComparable where the images have changed since.
    """
    try:
        images = _write_disagreements(comparison, folder / "disagreements", workspace)
        _write_predictions(comparison, folder / "predictions.csv")
        _write_labels(comparison.a.predictions, folder / "a.csv")
        _write_labels(comparison.b.predictions, folder / "b.csv")
        write_json(folder / "comparison.json", as_json(comparison))
    except OSError as error:
        raise InvalidRequest(
            f"--export must be a folder that can be written, got {folder}: {error.strerror}"
        ) from None
    return {"folder": str(folder), "images": images}


def _write_disagreements(comparison: Comparison, folder: Path, workspace: Workspace) -> int:
    side = max(side.run.config.network.side for side in comparison.sides)
    tested, fingerprint = comparison.a.run.config.data, comparison.a.predictions.fingerprint
    images = load_tested(tested, fingerprint, side=side, workspace=workspace).images
    folder.mkdir(parents=True, exist_ok=True)
    for earlier in folder.glob("*_*_*_*.png"):
        earlier.unlink()
    a, b = comparison.a.predictions, comparison.b.predictions
    positions = comparison.disagreements()
    for position in positions:
        name = "_".join(str(part[position]) for part in (a.indices, a.labels, a.classes, b.classes))
        image = images[position]
        in_order = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        encoded = cv2.imencode(".png", in_order)[1]
        (folder / f"{name}.png").write_bytes(encoded.tobytes())
    return len(positions)


def _write_predictions(comparison: Comparison, path: Path) -> None:
    a, b = comparison.a.predictions, comparison.b.predictions
    columns = (a.indices, a.labels, a.classes, b.classes)
    probabilities = (a.probabilities.max(axis=1), b.probabilities.max(axis=1))
    header = ["index", "true", "a", "b", "a_probability", "b_probability"]
    rounded = (values.round(4) for values in probabilities)
    _write_csv(path, header, zip(*columns, *rounded, strict=True))


def _write_labels(predictions: Predictions, path: Path) -> None:
    numbered = enumerate(predictions.classes, start=1)
    _write_csv(path, ["ImageId", "Label"], numbered)


def _write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
