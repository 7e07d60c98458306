"""The worker trains one run, in a process of its own: `python -m core.worker RUN_FOLDER`.

It alone writes the run's state from the moment it starts, and ends with the run.
"""

import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from core import precision
from core.datasets import Splits, load_splits
from core.errors import Diverged, InvalidRequest, WorkFailed
from core.feature_cache import FeatureCache
from core.metrics import append_event
from core.predictions import write_epoch, write_truth
from core.preferences import load_preferences
from core.processes import lower_priority, peak_memory, this_process
from core.progress import BatchEnd, EpochEnd, Event, Note, Progress
from core.runs import Failure, Parameters, Run, Runs, Weights, link_weights
from core.workspace import Workspace

HEARTBEAT_SECONDS = 1.0
EVENT_SECONDS = 0.25
"""Batches are told of at most this often; one line then stands for all since the last."""


def work(run: Run, workspace: Workspace) -> None:
    """Train a run. Every failure ends in the run's state, none in an exception."""
    record = Record(run)
    try:
        _train(record, workspace)
    except InvalidRequest as error:
        record.fail("request", str(error), "Change that setting and launch a new run.")
    except Diverged as error:
        record.fail("diverged", str(error), "Launch it again with a smaller learning rate.")
    except WorkFailed as error:
        record.fail("work", str(error), "Mend that and launch the run again.")
    except MemoryError:
        record.fail("memory", "The machine ran out of memory.", _LESS_MEMORY)
    except Exception as error:  # the edge of the process: nobody is left to catch it
        traceback.print_exc()
        exhausted = "ResourceExhausted" in type(error).__name__
        kind, advice = ("memory", _LESS_MEMORY) if exhausted else ("unexpected", _SEE_LOG)
        record.fail(kind, f"Training broke off: {_brief(error)}", advice)


_LESS_MEMORY = "Take a smaller batch or fewer images, or close other programs."
_SEE_LOG = "The end of the run's log says where; the same settings will break off again."


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _train(record: "Record", workspace: Workspace) -> None:
    # Imported here: a page sees the run begin before the seconds that TensorFlow takes.
    from core.quiet import load_tensorflow

    load_tensorflow()
    from core import training
    from core.features import Stopped

    run, stop_asked = record.run, record.run.folder.stop_request.exists
    number_format = precision.resolve(
        run.config.precision, precision.cpu_flags(), training.gpu_capabilities()
    )
    record.write(precision=number_format, phase="loading images")

    def report_or_stop(event: Event) -> None:
        record(event)
        if stop_asked():
            raise Stopped

    try:
        splits = load_splits(
            run.config.data,
            run.config.seed,
            side=run.config.network.side,
            workspace=workspace,
            report=report_or_stop,
        )
        with training.strategy().scope():
            finished = _train_on(splits, record, workspace, number_format)
    except Stopped:
        finished = False
        record.note("stopped before the first training step")
    record.end(finished)


def _train_on(splits: Splits, record: "Record", workspace: Workspace, number_format: str) -> bool:
    """Build the network and train it; False where somebody stopped it."""
    from core import models, training

    run = record.run
    fingerprint = splits.test.fingerprint()
    write_truth(run.folder.predictions, splits.test.labels, splits.test.indices, fingerprint)
    record.write(phase="building the network", test_fingerprint=fingerprint)
    network = models.start(run.config, number_format, Runs(workspace))
    models.save_reference(run.folder, network)
    record.begin(save=partial(models.save_trained, run.folder, network, run.config))
    return training.train(
        config=run.config,
        splits=splits,
        network=network,
        cache=FeatureCache(workspace.features, load_preferences(workspace).cache_limit),
        precision=number_format,
        report=record,
        should_stop=run.folder.stop_request.exists,
    )


class Record:
    """Writes down what training tells: state, metrics, predictions and weights."""

    def __init__(self, run: Run) -> None:
        self._clock = time.monotonic()
        self._written = self._clock
        self._phase = ""
        self._phase_event = 0.0
        self._batches: list[BatchEnd] = []
        self._batch_event = 0.0
        self._save: Callable[[int, Weights], None] | None = None
        self._last: EpochEnd | None = None
        self.run = run.write_state(
            status="preparing",
            phase="starting TensorFlow",
            process=this_process(),
            heartbeat=time.time(),
        )

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

    def begin(self, save: Callable[[int, Weights], None]) -> None:
        """The network stands; `save` writes its weights, given the phase, as best or last."""
        self._save = save
        counted = self.run.config.parameters
        parameters = Parameters(total=counted.total, trainable=counted.trainable)
        self.write(status="running", parameters=parameters)

    def end(self, finished: bool) -> None:
        """Training is over, by itself or because somebody stopped it."""
        if self._last is not None:
            self._save_last(self._last)
        self.write(status="finished" if finished else "stopped", phase="")

    def _save_last(self, last: EpochEnd) -> None:
        if last.epoch == self.run.state.best_epoch:
            link_weights(self.run.folder, "best", "last")
        elif self._save is not None:
            self._save(last.phase, "last")

    def fail(self, kind: str, sentence: str, advice: str) -> None:
        """Training cannot go on."""
        print(f"{sentence} {advice}", file=sys.stderr)
        self.write(status="failed", error=Failure(kind=kind, sentence=sentence, advice=advice))

    def note(self, text: str) -> None:
        """Add a remark to the metrics."""
        self._append({"event": "note", "text": text})

    def write(self, **changes: Any) -> None:
        """Write a changed state, with heartbeat, time taken and the memory that it took."""
        self._written = time.monotonic()
        self.run = self.run.write_state(
            heartbeat=time.time(),
            seconds=self._written - self._clock,
            peak_memory=peak_memory(),
            **changes,
        )

    def _progress(self, event: Progress) -> None:
        finished = event.done == event.total
        if event.phase == self._phase and not finished and not self._due(self._phase_event):
            return
        self._phase, self._phase_event = event.phase, time.monotonic()
        values = {"phase": event.phase, "done": event.done, "total": event.total}
        self._append({"event": "phase", **values, "unit": event.unit})
        self.write(**values, unit=event.unit)

    def _batch(self, event: BatchEnd) -> None:
        self._batches.append(event)
        first, last = event.step == 1, event.batch == event.batches
        if first or last or self._due(self._batch_event, EVENT_SECONDS):
            self._flush_batches()
        if first or self._due(self._written):
            self._phase = "training"
            self.write(
                phase="training",
                epoch=event.epoch,
                done=event.batch,
                total=event.batches,
                unit="batches",
            )

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
        self._batches.clear()
        self._batch_event = time.monotonic()

    def _epoch(self, event: EpochEnd) -> None:
        if self._save is None:
            raise RuntimeError("an epoch ended before the network was there to be saved")
        self._flush_batches()
        write_epoch(self.run.folder.predictions, event.epoch, event.probabilities)
        changes: dict[str, Any] = {"epoch": event.epoch, "epochs_done": event.epoch}
        if self._is_best(event.metrics):
            self._save(event.phase, "best")
            changes |= {"best_epoch": event.epoch, "metrics": event.metrics}
        self._last = event
        self._append(
            {
                "event": "epoch",
                "epoch": event.epoch,
                "phase": event.phase,
                "complete": event.complete,
                "seconds": event.seconds,
                "best": "best_epoch" in changes,
                **event.metrics,
            }
        )
        self.write(**changes)

    def _is_best(self, metrics: dict[str, float]) -> bool:
        """Better on the validation images than every epoch before; of equals, the lower loss."""
        best = self.run.state.metrics
        if not best:
            return True
        if self.run.config.best_by == "val_loss":
            return metrics["val_loss"] < best["val_loss"]
        new = (metrics["val_accuracy"], -metrics["val_loss"])
        return new > (best["val_accuracy"], -best["val_loss"])

    def _append(self, event: dict[str, Any]) -> None:
        elapsed = round(time.monotonic() - self._clock, 3)
        append_event(self.run.folder.metrics, {**event, "seconds_since_start": elapsed})

    @staticmethod
    def _due(last: float, every: float = HEARTBEAT_SECONDS) -> bool:
        return time.monotonic() - last >= every


if __name__ == "__main__":
    lower_priority()
    folder = Path(sys.argv[1])
    work(Run.read(folder), Workspace(folder.parent.parent))
