"""How quick Data answers with datasets of 100,000 images: counts, paging, filtering, statistics.

`python -m benchmarks.data_page WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.clicks import clicks_of
from benchmarks.dashboard import server, session
from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step
from core.imported.dataset import PARTS
from core.imported.library import Library
from core.imported.report import ImportReport, Span
from core.imported.writing import Batch, DatasetWriter
from core.workspace import Workspace

NAME = "data-page"
IMAGES, CLASSES = 100_000, 100
TESTED = 5
"""Every fifth image is one of the test part."""
AT_ONCE = 2_000
"""Images that are made; a dataset holds them again and again."""
ROUNDS = 20
PAUSE = 0.3
"""Seconds between clicks: Streamlit collects garbage after each."""
DATASETS = ("pixels", "files")
"""As images are kept: those that are all alike and small decoded, others as their files."""


# --- made-up datasets -------------------------------------------------------------------------


def make_datasets(workspace: Workspace) -> None:
    """Import one made-up dataset of each kind."""
    for name in DATASETS:
        make_dataset(workspace, name, files=name == "files")


def make_dataset(
    workspace: Workspace, name: str, *, files: bool, images: int = IMAGES, classes: int = CLASSES
) -> None:
    """Import a dataset of so many made-up images, four of five to train on."""
    labels = np.arange(images) * classes // images
    parts = np.where(np.arange(images) % TESTED == 0, PARTS.index("test"), 0).astype(np.uint8)
    with DatasetWriter(Library(workspace), name) as writer:
        for batch in _batches(labels, parts, files):
            writer.add(batch)
        span = (
            Span(smallest=96, usual=112, largest=128)
            if files
            else Span(smallest=32, usual=32, largest=32)
        )
        counts = {part: _counts(labels[parts == n], classes) for n, part in enumerate(PARTS)}
        report = ImportReport(
            found=images, imported=images, images=counts, widths=span, heights=span, grey=0
        )
        writer.finish(
            report,
            class_names=tuple(f"class {number}" for number in range(classes)),
            kind="class folders",
            source="made up",
        )


def _counts(labels: NDArray[np.int64], classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(labels, minlength=classes).tolist())


def _batches(labels: NDArray[np.int64], parts: NDArray[np.uint8], files: bool) -> Iterator[Batch]:
    random = np.random.default_rng(0)
    pictures = [_picture(random, files) for _ in range(min(AT_ONCE, len(labels)))]
    contents = [_jpeg(picture) for picture in pictures] if files else None
    for start in range(0, len(labels), AT_ONCE):
        of = slice(start, min(start + AT_ONCE, len(labels)))
        size = of.stop - of.start
        numbers = range(of.start, of.stop)
        digests = [hashlib.sha256(number.to_bytes(8, "little")).digest() for number in numbers]
        yield Batch(
            names=[f"class {labels[number]}/{number:06}.jpg" for number in numbers],
            labels=labels[of],
            parts=parts[of],
            digests=np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32),
            pictures=pictures[:size],
            files=contents and contents[:size],
            thumbnails=contents and contents[:size],
        )


def _picture(random: np.random.Generator, files: bool) -> NDArray[np.uint8]:
    """Soft patches of colour, of 32x32 pixels or of about the size of a thumbnail."""
    size = tuple(random.integers(96, 129, 2).tolist()) if files else (32, 32)
    patches = random.integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(patches, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    code = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1]
    return bytes(code)


# --- the measurement --------------------------------------------------------------------------


def clicks(workspace: Path) -> Sample:
    """Seconds that the server takes to open a dataset for the first time, and for each click.

    A click is asked for by the address that it leads to: the script then does the same.
    """
    taken: dict[str, list[float]] = {}
    opened: list[float] = []
    with server(workspace) as running:
        running.wait()
        with session(running) as asked:
            asked.rerun("Data", "dataset=mnist")
            for name in DATASETS:
                for view in ("overview", "pictures", "pixels"):
                    opened.append(asked.rerun("Data", f"dataset={name}&view={view}"))
                    time.sleep(PAUSE)
            for number in range(ROUNDS):
                for click, query in _clicks(number):
                    time.sleep(PAUSE)
                    seconds = asked.rerun("Data", query)
                    taken.setdefault(click, []).append(seconds)
    return {"opened": opened, "clicks": taken}


def _clicks(number: int) -> Iterator[tuple[str, str]]:
    """What is clicked in one round; every address is another one, so that none is known."""
    train, test = f"part=train&image={3_900 * number}", f"part=test&image={900 * number}"
    for name in DATASETS:
        yield f"{name} overview", f"dataset={name}&view=overview&{train}"
        yield f"{name} page", f"dataset={name}&view=pictures&{train}"
        yield f"{name} class", f"dataset={name}&view=pictures&{train}&class={5 * number}"
        yield f"{name} shuffled", f"dataset={name}&view=pictures&{train}&order=shuffled"
        yield f"{name} by class", f"dataset={name}&view=pictures&{test}&order=class"
        yield f"{name} pixels", f"dataset={name}&view=pixels&{train}"


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmark of Data."""

    def measure(repeat: int) -> Sample:
        folder = options.scratch / NAME
        if not folder.exists():
            try:
                make_datasets(Workspace(folder))
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        finished = run_module("benchmarks.data_page", str(folder), timeout=HOUR / 6)
        return last_json(finished.output)

    return [Benchmark(NAME, [Step("ours", measure)], _rows)]


def _rows(samples: Samples) -> list[Row]:
    opened = [max(sample["opened"]) for sample in samples["ours"]]
    clicks = clicks_of(samples["ours"])
    return [
        Row(
            f"View of a dataset opened first on Data, {IMAGES:,} images, slowest, median",
            "ms",
            statistics.median(opened) if opened else None,
            note="its statistics are computed then, on a sample of the images",
        ),
        Row(
            f"Click on Data, p95, {IMAGES:,} images, slowest ({clicks.slowest})",
            "ms",
            clicks.seconds.get(clicks.slowest),
            goal=Goal("at most", 0.150),
            note="on a real server, over its WebSocket, to the script's end: "
            + (clicks.listed or "none"),
        ),
    ]


MINUTES = {NAME: 2}
"""What a repeat takes on two quiet cores, about."""


if __name__ == "__main__":
    print(json.dumps(clicks(Path(sys.argv[1]))))
