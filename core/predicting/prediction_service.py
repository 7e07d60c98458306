"""The predictor in a process of its own, so that whoever asks never loads TensorFlow.

`PredictionService` asks: safe to share between threads, it starts the process anew if that died.
The process, `answering`, gets its questions and gives its answers in `frames`.
"""

import itertools
import subprocess
import sys
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core import errors
from core.data.preprocessing import Pixels
from core.errors import PredictorDied, TransferLabError
from core.explaining.heat import Heat
from core.jobs import Cancelled, Tell, silently
from core.predicting import frames
from core.predicting.frames import NOTHING, TELL_SECONDS, WITHDRAW, Array, Header
from core.workspace import PROJECT, Workspace


class PredictionService:
    """Asks the predictor process of one workspace; starts it when first needed.

    Questions of several threads are under way at once; the process answers none of them late
    because another is long. tell: told how far a question is; where it raises Cancelled, the
    process leaves off and so does whoever asked.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()  # held while the process is looked at, started or ended
        self._process: _Process | None = None
        self._warming: dict[_Which, threading.Event] = {}  # each with whether it is to end

    def predict(
        self, run_id: str, images: Pixels, epoch: int | None = None, tell: Tell = silently
    ) -> NDArray[np.float32]:
        """Probabilities, (count, classes), of images (count, height, width[, 3]) uint8.

        epoch: one whose weights the run kept, by default its best. Raises what the predictor
        raises, and PredictorDied where its process ended twice.
        """
        question = {"do": "predict", "run": run_id, "epoch": epoch}
        return self._ask(question, images, tell).astype(np.float32)

    def features(
        self, run_id: str, images: Pixels, epoch: int | None = None, tell: Tell = silently
    ) -> NDArray[np.float32]:
        """What a network's last layer is fed of images, (count, width). Raises as `predict`."""
        question = {"do": "features", "run": run_id, "epoch": epoch}
        return self._ask(question, images, tell).astype(np.float32)

    def grad_cam(
        self,
        run_id: str,
        image: Pixels,
        of_class: int,
        epoch: int | None = None,
        finer: int = 0,
        tell: Tell = silently,
    ) -> Heat:
        """Which fields of an image (height, width[, 3]) uint8 speak for a class, from 0.

        finer: how many sizes smaller the fields shall be than those of the last layer that has
        some. Raises what the predictor raises, and PredictorDied.
        """
        question = {"do": "grad_cam", "run": run_id, "epoch": epoch}
        return Heat(self._ask(question | {"class": of_class, "finer": finer}, image, tell))

    def feature_maps(
        self, run_id: str, image: Pixels, layer: int, epoch: int | None = None
    ) -> NDArray[np.float32]:
        """What a layer makes of an image (height, width[, 3]) uint8, (rows, columns, channels).

        layer: its position in the network's graph, one of `seen_layers`. Raises what the predictor
        raises, and PredictorDied, as the next three do.
        """
        question = {"do": "feature_maps", "run": run_id, "epoch": epoch, "layer": layer}
        return self._ask(question, image).astype(np.float32)

    def strongest(
        self, run_id: str, images: Pixels, epoch: int | None = None
    ) -> NDArray[np.float32]:
        """How strongly each channel answers to images, and where, (count, channels, 2)."""
        question = {"do": "strongest", "run": run_id, "epoch": epoch}
        return self._ask(question, images).astype(np.float32)

    def receptive_fields(self, run_id: str, epoch: int | None = None) -> NDArray[np.int64]:
        """What the fields of each layer to look into see, down and across, (layers, 2, 3)."""
        question = {"do": "receptive_fields", "run": run_id, "epoch": epoch}
        return self._ask(question, NOTHING).astype(np.int64)

    def kernels(self, run_id: str, epoch: int | None = None) -> NDArray[np.float32]:
        """The first convolution's kernels, (channels, rows, columns, channels of the image)."""
        question = {"do": "kernels", "run": run_id, "epoch": epoch}
        return self._ask(question, NOTHING).astype(np.float32)

    def export(self, run_id: str, tell: Tell = silently) -> bytes:
        """A run's best network as a `.keras` file, see `export_keras`. Raises as `predict`."""
        return self._ask({"do": "export", "run": run_id, "epoch": None}, NOTHING, tell).tobytes()

    def load(self, run_id: str, epoch: int | None = None, tell: Tell = silently) -> None:
        """Have a run's network ready to answer at once. Raises as `predict`."""
        self._ask({"do": "load", "run": run_id, "epoch": epoch}, NOTHING, tell)

    def warm_up(self, run_id: str, epoch: int | None = None) -> None:
        """Load a run in the background, so that the first question about it is answered fast.

        Does nothing where that is under way.
        """
        key = run_id, epoch
        with self._lock:
            if key in self._warming:
                return
            to_end = self._warming[key] = threading.Event()
        threading.Thread(target=self._warm_up, args=(*key, to_end), daemon=True).start()

    def close(self) -> None:
        """End the process; the next question starts it again."""
        with self._lock:
            if self._process is not None:
                self._process.end()

    def _warm_up(self, run_id: str, epoch: int | None, to_end: threading.Event) -> None:
        def tell(share: float, phase: str = "") -> None:
            if to_end.is_set():
                raise Cancelled

        try:
            self._ask({"do": "load", "run": run_id, "epoch": epoch}, NOTHING, tell)
        except (TransferLabError, Cancelled):
            return  # whoever asks the run a question is told
        finally:
            with self._lock:
                self._warming.pop((run_id, epoch), None)

    def _ask(self, header: Header, array: Array, tell: Tell = silently) -> Array:
        try:
            return self._answer(header, array, tell)
        except Cancelled:
            self._end_warming(header["run"], header["epoch"])
            raise

    def _end_warming(self, run_id: str, epoch: int | None) -> None:
        """Loading a network for a question that nobody waits for any more is in vain."""
        with self._lock:
            if (to_end := self._warming.get((run_id, epoch))) is not None:
                to_end.set()

    def _answer(self, header: Header, array: Array, tell: Tell) -> Array:
        try:
            return _checked(self._running().ask(header, array, tell))
        except (OSError, EOFError):
            pass  # it died, perhaps long ago: once more with a new one
        try:
            return _checked(self._running().ask(header, array, tell))
        except (OSError, EOFError):
            raise PredictorDied(
                "the process that answers predictions ended before it answered, twice; the "
                "machine may be short of memory: stop a training run or close other programs"
            ) from None

    def _running(self) -> "_Process":
        with self._lock:
            if self._process is None or self._process.ended:
                self._process = _Process(self._workspace)
            return self._process


_Which = tuple[str, int | None]
"""A run and an epoch of it, None for its best."""


@dataclass(eq=False)
class _Question:
    """A question that the process was asked, and how far it said that is."""

    answer: Future[tuple[Header, Array]] = field(default_factory=Future)
    share: float = 0.0
    phase: str = "starting TensorFlow"


class _Process:
    """One predictor process, and the questions that it has not answered yet."""

    def __init__(self, workspace: Workspace) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.predicting.answering", str(workspace.root)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._asking = threading.Lock()  # held while a question is noted and sent
        self._open: dict[int, _Question] = {}
        self._numbers = itertools.count()
        self._over = self._answered = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether it answers no more."""
        return self._over or self._process.poll() is not None

    def ask(self, header: Header, array: Array, tell: Tell) -> tuple[Header, Array]:
        """Ask and wait for the answer. Raises EOFError or OSError where it ends before that.

        Raises Cancelled where `tell` does; the process then leaves off.
        """
        question = _Question()
        with self._asking:
            if self._over or self._process.stdin is None:
                raise EOFError
            number = next(self._numbers)
            self._open[number] = question
            self._send(header | {"number": number}, array)
        while not wait((question.answer,), TELL_SECONDS).done:
            try:
                tell(question.share, question.phase)
            except Cancelled:
                self._withdraw(number)
                raise
        return question.answer.result()

    def _withdraw(self, number: int) -> None:
        """Have a question left unanswered; a process that only starts for it need not start."""
        with self._asking:
            self._open.pop(number, None)
            if not self._open and not self._answered:
                self.end()
            elif not self._over:
                with suppress(OSError):  # it is gone, and the question with it
                    self._send({"do": WITHDRAW, "number": number}, NOTHING)

    def _send(self, header: Header, array: Array) -> None:
        """Send a frame. Raises OSError."""
        if self._process.stdin is None:
            raise EOFError
        try:
            frames.send(self._process.stdin, header, array)
        except OSError:
            self.end()  # so that nobody takes it for alive
            raise

    def end(self) -> None:
        """End it, whatever it is asked, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        """Hand out answers until there are none any more; then all that still wait are told."""
        try:
            while self._process.stdout is not None:
                self._hear(*frames.receive(self._process.stdout))
        except (OSError, EOFError):
            self.end()
        with self._asking:
            self._over = True
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    stream and stream.close()
        for question in self._open.values():
            question.answer.set_exception(EOFError())

    def _hear(self, header: Header, array: Array) -> None:
        """Take over an answer, or how far one is; nobody waits for that of a question withdrawn."""
        if "share" in header:
            if (question := self._open.get(header["number"])) is not None:
                question.share, question.phase = header["share"], header["phase"]
            return
        self._answered = True
        if (question := self._open.pop(header["number"], None)) is not None:
            question.answer.set_result((header, array))


def _checked(answer: tuple[Header, Array]) -> Array:
    header, array = answer
    if "error" in header:
        raise getattr(errors, header["error"])(header["sentence"])
    return array
