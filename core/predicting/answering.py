"""The process that answers: `python -m core.predicting.answering WORKSPACE`.

It reads questions from its standard input and answers on its standard output, in `frames`, until
whoever asks is gone; `prediction_service` asks.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import IO

from core.errors import TransferLabError
from core.jobs import Cancelled, Tell
from core.predicting import frames
from core.predicting.frames import NOTHING, TELL_SECONDS, WITHDRAW, Array, Header
from core.registry.runs import Runs
from core.workspace import Workspace, find_workspace

MOST_THREADS = 64
"""Questions that are worked on at once; a thread that waits for its turn costs nothing."""


def _serve(workspace: Workspace, questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until nobody is left who could ask, each in a thread of its own."""
    threads, sending = ThreadPoolExecutor(MOST_THREADS), threading.Lock()
    answering = threads.submit(_answering, workspace)  # questions are heard meanwhile
    withdrawn: dict[int, threading.Event] = {}

    def send(header: Header, array: Array) -> None:
        with sending:
            frames.send(answers, header, array)

    def answer(header: Header, array: Array) -> None:
        about = {"number": header["number"]}
        telling = _Telling(header["number"], withdrawn[header["number"]], send)
        try:
            found = answering.result()[header["do"]](header, array, telling)
        except Cancelled:
            found = NOTHING
        except TransferLabError as error:
            about |= {"error": type(error).__name__, "sentence": str(error)}
            found = NOTHING
        except BaseException:
            # What nobody foresaw ends the process, which whoever asked is told.
            traceback.print_exc()
            os._exit(1)
        del withdrawn[header["number"]]
        send(about, found)

    while True:
        try:
            header, array = frames.receive(questions)
        except EOFError:
            os._exit(0)  # whoever asked is gone, and with them who would read an answer
        if header["do"] != WITHDRAW:
            withdrawn[header["number"]] = threading.Event()
            threads.submit(answer, header, array)
        elif (event := withdrawn.get(header["number"])) is not None:
            event.set()


class _Telling:
    """Tells whoever asked how far a question is, now and then, and ends one that was withdrawn."""

    def __init__(
        self, number: int, withdrawn: threading.Event, send: Callable[[Header, Array], None]
    ) -> None:
        self._number, self._withdrawn, self._send = number, withdrawn, send
        self._phase, self._told = "", 0.0

    def __call__(self, share: float, phase: str = "") -> None:
        """Tell it. Raises Cancelled."""
        if self._withdrawn.is_set():
            raise Cancelled
        now, began = monotonic(), phase != self._phase
        if began or now - self._told >= TELL_SECONDS:
            self._phase, self._told = phase, now
            self._send({"number": self._number, "share": share, "phase": phase}, NOTHING)


def _answering(workspace: Workspace) -> dict[str, Callable[[Header, Array, Tell], Array]]:
    """What answers a question with its array, by what the question asks to do."""
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.predicting.predictor import Predictor

    predictor = Predictor(Runs(workspace))

    def load(asked: Header, nothing: Array, tell: Tell) -> Array:
        predictor.load(asked["run"], asked["epoch"], tell)
        return nothing

    def predict(asked: Header, images: Array, tell: Tell) -> Array:
        return predictor.predict(asked["run"], images, asked["epoch"], tell)

    def features(asked: Header, images: Array, tell: Tell) -> Array:
        return predictor.features(asked["run"], images, asked["epoch"], tell)

    def grad_cam(asked: Header, image: Array, tell: Tell) -> Array:
        which = asked["class"], asked["epoch"], asked["finer"]
        return predictor.grad_cam(asked["run"], image, *which, tell).fields

    def feature_maps(asked: Header, image: Array, tell: Tell) -> Array:
        return predictor.feature_maps(asked["run"], image, asked["layer"], asked["epoch"])

    def strongest(asked: Header, images: Array, tell: Tell) -> Array:
        return predictor.strongest(asked["run"], images, asked["epoch"])

    def receptive_fields(asked: Header, nothing: Array, tell: Tell) -> Array:
        return predictor.receptive_fields(asked["run"], asked["epoch"])

    def kernels(asked: Header, nothing: Array, tell: Tell) -> Array:
        return predictor.kernels(asked["run"], asked["epoch"])

    def export(asked: Header, nothing: Array, tell: Tell) -> Array:
        return predictor.export(asked["run"], tell)

    answers = (
        *(load, predict, features, grad_cam, export),
        *(feature_maps, strongest, receptive_fields, kernels),
    )
    return {answer.__name__: answer for answer in answers}


if __name__ == "__main__":
    # Answers go out on a copy of standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(find_workspace(sys.argv[1]), sys.stdin.buffer, answers)
