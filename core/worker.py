"""The worker trains one run, in a process of its own: `python -m core.worker RUN_FOLDER`.

It alone writes the run's state from the moment it starts, and ends with the run. A run that was
trained before goes on from its last checkpoint.
"""

import sys
import traceback
from functools import partial
from pathlib import Path

from filelock import Timeout

from core.data.datasets import Splits, load_splits
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig, InvalidRequest
from core.network import precision
from core.preferences import load_preferences
from core.processes import lower_priority
from core.registry.config import RunConfig
from core.registry.environment import add_environment
from core.registry.predictions import stored_epochs, write_epoch, write_truth
from core.registry.run import Run
from core.registry.run_files import Failure
from core.registry.runs import Runs
from core.training import failures
from core.training.checkpoints import WEIGHTS, Checkpoint
from core.training.engine import LocalEngine
from core.training.feature_cache import FeatureCache
from core.training.progress import Event, Report
from core.training.record import Record
from core.training.surroundings import environment
from core.workspace import Workspace


def work(run: Run, workspace: Workspace) -> None:
    """Train a run. Every failure ends in the run's state, none in an exception.

    Does nothing where somebody else is at work on the run, or it does not wait any more.
    """
    runs = Runs(workspace)
    try:
        with runs.lock(run.id):
            run = runs.again(run)
            if run.status == "queued":
                _work(run, workspace)
    except (Timeout, InvalidRequest):
        return


def _work(run: Run, workspace: Workspace) -> None:
    record = None
    try:
        record = Record(run)
        _train(record, workspace)
    except Exception as error:  # the edge of the process: nobody is left to catch it
        failure = failures.of(error, run.config, record.run.state.peak_memory if record else 0)
        if failure.kind in ("unexpected", "memory", "disk"):
            traceback.print_exc()
        _write_down(failure, run, record)


def _write_down(failure: Failure, run: Run, record: Record | None) -> None:
    """Have a failure in the run's state, also where the disk has no room for it.

    The room that was put aside when the worker began is given up for it.
    """
    print(f"{failure.sentence} {failure.advice}", file=sys.stderr)
    run.folder.reserve.unlink(missing_ok=True)
    try:
        if record is not None:
            record.fail(failure)
        else:
            run.write_state(status="failed", error=failure)
    except OSError as error:
        # Its process is gone in a moment: the run then is interrupted, which is true as well.
        print(f"That could not be written down: {error}", file=sys.stderr)


def _train(record: Record, workspace: Workspace) -> None:
    add_environment(record.run.folder, environment())
    checkpoint = record.go_on()
    # Imported here: a page sees the run begin before the seconds that TensorFlow takes.
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.training import devices
    from core.training.features import Stopped

    run, stop_asked = record.run, record.run.folder.stop_request.exists
    number_format = run.state.precision or precision.resolve(
        run.config.precision, precision.cpu_flags(), devices.gpu_capabilities()
    )
    record.write(precision=number_format, phase="loading images")

    def report_or_stop(event: Event) -> None:
        record(event)
        if stop_asked():
            raise Stopped

    try:
        splits = _load(run.config, workspace, report_or_stop)
        with devices.strategy().scope():
            finished = _train_on(splits, record, workspace, checkpoint)
    except Stopped:
        finished = False
        record.note("stopped before the first training step")
    record.end(finished)


def _load(config: RunConfig, workspace: Workspace, report: Report) -> Splits:
    """The images; they were right when the run was launched, so what is wrong now is the disk's."""
    try:
        return load_splits(
            config.data, config.seed, side=config.network.side, workspace=workspace, report=report
        )
    except (InvalidConfig, DamagedFile) as error:
        raise DatasetUnavailable(str(error)) from None


def _train_on(
    splits: Splits, record: Record, workspace: Workspace, checkpoint: Checkpoint | None
) -> bool:
    """Build the network and train it; False where somebody stopped it."""
    from core.network import models
    from core.training import evaluating, training

    run, number_format = record.run, record.run.state.precision
    fingerprint = splits.test.fingerprint()
    if checkpoint and run.state.test_fingerprint not in ("", fingerprint):
        raise DatasetUnavailable(
            "the test images are no longer those that the run began with; put the former files "
            "back to resume it, or launch it anew"
        )
    write_truth(run.folder.predictions, splits.test.labels, splits.test.indices, fingerprint)
    record.write(phase="building the network", test_fingerprint=fingerprint)
    if checkpoint:
        network = models.resumed(
            run,
            {
                name.removeprefix(WEIGHTS): array
                for name, array in checkpoint.arrays.items()
                if name.startswith(WEIGHTS)
            },
        )
    else:
        network = models.start(run.config, number_format, Runs(workspace))
        models.save_reference(run.folder, network)
    record.begin(save=partial(models.save_trained, run.folder, network, run.config))
    finished = training.train(
        config=run.config,
        splits=splits,
        network=network,
        cache=FeatureCache(workspace.features, load_preferences(workspace).cache_limit),
        precision=number_format,
        report=record,
        should_stop=run.folder.stop_request.exists,
        begin=checkpoint,
    )
    best = record.run.state.best_epoch
    if best and best not in stored_epochs(run):
        probabilities, metrics = evaluating.test(models.load_run(record.run), splits, record)
        write_epoch(run.folder.predictions, best, probabilities)
        record.tested(best, metrics)
    return finished


if __name__ == "__main__":
    lower_priority()
    folder = Path(sys.argv[1])
    workspace = Workspace(folder.parent.parent)
    work(Run.read(folder), workspace)
    # The runner that started this one may be gone, and others wait.
    LocalEngine(workspace).wake_if_asleep()
