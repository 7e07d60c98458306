"""How long networks take for hundreds of uploaded pictures at once.

`python -m benchmarks.many WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Options
from benchmarks.ours import train
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Failed, Goal, Row, Sample, Samples, Step
from benchmarks.uploads import RECIPES, UPLOADS, uploads
from core.data.data_config import DataConfig
from core.data.datasets import load_part
from core.predicting.joint_readings import Networks, read_pictures
from core.predicting.prediction_service import PredictionService
from core.predicting.uploads import Upload
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

SMALL = {"data.train_images": 300, "data.test_images": 100}
"""How much a network learned has no part in how quick it answers."""
MOST_SECONDS = 20.0


def reading(workspace: Path) -> Sample:
    """Seconds from a ZIP of pictures to both networks' answers, by the service that pages ask.

    first: with the process that answers still to be started and the networks to be loaded.
    """
    split = load_part(DataConfig(), "test")
    content = _zipped(split.images[:UPLOADS])
    service = PredictionService(Workspace(workspace))
    try:
        networks = {run.id: _asked(service, run) for run in Runs(Workspace(workspace)).all()}
        first, again = _read(content, networks), _read(content, networks)
    finally:
        service.close()
    return {"first": first, "again": again, "bytes": len(content)}


def _asked(service: PredictionService, run: Run) -> Any:
    return run.config, lambda images: service.predict(run.id, images)


def _zipped(images: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, content in enumerate(uploads(images, cv2.INTER_CUBIC)):
            archive.writestr(f"{number}.jpg", content)
    return file.getvalue()


def _read(content: bytes, networks: Networks[str]) -> float:
    started = time.perf_counter()
    upload = Upload([("pictures.zip", io.BytesIO(content))])
    read = read_pictures(upload, networks, "auto", lambda share: None)
    if len(read.places) != UPLOADS:
        raise Failed(f"{UPLOADS - len(read.places)} of the pictures were refused")
    return time.perf_counter() - started


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmark of many pictures."""

    def measure(repeat: int) -> Sample:
        workspace = options.scratch / "many-pictures"
        if not workspace.exists():
            for recipe in RECIPES:
                train(recipe, SMALL, workspace)
        finished = run_module("benchmarks.many", str(workspace), timeout=HOUR / 6)
        return last_json(finished.output)

    return [Benchmark("many-pictures", [Step("ours", measure)], _rows)]


def _rows(samples: Samples) -> list[Row]:
    measured = samples["ours"]
    again = [sample["again"] for sample in measured]
    first = (
        f"{statistics.median(sample['first'] for sample in measured):.1f} s" if again else "none"
    )
    return [
        Row(
            f"{UPLOADS:,} uploaded pictures read by cnn-digits and vgg16-digits, median",
            "s",
            statistics.median(again) if again else None,
            goal=Goal("at most", MOST_SECONDS),
            note="JPEGs of 400x400 in a ZIP, from bytes to both networks' answers; with the "
            f"predictor still to be started: {first}",
        )
    ]


MINUTES = {"many-pictures": 1.5}
"""What a repeat takes on two quiet cores, about."""


if __name__ == "__main__":
    print(json.dumps(reading(Path(sys.argv[1]))))
