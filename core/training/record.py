"""What a worker writes down of the training that it carries out, and where it goes on from."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from core.files import naming
from core.processes import peak_memory, this_process
from core.registry.predictions import epoch_path, stored_epochs, write_epoch
from core.registry.run import Run
from core.registry.run_files import Failure, Parameters, Usage
from core.training.checkpoints import Checkpoint, Checkpoints, Position
from core.training.estimates import kept as kept_estimate
from core.training.metrics import append_event, lasting, mend, read_events
from core.training.pace import Pace
from core.training.patience import better
from core.training.progress import BatchEnd, EpochEnd, Event, Note, Progress, ResumePoint
from core.training.usage import Meter

HEARTBEAT_SECONDS = 1.0
EVENT_SECONDS = 0.25
"""Batches are told of at most this often; one line then stands for all since the last."""
MOST_EVENTS = 4000
"""Batches told of in a training of any length are about this many for each doubling of it."""
USAGE_SECONDS = 5.0
CURVE = 60
"""Values of the loss that the state holds at most."""
RESERVED = 2**16
"""Bytes that are put aside, so that a full disk leaves room to say so."""


class Record:
    """Writes down what training tells: state, metrics, predictions, weights and checkpoints."""

    def __init__(self, run: Run) -> None:
        self._clock = time.monotonic()
        self._before = 0.0
        self._written = self._clock
        self._phase = ""
        self._phase_event = 0.0
        self._batches: list[BatchEnd] = []
        self._batch_event = 0.0
        self._usage_event = self._clock
        self._save: Callable[[int, int], None] | None = None
        self._last: tuple[int, int] | None = None
        self._step = 0
        self._ranked: list[dict[str, float]] = []
        self._curve = Curve()
        self._checkpoints = Checkpoints(run.folder.checkpoint)
        self._meter = Meter()
        self._usage: Usage | None = None
        self._board: Any = None
        self._pace = Pace(run.config, later=_estimated(run))
        run.folder.clear_unfinished()
        mend(run.folder.metrics)
        with naming(run.folder.reserve):
            run.folder.reserve.write_bytes(bytes(RESERVED))
        self.run = run.write_state(
            status="preparing",
            phase="starting TensorFlow",
            process=this_process(),
            heartbeat=time.time(),
        )

    # --- Where training goes on from ----------------------------------------------------------

    def go_on(self) -> Checkpoint | None:
        """The checkpoint to go on from, None where training begins.

        What was written down after it is undone: it comes again.
        """
        from core.training.tensorboard_files import (
            EventFiles,  # here, as it takes its time to be imported
        )

        checkpoint = self._checkpoints.newest()
        position = checkpoint.position if checkpoint else Position()
        folder, had_begun = self.run.folder, self.run.folder.metrics.exists()
        for epoch in stored_epochs(self.run):
            if epoch > position.epoch:
                epoch_path(folder.predictions, epoch).unlink()
        for epoch in folder.kept_epochs():
            if epoch > position.epoch:
                folder.weights(epoch).unlink()
        said = checkpoint.record if checkpoint else _NOTHING
        self._ranked, self._before = list(said["ranked"]), said["seconds"]
        self._curve = Curve(said["curve"], said["every"])
        self._step = position.step
        if position.epoch:
            self._last = position.phase, position.epoch
        self._pace.at(position.phase, position.phase_start)
        if had_begun:
            longer = 0 < position.all_epochs < self.run.config.all_epochs
            place = {"epoch": position.epoch, "step": position.step}
            self._append({"event": "resumed", **place, "longer": longer})
        self.write(
            resumed=self.run.state.resumed + had_begun,
            epoch=position.epoch,
            epochs_done=position.epoch,
            best_epoch=said["best_epoch"],
            metrics=said["metrics"],
        )
        self._board = EventFiles(
            folder.tensorboard,
            began=time.time() - self._seconds,
            events=lasting(read_events(folder.metrics)[0]),
        )
        return checkpoint

    def begin(self, save: Callable[[int, int], None]) -> None:
        """The network stands; `save` writes its weights, given the phase and the epoch."""
        self._save = save
        counted = self.run.config.parameters
        parameters = Parameters(total=counted.total, trainable=counted.trainable)
        self.write(status="running", parameters=parameters)

    # --- What training tells ------------------------------------------------------------------

    def __call__(self, event: Event) -> None:
        """Take one event of training."""
        match event:
            case Progress():
                self._progress(event)
            case BatchEnd():
                self._batch(event)
            case EpochEnd():
                self._epoch(event)
            case Note():
                self._append({"event": "note", "epoch": event.epoch, "text": event.text})
            case ResumePoint():
                self._resume_point(event)

    def end(self, finished: bool) -> None:
        """Training is over, by itself or because somebody stopped it."""
        if self._last is not None and self._save is not None:
            phase, epoch = self._last
            if not self.run.folder.weights(epoch).exists():
                self._save(phase, epoch)
            self._drop_weights(besides=epoch)
        self._close()
        self.write(status="finished" if finished else "stopped", phase="", seconds_left=None)

    def fail(self, failure: Failure) -> None:
        """Training cannot go on."""
        self.write(status="failed", error=failure, seconds_left=None)
        with contextlib.suppress(OSError):  # what is left to write may be what cannot be written
            self._close()

    def tested(self, epoch: int, metrics: dict[str, float]) -> None:
        """The test images were looked at with the weights of an epoch that had not seen them."""
        self._append({"event": "test", "epoch": epoch, **metrics})
        self.write(metrics=self.run.state.metrics | metrics)

    def note(self, text: str) -> None:
        """Add a remark to the metrics."""
        self._append({"event": "note", "text": text})

    def write(self, **changes: Any) -> None:
        """Write a changed state, with heartbeat, time taken and what the machine gave to it."""
        self._written = time.monotonic()
        self._usage = self._meter.read()
        self.run = self.run.write_state(
            heartbeat=time.time(),
            seconds=self._seconds,
            peak_memory=max(peak_memory(), self.run.state.peak_memory),
            usage=self._usage,
            curve=tuple(self._curve.values),
            **changes,
        )

    @property
    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._clock

    def _progress(self, event: Progress) -> None:
        finished, per_second = event.done == event.total, self._pace.progress(event)
        if event.phase == self._phase and not finished and not self._due(self._phase_event):
            return
        self._phase, self._phase_event = event.phase, time.monotonic()
        values = {"phase": event.phase, "done": event.done, "total": event.total}
        self._append({"event": "phase", **values, "unit": event.unit})
        self.write(**values, unit=event.unit, units_per_second=per_second)

    def _batch(self, event: BatchEnd) -> None:
        self._batches.append(event)
        self._step = event.step
        self._pace.batch(event)
        first, last = event.step == 1, event.batch == event.batches
        often = max(EVENT_SECONDS, self._seconds / MOST_EVENTS)
        if first or last or self._due(self._batch_event, often):
            self._flush_batches()
        if self._phase != "training" or self._due(self._written):
            self._phase = "training"
            self.write(
                phase="training",
                epoch=event.epoch,
                done=event.batch,
                total=event.batches,
                unit="batches",
                images_per_second=self._pace.images_per_second,
                seconds_left=self._pace.seconds_left,
            )
            self._tell_usage()

    def _flush_batches(self) -> None:
        if not self._batches:
            return
        last, images = self._batches[-1], sum(batch.images for batch in self._batches)
        loss = sum(batch.loss * batch.images for batch in self._batches) / images
        accuracy = sum(batch.accuracy * batch.images for batch in self._batches) / images
        self._append(
            {
                "event": "batch",
                "epoch": last.epoch,
                "batch": last.batch,
                "batches": last.batches,
                "step": last.step,
                "images": images,
                "loss": loss,
                "accuracy": accuracy,
                "learning_rate": last.learning_rate,
            }
        )
        self._curve.add(loss)
        self._batches.clear()
        self._batch_event = time.monotonic()

    def _tell_usage(self) -> None:
        often = max(USAGE_SECONDS, self._seconds / 1000)
        if self._usage is None or not self._due(self._usage_event, often):
            return
        self._usage_event = time.monotonic()
        usage = self._usage.model_dump(mode="json", exclude={"gpus"})
        for place, gpu in enumerate(self._usage.gpus):
            usage |= {f"gpu{place}_load": gpu.load, f"gpu{place}_memory": gpu.memory}
        speed = round(self._pace.images_per_second, 1)
        self._append({"event": "usage", **usage, "images_per_second": speed})

    def _epoch(self, event: EpochEnd) -> None:
        if self._save is None:
            raise RuntimeError("an epoch ended before the network was there to be saved")
        self._flush_batches()
        self._pace.epoch(event)
        if event.probabilities is not None:
            write_epoch(self.run.folder.predictions, event.epoch, event.probabilities)
        changes: dict[str, Any] = {"epoch": event.epoch, "epochs_done": event.epoch}
        place = self._rank(event)
        if place < self.run.config.keep_weights:
            self._save(event.phase, event.epoch)
        if place == 0:
            changes |= {"best_epoch": event.epoch, "metrics": event.metrics}
        self._last = event.phase, event.epoch
        self._append(
            {
                "event": "epoch",
                "epoch": event.epoch,
                "phase": event.phase,
                "step": self._step,
                "complete": event.complete,
                "seconds": event.seconds,
                "test_seconds": event.test_seconds,
                "best": place == 0,
                **event.metrics,
            }
        )
        self.write(**changes)

    def _rank(self, event: EpochEnd) -> int:
        """Put an epoch among the best; its place there, from 0."""
        by, metrics = self.run.config.best_by, event.metrics
        place = sum(not better(metrics, other, by) for other in self._ranked)
        watched = {name: metrics[name] for name in ("val_loss", "val_accuracy")}
        self._ranked.insert(place, {"epoch": event.epoch, **watched})
        del self._ranked[self.run.config.keep_weights :]
        return place

    def _resume_point(self, event: ResumePoint) -> None:
        self._pace.at(event.position.phase, event.position.phase_start)
        if not event.needed and not self._checkpoints.due(within_epoch=event.position.batch > 0):
            return
        self._flush_batches()
        state = self.run.state
        said = {
            "best_epoch": state.best_epoch,
            "metrics": state.model_dump(mode="json")["metrics"],
            "seconds": self._seconds,
            "ranked": self._ranked,
            "curve": self._curve.values,
            "every": self._curve.every,
        }
        self._checkpoints.write(Checkpoint(event.position, event.arrays(), said))
        self._drop_weights()

    def _drop_weights(self, besides: int = 0) -> None:
        """Remove the weights of epochs that were outdone, once no checkpoint goes back there."""
        keep = {int(entry["epoch"]) for entry in self._ranked} | {besides}
        for epoch in self.run.folder.kept_epochs():
            if epoch not in keep:
                self.run.folder.weights(epoch).unlink()

    def _append(self, event: dict[str, Any]) -> None:
        whole = {**event, "seconds_since_start": round(self._seconds, 3)}
        append_event(self.run.folder.metrics, whole)
        if self._board is not None:
            self._board.add(whole)

    def _close(self) -> None:
        if self._board is not None:
            self._board.close()
        self.run.folder.reserve.unlink(missing_ok=True)

    @staticmethod
    def _due(last: float, every: float = HEARTBEAT_SECONDS) -> bool:
        return time.monotonic() - last >= every


class Curve:
    """Values thinned to some tens while they come: every n-th, n doubled whenever they are many.

    >>> curve = Curve()
    >>> for value in range(100):
    ...     curve.add(float(value))
    >>> curve.values[:3], curve.values[-1], len(curve.values)
    ([0.0, 2.0, 4.0], 98.0, 50)
    """

    def __init__(self, values: list[float] | None = None, every: int = 1) -> None:
        self.values = list(values or [])
        self.every = every
        self._skipped = 0

    def add(self, value: float) -> None:
        """Take in the next value."""
        if self._skipped:
            self._skipped -= 1
            return
        self.values.append(float(f"{value:.4g}"))
        if len(self.values) > CURVE:
            self.values = self.values[::2]
            self.every *= 2
        self._skipped = self.every - 1


_NOTHING: dict[str, Any] = {
    "best_epoch": 0,
    "metrics": {},
    "seconds": 0.0,
    "ranked": [],
    "curve": [],
    "every": 1,
}
"""What is written down of a run that has not begun."""


def _estimated(run: Run) -> Callable[[int], float | None]:
    """Seconds that a phase, from 1, was estimated to take, None where nobody did."""
    estimate = kept_estimate(run)

    def seconds(phase: int) -> float | None:
        known = estimate is not None and phase <= len(estimate.phases)
        return estimate.phases[phase - 1].all_seconds if estimate and known else None

    return seconds
