"""The event files that TensorBoard reads, with the names that Keras's callback gives its values."""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event as Line
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from core.files import naming

PARTS = {"train": "", "validation": "val_", "test": "test_"}
"""A folder for each part of the dataset, and what its metrics' names begin with in an event."""


class EventFiles:
    """Writes what `metrics.jsonl` holds as event files too, one for each part of the dataset.

    Whatever is there is written anew from `events`: after an interruption TensorBoard would
    otherwise show the epochs that are trained again twice.

    began: when the run would have begun, had it trained without a break, in seconds since 1970.
    """

    def __init__(
        self, folder: Path, began: float, events: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self._folder = folder
        self._began = began
        self._writers: dict[str, RecordWriter] = {}
        shutil.rmtree(folder, ignore_errors=True)
        for event in events:
            self.add(event)

    def add(self, event: Mapping[str, Any]) -> None:
        """Take in one event of training; those without numbers to draw are passed over."""
        if event["event"] == "batch":
            values = {f"batch_{name}": event[name] for name in _BATCH if name in event}
            self._write("train", event["step"], values, event)
        elif event["event"] == "epoch":
            for part, prefix in PARTS.items():
                values = {
                    f"epoch_{name}": event[prefix + name]
                    for name in ("loss", "accuracy")
                    if prefix + name in event
                }
                # Keras counts epochs from 0.
                self._write(part, event["epoch"] - 1, values, event)

    def close(self) -> None:
        """Write what is left."""
        for writer in self._writers.values():
            writer.close()

    def _write(
        self, part: str, step: int, values: Mapping[str, float], event: Mapping[str, Any]
    ) -> None:
        if not values:
            return
        written = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        # Not by the clock, which may be set back: TensorBoard shows events in order of time.
        wall_time = self._began + event["seconds_since_start"]
        line = Line(wall_time=wall_time, step=step, summary=Summary(value=written))
        with naming(self._folder / part):
            if part not in self._writers:
                self._writers[part] = self._begin(part)
            self._writers[part].write(line.SerializeToString())
            self._writers[part].flush()

    def _begin(self, part: str) -> RecordWriter:
        folder = self._folder / part
        folder.mkdir(parents=True)
        file = (folder / f"events.out.tfevents.{time.time():.0f}.transfer-lab").open("wb")
        writer = RecordWriter(file)
        first = Line(wall_time=self._began, file_version="brain.Event:2")
        writer.write(first.SerializeToString())
        return writer


_BATCH = ("loss", "accuracy", "learning_rate")
