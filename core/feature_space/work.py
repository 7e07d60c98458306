"""Computes the features of one network: `python -m core.feature_space.work WORKSPACE RUN EPOCH`.

A process of its own session, which needs no page open. It takes what was asked for, says how far it
is in one file, and leaves when nothing more is asked.
"""

import shutil
import sys
import traceback
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from filelock import Timeout

from core.background import Telling
from core.data.datasets import Split, Splits, load_splits
from core.errors import DatasetUnavailable, DiskFull, TransferLabError
from core.feature_space import maps
from core.feature_space.background import Background, Task, Work
from core.feature_space.space import WIDEST, Array, FeatureSpace, Projection, Reader
from core.files import clear_unfinished
from core.preferences import load_preferences
from core.processes import lower_priority, this_process
from core.registry.runs import Runs
from core.training.failures import NO_ROOM
from core.training.feature_cache import FeatureCache
from core.training.progress import Report
from core.workspace import Workspace, find_workspace

SAMPLED = 4000
"""Test images from which is learned how to reduce wide features."""


class Source(Protocol):
    """Where features come from: `Extractor`, of which only its module loads Keras."""

    width: int

    def reader(self, split: Split, part: str, report: Report) -> Reader:
        """Features of the images of a split."""


class _Deleted(Exception):
    """The run is gone, and whoever asked with it."""


def work(background: Background) -> None:
    """Compute what was asked for until nothing is. Every failure ends in what is told of the work.

    Does nothing where another process is at it.
    """
    try:
        with background.lock():
            clear_unfinished(background.space.folder)
            _work(background)
    except Timeout:
        return


def _work(background: Background) -> None:
    telling = _Telling(background)
    try:
        telling.phase("starting")
        computation = Computation(background.space, telling)
        while (task := background.take()) is not None:
            telling.begin(task)
            computation.do(task)
        telling.end()
    except _Deleted:
        shutil.rmtree(background.space.of_run, ignore_errors=True)
    except Exception as error:  # the edge of the process: nobody is left to catch it
        if not isinstance(error, TransferLabError):
            traceback.print_exc()
        telling.end(_sentence(error, background))


class _Telling(Telling[Work]):
    """Writes down how far the work is, now and then. Raises _Deleted once the run is gone."""

    def __init__(self, background: Background) -> None:
        super().__init__(background.tell, Work(process=this_process()))
        self._background = background

    def begin(self, task: Task) -> None:
        """Another of the requests is worked on."""
        self.tell(task=task)

    def tell(self, **changes: Any) -> None:
        """Write down what has changed."""
        if not self._background.space.run.folder.path.is_dir():
            raise _Deleted
        super().tell(**changes)


class Computation:
    """Computes what is not kept yet of one network's features."""

    def __init__(self, space: FeatureSpace, telling: _Telling) -> None:
        self._space, self._telling = space, telling

    def do(self, task: Task) -> None:
        """Compute what a task needs and is not there."""
        self._test()
        if self._space.map("pca") is None:
            self._telling.phase("principal components")
            self._space.keep_map("pca", maps.principal_map(self._kept_test()))
        if task == "tsne" and self._space.map("tsne") is None:
            self._tsne()
        if task == "neighbours" and self._space.train() is None:
            self._train()

    def _test(self) -> None:
        if self._space.test() is not None:
            return
        part, split = "test images", self._splits.test
        read = self._extractor.reader(split, part, self._telling.event)
        projection = None
        if self._extractor.width > WIDEST:
            self._telling.phase("reducing wide features")
            sampled = np.concatenate(list(read(maps.sample(split.labels, SAMPLED))))
            projection = maps.projection(sampled, WIDEST)
        batches = self._features(read, split, part, projection)
        width = self._width(projection)
        self._space.keep_test(batches, len(split), width, projection)

    def _train(self) -> None:
        part, split = "training images", self._splits.train
        read = self._extractor.reader(split, part, self._telling.event)
        projection = self._space.projection()
        batches = self._features(read, split, part, projection)
        self._space.keep_train(batches, len(split), self._width(projection))

    def _tsne(self) -> None:
        def told(done: int, total: int) -> None:
            self._telling("t-SNE", done, total)

        self._telling.phase("t-SNE")
        labels = self._splits.test.labels
        self._space.keep_map("tsne", maps.tsne_map(self._kept_test(), labels, told))

    def _features(
        self, read: Reader, split: Split, part: str, projection: Projection | None
    ) -> Iterator[Array]:
        done, count = 0, len(split)
        for rows in read(np.arange(count)):
            yield rows if projection is None else projection(rows)
            done += len(rows)
            self._telling(f"features of {part}", done, count)

    def _width(self, projection: Projection | None) -> int:
        return self._extractor.width if projection is None else projection.directions.shape[1]

    def _kept_test(self) -> Array:
        """The features of the test images, which the task began with."""
        kept = self._space.test()
        if kept is None:
            raise DiskFull(f"the features just written to {self._space.of_run} are gone")
        return kept.rows

    @cached_property
    def _splits(self) -> Splits:
        self._telling.phase("loading images")
        space = self._space
        config = space.run.config
        splits = load_splits(
            config.data,
            config.seed,
            side=config.network.side,
            workspace=space.workspace,
            report=self._telling.event,
        )
        if splits.test.fingerprint() != space.run.state.test_fingerprint:
            raise DatasetUnavailable(
                f"the images of the run {space.run.name!r} have changed since it was tested on "
                "them; bring the former ones back, or train anew"
            )
        return splits

    @cached_property
    def _extractor(self) -> Source:
        self._telling.phase("building the network")
        # Imported here: a page sees the work begin before the seconds that TensorFlow takes.
        from core.training.quiet import load_tensorflow

        load_tensorflow()
        from core.feature_space.extraction import Extractor

        workspace = self._space.workspace
        cache = FeatureCache(workspace.features, load_preferences(workspace).cache_limit)
        return Extractor(self._space.run, self._space.epoch, cache)


def _sentence(error: Exception, background: Background) -> str:
    """What went wrong and what to do about it."""
    if isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return (
            f"The disk of {background.space.workspace.root} has no room for the features. Delete "
            "runs you do not need, or clear the cache of frozen layers, both on the page Runs; "
            "then start it again."
        )
    if isinstance(error, TransferLabError):
        text = str(error)
        return text[:1].upper() + text[1:] + "."
    if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
        return (
            "This machine has too little memory free for it. Stop a training or close other "
            "programs, then start it again."
        )
    brief = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"It broke off ({brief}). Start it again; {background.log} says where it broke."


def _forget_gone_runs(workspace: Workspace) -> None:
    """Remove what is kept of runs whose folders were removed by hand."""
    for folder in workspace.feature_spaces.glob("*"):
        if not (workspace.runs / folder.name).is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def main(root: str, run_id: str, epoch: str) -> None:
    """Work on the epoch of a run."""
    lower_priority()
    workspace = find_workspace(root)
    space = FeatureSpace(workspace, Runs(workspace).find(run_id), int(epoch))
    work(Background(space))
    _forget_gone_runs(workspace)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except TransferLabError as error:
        sys.exit(str(error))
