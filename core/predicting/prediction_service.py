"""The predictor in a process of its own, so that whoever asks never loads TensorFlow.

`PredictionService` is the asking side: safe to share between threads, and it starts the process
anew if that died. Run as `python -m core.predicting.prediction_service WORKSPACE` this module is
the answering side. The two speak over the process's standard input and output in frames: a JSON
header of a length given first, then the bytes of one array whose shape the header tells.
"""

import itertools
import json
import os
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core import errors
from core.data.preprocessing import Pixels
from core.errors import PredictorDied, TransferLabError
from core.explaining.heat import Heat
from core.jobs import Cancelled, Tell, silently
from core.registry.runs import Runs
from core.workspace import PROJECT, Workspace, find_workspace

Array = NDArray[Any]
Header = dict[str, Any]
NOTHING = np.zeros(0, np.uint8)
WITHDRAW = "withdraw"
"""Said in place of a question: the one of that number need not be answered any more."""
MOST_THREADS = 64
"""Questions that are worked on at once; a thread that waits for its turn costs nothing."""
TELL_SECONDS = 0.1
"""How often whoever waits for an answer is told how far it is, and may cancel."""


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
            [sys.executable, "-m", "core.predicting.prediction_service", str(workspace.root)],
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
            _send(self._process.stdin, header, array)
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
                self._hear(*_receive(self._process.stdout))
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


def _send(stream: IO[bytes], header: Header, array: Array) -> None:
    whole = header | {"shape": array.shape, "dtype": array.dtype.str}
    head = json.dumps(whole).encode()
    stream.write(struct.pack("!I", len(head)) + head + np.ascontiguousarray(array).tobytes())
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[Header, Array]:
    (length,) = struct.unpack("!I", _read(stream, 4))
    header = json.loads(_read(stream, length))
    dtype, shape = np.dtype(header["dtype"]), tuple(header["shape"])
    size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    return header, np.frombuffer(_read(stream, size), dtype).reshape(shape)


def _read(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def _serve(workspace: Workspace, questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer questions until nobody is left who could ask, each in a thread of its own."""
    threads, sending = ThreadPoolExecutor(MOST_THREADS), threading.Lock()
    answering = threads.submit(_answering, workspace)  # questions are heard meanwhile
    withdrawn: dict[int, threading.Event] = {}

    def send(header: Header, array: Array) -> None:
        with sending:
            _send(answers, header, array)

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
            header, array = _receive(questions)
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
