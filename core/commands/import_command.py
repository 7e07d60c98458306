"""The commands that bring datasets into the workspace, take them out again, and delete them."""

import signal
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.commands.bars import Bars
from core.commands.commands import Result
from core.data.balance import balance
from core.data.catalogue import DATASETS
from core.data.downloading import Downloading, download_of
from core.errors import DatasetUnavailable, InvalidRequest
from core.imported.dataset import PARTS, ImportedDataset
from core.imported.library import Library
from core.importing.decoding import Cancelled
from core.importing.exporting import export_pictures, write_lists
from core.importing.importing import import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.training.progress import Event, Progress, Report, ShouldStop
from core.workspace import Workspace

POLL_SECONDS = 0.2
KERAS = ("mnist", "fashion_mnist", "cifar10", "cifar100")
"""Datasets that Keras knows; the first is bundled."""
MOST_SHOWN = 20
"""Files that were left out and are named in the text; the JSON names all."""


def import_(workspace: Workspace, options: Namespace) -> Result:
    """Import what lies at a path, or download one of Keras's datasets by its name.

    Ctrl-C ends it, and nothing of it stays.
    """
    if options.path in KERAS and not Path(options.path).exists():
        return _download(workspace, options.path)
    if options.name is None:
        raise InvalidRequest(
            "--name must say what to call the dataset, got nothing; add for example --name mine"
        )
    library = Library(workspace)
    library.check_free(options.name)
    request = _request(options)
    source = open_source(Path(options.path))
    with Bars() as bars, _interruptible() as should_stop:
        try:
            found = import_dataset(source, request, library, _shown_in(bars), should_stop)
        except Cancelled:
            raise KeyboardInterrupt from None
    return Result(_described(found.dataset, found.known, options.json))


def _request(options: Namespace) -> ImportRequest:
    if not 0 <= options.test_share <= 0.5:
        raise InvalidRequest(f"--test-share must be from 0 to 0.5, got {options.test_share}")
    if not 0 <= options.seed < 2**32:
        raise InvalidRequest(f"--seed must be from 0 to {2**32 - 1}, got {options.seed}")
    return ImportRequest(
        name=options.name,
        path=str(Path(options.path).absolute()),
        held_out=options.test_share,
        seed=options.seed,
        digits=options.digits,
    )


def delete(workspace: Workspace, options: Namespace) -> Result:
    """Delete an imported dataset; runs that learned from it stay."""
    Library(workspace).delete(options.name)
    return Result({"deleted": options.name})


def lists(workspace: Workspace, options: Namespace) -> Result:
    """Write the class list and the file lists of an imported dataset."""
    written = write_lists(Library(workspace).find(options.name), Path(options.folder))
    return Result({"dataset": options.name, "written": [str(path) for path in written]})


def pictures(workspace: Workspace, options: Namespace) -> Result:
    """Write all pictures of an imported dataset in class folders, with lists of them."""
    with Bars() as bars:
        dataset = Library(workspace).find(options.name)
        written = export_pictures(dataset, Path(options.folder), _shown_in(bars))
    return Result(
        {
            "dataset": options.name,
            "images": len(dataset),
            "written": [str(path) for path in written],
        }
    )


def _shown_in(bars: Bars) -> Report:
    def show(event: Event) -> None:
        if isinstance(event, Progress):
            bars.move(event.phase, event.done, event.total, event.unit)

    return show


@contextmanager
def _interruptible() -> Iterator[ShouldStop]:
    """Ctrl-C asks the work to stop instead of breaking it off; the second one breaks it off."""
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def ask(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        asked.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _download(workspace: Workspace, name: str) -> Result:
    """Have one of Keras's datasets downloaded, and wait for it; Ctrl-C ends it."""
    downloading, facts = download_of(name, workspace), DATASETS[name]
    there = facts.bundled or downloading.there
    if not there:
        try:
            downloading.begin()
            _wait(downloading)
        except KeyboardInterrupt:
            downloading.cancel()
            raise
    return Result(
        {
            "dataset": name,
            "already_there": there,
            "images": {"train": facts.train_images, "test": facts.test_images},
            "classes": len(facts.class_names),
        }
    )


def _wait(downloading: Downloading) -> None:
    """Follow a download to its end. Raises DatasetUnavailable where it fails."""
    with Bars() as bars:
        while not downloading.there:
            work = downloading.work()
            if work is not None and work.failure:
                raise DatasetUnavailable(work.failure)
            if work is not None:
                bars.move(work.phase, work.done, work.total, "B")
            time.sleep(POLL_SECONDS)


def _described(dataset: ImportedDataset, known: bool, as_json: bool) -> dict[str, Any]:
    """What came of an import: all of it as JSON, what a person wants to know first as text."""
    about, report = dataset.about, dataset.report
    content: dict[str, Any] = {
        "dataset": about.name,
        "already_imported": known,
        "kind": about.kind,
        "source": about.source,
        "fingerprint": about.fingerprint,
        "digits": about.digits,
        "images": dict(about.images),
        "leaked_test_images": report.leaked,
        "uneven": _unevenness(dataset),
    }
    if as_json:
        classes = list(about.class_names)
        return content | {"classes": classes, "report": report.model_dump(mode="json")}
    exact, near = report.exact_doubles, report.near_doubles
    return content | {
        "found": report.found,
        "left_out": len(report.skipped),
        "duplicates": {
            "alike": exact.images,
            "almost alike": near.images,
            "groups across parts": exact.across + near.across,
            "groups labelled differently": exact.disagree + near.disagree,
        },
        "classes": _class_rows(dataset),
        "skipped": [
            {"file": item.name, "why": item.reason} for item in report.skipped[:MOST_SHOWN]
        ],
        **_more(len(report.skipped)),
    }


def _class_rows(dataset: ImportedDataset) -> list[dict[str, Any]]:
    """How many images of each class the parts have that have labels."""
    counts = _counts(dataset)
    return [
        {"class": name, **{part: int(count[label]) for part, count in counts.items()}}
        for label, name in enumerate(dataset.about.class_names)
    ]


def _counts(dataset: ImportedDataset) -> dict[str, NDArray[np.int64]]:
    counts = {}
    for part in PARTS:
        labels = dataset.labels[dataset.positions(part)]
        if (labels >= 0).any():
            classes = len(dataset.about.class_names)
            counts[str(part)] = np.bincount(labels[labels >= 0], minlength=classes)
    return counts


def _unevenness(dataset: ImportedDataset) -> dict[str, Any]:
    """Of each part that is uneven: the largest and smallest class, and those without images."""
    names, uneven = dataset.about.class_names, {}
    for part, counts in _counts(dataset).items():
        found = balance(counts)
        if found.uneven or found.missing:
            uneven[part] = {
                "largest": names[found.largest],
                "smallest": names[found.smallest],
                "ratio": found.ratio,
                "missing": [names[label] for label in found.missing],
            }
    return uneven


def _more(skipped: int) -> dict[str, str]:
    if skipped <= MOST_SHOWN:
        return {}
    return {"and": f"{skipped - MOST_SHOWN:,} more were left out; --json names them all"}
