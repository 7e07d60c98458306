"""Questions to networks, which a process answers in the background; pages go on meanwhile.

Each gives None, with a word why, while the answer is not there. They raise what the predictor does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.explaining import occlusion
from core.explaining.heat import Heat
from core.explaining.occlusion import Occlusion
from core.handwriting.handwriting import Samples
from core.handwriting.handwriting_scores import score
from core.jobs import Steps, Tell
from core.registry import evaluation
from core.registry.evaluation import Evaluation
from core.registry.predictions import Predictions
from core.registry.run import Run
from ui import lab
from ui.frame import waiting
from ui.frame.waiting import Key

COVERING = "covering place by place"


def predict(run: Run, images: Pixels, epoch: int | None = None) -> NDArray[np.float32] | None:
    """The probabilities, (count, classes), that a run gives images (count, height, width[, 3]).

    epoch: here and below, one whose weights were kept, by default the best.
    """
    return waiting.wait_for(f"Asking {lab.plain(run.name)}", *_prediction(run, images, epoch))


def begin_predicting(run: Run, images: Pixels, epoch: int | None = None) -> None:
    """Have a run answer what `predict` asks in a moment, so that several answer at once."""
    waiting.begin(*_prediction(run, images, epoch))


def _prediction(
    run: Run, images: Pixels, epoch: int | None
) -> tuple[Key, Callable[[Tell], NDArray[np.float32]]]:
    service = lab.predictor()
    key = "predict", *_version(run, epoch), _digest(images)
    return key, lambda tell: service.predict(run.id, images, epoch, tell)


def is_loaded(run: Run, epoch: int | None = None) -> bool:
    """Whether a run's network is ready to answer at once; where it is not, it is loaded."""
    service = lab.predictor()

    def load(tell: Tell) -> bool:
        service.load(run.id, epoch, tell)
        return True

    key = "load", *_version(run, epoch)
    return waiting.wait_for(f"Loading {lab.plain(run.name)}", key, load) is not None


def exported(run: Run) -> bytes | None:
    """A run's best network as a file that Keras opens; the last that was asked for is kept."""
    service = lab.predictor()
    return waiting.wait_for(
        f"Writing the network of {lab.plain(run.name)}",
        ("export", *_version(run, None)),
        lambda tell: service.export(run.id, tell),
        most=1,
    )


def features(run: Run, image: Pixels, epoch: int | None = None) -> NDArray[np.float32] | None:
    """What the last layer of a run's network is fed of one image (height, width[, 3]), (width,)."""
    service = lab.predictor()
    found = waiting.wait_for(
        f"Asking {lab.plain(run.name)} for features",
        ("features", *_version(run, epoch), _digest(image)),
        lambda tell: service.features(run.id, image[None], epoch, tell),
    )
    return None if found is None else found[0]


def grad_cam(
    run: Run, image: Pixels, of_class: int, epoch: int | None = None, finer: int = 0
) -> Heat | None:
    """Which fields of one image (height, width[, 3]) speak for a class, by a run's network.

    finer: how many sizes smaller the fields shall be than those of the last layer that has some.
    """
    service = lab.predictor()
    return waiting.wait_for(
        f"Asking {lab.plain(run.name)} for the places",
        ("grad_cam", *_version(run, epoch), _digest(image), of_class, finer),
        lambda tell: service.grad_cam(run.id, image, of_class, epoch, finer, tell),
    )


def occlude(run: Run, image: Pixels, epoch: int | None = None) -> Occlusion | None:
    """What covering one image (height, width[, 3]) place by place takes from a run's answer."""
    service = lab.predictor()

    def compute(tell: Tell) -> Occlusion:
        steps = Steps(tell)

        def predict(images: Pixels) -> NDArray[np.float32]:
            return service.predict(run.id, images, epoch, steps.within)

        return occlusion.occlude(image, predict, partial(steps, phase=COVERING))

    return waiting.wait_for(
        f"Covering the picture for {lab.plain(run.name)}",
        ("occlusion", *_version(run, epoch), _digest(image)),
        compute,
    )


def evaluate(run: Run, epoch: int, *, anew: bool = False) -> tuple[Evaluation, bool] | None:
    """How an epoch does on the test images, and whether that had to be computed from its weights.

    anew: whether somebody asked for it just now. Raises what reading predictions raises as well.
    """
    if (stored := evaluation.stored_evaluation(run, epoch)) is not None:
        return stored, False
    service, tested = lab.predictor(), lab.test_images(run, run.config.network.side)

    def compute(tell: Tell) -> Evaluation:
        parts = []
        for start in range(0, len(tested), AT_ONCE):
            images = tested.images[start : start + AT_ONCE]
            told = partial(_part, tell, start / len(tested), len(images) / len(tested))
            parts.append(service.predict(run.id, images, epoch, told))
        return evaluation.evaluate(np.concatenate(parts), tested.labels)

    found = waiting.wait_for(
        f"Evaluating epoch {epoch} of {lab.plain(run.name)}",
        ("evaluation", *_version(run, epoch), run.state.test_fingerprint),
        compute,
        anew=anew,
    )
    return None if found is None else (found, True)


def score_handwriting(run: Run, samples: Samples, epoch: int | None = None) -> Predictions | None:
    """What a run makes of the samples of handwriting. Raises what `score` raises."""
    service = lab.predictor()

    def compute(tell: Tell) -> Predictions:
        return score(run, samples, partial(service.predict, tell=tell), epoch)

    return waiting.wait_for(
        f"Asking {lab.plain(run.name)} about the handwriting",
        ("handwriting", *_version(run, epoch), samples.fingerprint),
        compute,
        most=0,
    )


AT_ONCE = 500
"""Images that are sent to be evaluated at a time."""


def _part(tell: Tell, begin: float, width: float, share: float, phase: str = "") -> None:
    """Tell of a part of the whole."""
    tell(begin + share * width, phase)


def _version(run: Run, epoch: int | None) -> Key:
    """Tells the weights that answer from those that were there before."""
    chosen = run.state.best_epoch if epoch is None else epoch
    return str(run.folder.path), run.state.heartbeat, chosen


def _digest(images: Pixels) -> str:
    whole = repr(images.shape).encode() + np.ascontiguousarray(images).tobytes()
    return hashlib.sha256(whole).hexdigest()
