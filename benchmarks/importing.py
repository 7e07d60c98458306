"""How quickly picture files become a dataset, against a bare loop that only decodes them.

`python -m benchmarks.importing KIND IMAGES FOLDER` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median
from core.assets import verified
from core.imported.library import Library
from core.importing.importing import COMPARING, import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.processes import peak_memory
from core.training.progress import Event, Progress
from core.workspace import Workspace

MINUTES: dict[str, float] = {"import": 2}
"""What a repeat takes on two quiet cores, about."""
IMAGES, PHOTOGRAPHS = 50_000, 2_000
CLASSES = 10
AT_ONCE = 500
"""Files that a process of the bare loop is given at a time."""
KINDS = {
    "digits": "50,000 PNG files of 28x28, grey",
    "colours": "50,000 PNG files of 32x32, colours",
    "photographs": "2,000 JPEG files of 1600x1200",
}


# --- the measurement, made in a process of its own --------------------------------------------


def measure(kind: str, images: int, folder: Path) -> Sample:
    """Seconds of a bare loop of `cv2.imread` and of an import, both with as many processes.

    The files stay in the folder, for the next measurement: to make and remove them takes longer.
    """
    cv2.setNumThreads(1)  # threads of its own would be waited for by copies of this process
    place, workspace = folder / "from", Workspace(folder / "workspace")
    if not place.is_dir():
        make_files(kind, images, place)
    paths = sorted(str(path) for path in place.glob("*/*"))
    bare = _bare_seconds(paths)
    told: list[tuple[float, Event]] = []
    began = time.perf_counter()
    source = open_source(place)
    listed = time.perf_counter()
    request = ImportRequest(name="measured", path=str(place))
    import_dataset(
        source, request, Library(workspace), lambda event: told.append((time.perf_counter(), event))
    )
    ended = time.perf_counter()
    compared = [
        at for at, event in told if isinstance(event, Progress) and event.phase == COMPARING
    ]
    memory = peak_memory()
    shutil.rmtree(workspace.root)
    return {
        "images": images,
        "bare_seconds": bare,
        "listing_seconds": listed - began,
        "decoding_and_writing_seconds": compared[0] - listed,
        "duplicates_seconds": compared[-1] - compared[0],
        "report_seconds": ended - compared[-1],
        "whole_seconds": ended - began,
        "peak_memory": memory,
    }


def make_files(kind: str, images: int, place: Path) -> None:
    """Write picture files into folders of classes."""
    ending = ".jpg" if kind == "photographs" else ".png"
    for number, picture in enumerate(_pictures(kind, images)):
        folder = place / f"class {number * CLASSES // images}"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number:06}{ending}"), picture)


def _pictures(kind: str, images: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    if kind == "digits":
        with np.load(verified("mnist.npz"), allow_pickle=False) as arrays:
            yield from arrays["x_train"][:images]
        return
    size, patches, noise = ((32, 32), 8, 6) if kind == "colours" else ((1600, 1200), 40, 0)
    for _ in range(images):
        soft = random.integers(0, 256, (patches, patches, 3), np.uint8)
        picture = cv2.resize(soft, size, interpolation=cv2.INTER_CUBIC)
        grain = random.integers(-noise, noise + 1, picture.shape) if noise else 0
        yield np.clip(picture + grain, 0, 255).astype(np.uint8)


def _bare_seconds(paths: list[str]) -> float:
    parts = [paths[start : start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
    began = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        list(pool.map(_imread, parts))
    return time.perf_counter() - began


def _imread(paths: list[str]) -> None:
    cv2.setNumThreads(1)
    for path in paths:
        cv2.imread(path)


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The one benchmark."""

    def step(kind: str) -> Step:
        whole = PHOTOGRAPHS if kind == "photographs" else IMAGES
        images = max(100, round(options.fraction * whole))

        def one(repeat: int) -> Sample:
            folder = str(options.scratch / f"import-{kind}")
            words = (kind, str(images), folder)
            return last_json(run_module("benchmarks.importing", *words, timeout=HOUR).output)

        return Step(kind, one)

    return [
        Benchmark(
            "import",
            [step(kind) for kind in KINDS],
            lambda samples: _rows(samples, judged=options.whole),
        )
    ]


def _rows(samples: Samples, judged: bool) -> list[Row]:
    rows = []
    for kind, what in KINDS.items():
        taken = samples.get(kind, [])
        bare = _rate(taken, "bare_seconds")
        goal = None if kind == "photographs" else Goal("at least", 0.8, "ratio")
        note = "the baseline is a loop of cv2.imread over as many processes, in the same process"
        decoded = _rate(taken, "decoding_and_writing_seconds")
        rows += [
            Row(f"import of {what}: decoded, written", "images/s", decoded, bare, goal, note,
                judged),
            Row(f"import of {what}: the whole, with duplicates and report", "images/s",
                _rate(taken, "whole_seconds"), bare, goal, note, judged),
            Row(f"import of {what}: looking for duplicates", "s",
                median(taken, "duplicates_seconds")),
            Row(f"import of {what}: peak memory of the importing process", "GiB",
                median(taken, "peak_memory")),
        ]  # fmt: skip
    return rows


def _rate(taken: list[Sample], key: str) -> float | None:
    """Images a second, of the median time."""
    seconds = median(taken, key)
    return taken[0]["images"] / seconds if seconds else None


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
