"""What runs make of the samples of handwriting: a second test set, for Compare and for scores.

A network is asked when somebody wants to know; the answer is kept in the run's folder, one file
for each epoch, until the samples or the weights change.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import NotComparable
from core.files import UNREADABLE, write_arrays
from core.handwriting.frozen_handwriting import read_frozen
from core.handwriting.handwriting import Samples
from core.registry.evaluation import Evaluation, evaluate
from core.registry.predictions import Predictions, as_stored, epoch_path
from core.registry.run import Run
from core.workspace import Workspace

Ask = Callable[[str, Pixels, int | None], NDArray[np.float32]]
"""Probabilities of images by the run of an id after an epoch, as PredictionService.predict says."""


def reads_handwriting(run: Run) -> bool:
    """Whether a run learned digits and has a network that can be asked about others."""
    return run.config.data.shows_digits and run.has_results


def stored_scores(run: Run, samples: Samples, epoch: int | None = None) -> Predictions | None:
    """What a run made of just these samples, None where it was not asked since they changed.

    epoch: one whose weights were kept, by default the best.
    """
    chosen = _epoch(run, epoch)
    try:
        with np.load(epoch_path(run.folder.handwriting, chosen), allow_pickle=False) as arrays:
            stored = {key: arrays[key] for key in ("probabilities", "fingerprint", "weights")}
    except UNREADABLE:
        return None  # there is none, or it is damaged: it is made anew
    probabilities = stored["probabilities"]
    if (
        str(stored["fingerprint"]) != samples.fingerprint
        or stored["weights"].tolist() != _weights_version(run, chosen)
        or probabilities.shape != (len(samples), len(run.config.class_names))
    ):
        return None
    return _predictions(probabilities, samples)


def score(run: Run, samples: Samples, ask: Ask, epoch: int | None = None) -> Predictions:
    """What a run makes of the samples, asking its network where that is not known yet.

    Raises NotComparable where there are no samples or the run reads no digits, and what asking
    raises. A score that cannot be written down is still told.
    """
    if not reads_handwriting(run):
        raise NotComparable(
            f"the run {run.name!r} cannot be tested on handwriting; choose a finished run that "
            "learned digits"
        )
    if len(samples) == 0:
        raise NotComparable(
            "there is no handwriting to test on yet; draw digits on Predict and keep them"
        )
    stored = stored_scores(run, samples, epoch)
    if stored is not None:
        return stored
    chosen = _epoch(run, epoch)
    weights = _weights_version(run, chosen)
    probabilities = as_stored(ask(run.id, samples.digits, chosen))
    _store(run, chosen, probabilities, samples, weights)
    return _predictions(probabilities, samples)


def evaluation(predictions: Predictions) -> Evaluation:
    """How many of the samples are taken for what they were meant to be."""
    return evaluate(predictions.probabilities, predictions.labels)


def learned_from(run: Run, samples: Samples, workspace: Workspace) -> NDArray[np.bool_]:
    """Which of the samples a run was trained on, (count,): its score on those proves little.

    Raises DamagedFile where what it was trained on cannot be read any more.
    """
    if not run.config.data.handwriting:
        return np.zeros(len(samples), bool)
    digits, _ = read_frozen(workspace, run.config.data.handwriting_samples)
    known = {digit.tobytes() for digit in digits}
    return np.array([digit.tobytes() in known for digit in samples.digits], bool)


def _epoch(run: Run, epoch: int | None) -> int:
    return run.state.best_epoch if epoch is None else epoch


def _weights_version(run: Run, epoch: int) -> list[int]:
    """Tells the weights of an epoch from those that replaced them; zeros where there are none."""
    try:
        found = run.folder.weights(epoch).stat()
    except OSError:
        return [0, 0]
    return [found.st_mtime_ns, found.st_size]


def _store(
    run: Run, epoch: int, probabilities: NDArray[Any], samples: Samples, weights: list[int]
) -> None:
    folder = run.folder.handwriting
    try:
        folder.mkdir(exist_ok=True)
        write_arrays(
            epoch_path(folder, epoch),
            probabilities=probabilities,
            fingerprint=np.array(samples.fingerprint),
            weights=np.array(weights, np.int64),
        )
    except OSError:
        return  # no room, or the run was deleted just now: it is asked again next time


def _predictions(probabilities: NDArray[Any], samples: Samples) -> Predictions:
    split = samples.split
    return Predictions(
        probabilities.astype(np.float32), split.labels, split.indices, samples.fingerprint
    )
