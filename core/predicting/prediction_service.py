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
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core import errors
from core.data.preprocessing import Pixels
from core.errors import PredictorDied, TransferLabError
from core.explaining.heat import Heat
from core.registry.runs import Runs
from core.workspace import PROJECT, Workspace, find_workspace

Array = NDArray[Any]
Header = dict[str, Any]
NOTHING = np.zeros(0, np.uint8)
MOST_THREADS = 64
"""Questions that are worked on at once; a thread that waits for its turn costs nothing."""


class PredictionService:
    """Asks the predictor process of one workspace; starts it when first needed.

    Questions of several threads are under way at once; the process answers none of them late
    because another is long.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()  # held while the process is looked at, started or ended
        self._process: _Process | None = None
        self._warming: set[tuple[str, int | None]] = set()

    def predict(self, run_id: str, images: Pixels, epoch: int | None = None) -> NDArray[np.float32]:
        """Probabilities, (count, classes), of images (count, height, width[, 3]) uint8.

        epoch: one whose weights the run kept, by default its best. Raises what the predictor
        raises, and PredictorDied where its process ended twice.
        """
        question = {"do": "predict", "run": run_id, "epoch": epoch}
        return self._ask(question, images).astype(np.float32)

    def features(
        self, run_id: str, images: Pixels, epoch: int | None = None
    ) -> NDArray[np.float32]:
        """What a network's last layer is fed of images, (count, width). Raises as `predict`."""
        question = {"do": "features", "run": run_id, "epoch": epoch}
        return self._ask(question, images).astype(np.float32)

    def grad_cam(
        self, run_id: str, image: Pixels, of_class: int, epoch: int | None = None, finer: int = 0
    ) -> Heat:
        """Which fields of an image (height, width[, 3]) uint8 speak for a class, from 0.

        finer: how many sizes smaller the fields shall be than those of the last layer that has
        some. Raises what the predictor raises, and PredictorDied.
        """
        question = {"do": "grad_cam", "run": run_id, "epoch": epoch}
        return Heat(self._ask(question | {"class": of_class, "finer": finer}, image))

    def warm_up(self, run_id: str, epoch: int | None = None) -> None:
        """Load a run in the background, so that the first question about it is answered fast.

        Does nothing where that is under way.
        """
        key = run_id, epoch
        with self._lock:
            if key in self._warming:
                return
            self._warming.add(key)
        threading.Thread(target=self._warm_up, args=key, daemon=True).start()

    def close(self) -> None:
        """End the process; the next question starts it again."""
        with self._lock:
            if self._process is not None:
                self._process.end()

    def _warm_up(self, run_id: str, epoch: int | None) -> None:
        try:
            self._ask({"do": "load", "run": run_id, "epoch": epoch}, NOTHING)
        except TransferLabError:
            return  # whoever asks the run a question is told
        finally:
            with self._lock:
                self._warming.discard((run_id, epoch))

    def _ask(self, header: Header, array: Array) -> Array:
        try:
            return _checked(self._running().ask(header, array))
        except (OSError, EOFError):
            pass  # it died, perhaps long ago: once more with a new one
        try:
            return _checked(self._running().ask(header, array))
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
        self._open: dict[int, Future[tuple[Header, Array]]] = {}
        self._numbers = itertools.count()
        self._over = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether it answers no more."""
        return self._over or self._process.poll() is not None

    def ask(self, header: Header, array: Array) -> tuple[Header, Array]:
        """Ask and wait for the answer. Raises EOFError or OSError where it ends before that."""
        answer: Future[tuple[Header, Array]] = Future()
        with self._asking:
            if self._over or self._process.stdin is None:
                raise EOFError
            number = next(self._numbers)
            self._open[number] = answer
            try:
                _send(self._process.stdin, header | {"number": number}, array)
            except OSError:
                self.end()  # so that nobody takes it for alive
                raise
        return answer.result()

    def end(self) -> None:
        """End it, whatever it is asked, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        """Hand out answers until there are none any more; then all that still wait are told."""
        try:
            while self._process.stdout is not None:
                header, array = _receive(self._process.stdout)
                self._open.pop(header["number"]).set_result((header, array))
        except (OSError, EOFError):
            self.end()
        with self._asking:
            self._over = True
            for stream in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    stream and stream.close()
        for answer in self._open.values():
            answer.set_exception(EOFError())


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
    answering, sending = _answering(workspace), threading.Lock()

    def answer(header: Header, array: Array) -> None:
        about = {"number": header["number"]}
        try:
            found = answering[header["do"]](header, array)
        except TransferLabError as error:
            about |= {"error": type(error).__name__, "sentence": str(error)}
            found = NOTHING
        except BaseException:
            # What nobody foresaw ends the process, which whoever asked is told.
            traceback.print_exc()
            os._exit(1)
        with sending:
            _send(answers, about, found)

    threads = ThreadPoolExecutor(MOST_THREADS)
    while True:
        try:
            threads.submit(answer, *_receive(questions))
        except EOFError:
            os._exit(0)  # whoever asked is gone, and with them who would read an answer


def _answering(workspace: Workspace) -> dict[str, Callable[[Header, Array], Array]]:
    """What answers a question with its array, by what the question asks to do."""
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.predicting.predictor import Predictor

    predictor = Predictor(Runs(workspace))

    def load(asked: Header, nothing: Array) -> Array:
        predictor.load(asked["run"], asked["epoch"])
        return nothing

    def predict(asked: Header, images: Array) -> Array:
        return predictor.predict(asked["run"], images, asked["epoch"])

    def features(asked: Header, images: Array) -> Array:
        return predictor.features(asked["run"], images, asked["epoch"])

    def grad_cam(asked: Header, image: Array) -> Array:
        of_class, finer = asked["class"], asked["finer"]
        return predictor.grad_cam(asked["run"], image, of_class, asked["epoch"], finer).fields

    return {"load": load, "predict": predict, "features": features, "grad_cam": grad_cam}


if __name__ == "__main__":
    # Answers go out on a copy of standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(find_workspace(sys.argv[1]), sys.stdin.buffer, answers)
