"""The predictor in a process of its own, so that whoever asks never loads TensorFlow.

`PredictionService` is the asking side: safe to share between threads, and it starts the process
anew if that died. Run as `python -m core.prediction_service WORKSPACE` this module is the
answering side. The two speak over the process's standard input and output in frames: a JSON
header of a length given first, then the bytes of one array whose shape the header tells.
"""

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from core import errors
from core.errors import PredictorDied, TransferLabError
from core.explaining.heat import Heat
from core.preprocessing import Pixels
from core.runs import Runs
from core.workspace import PROJECT, Workspace, find_workspace

Array = NDArray[Any]
Header = dict[str, Any]
NOTHING = np.zeros(0, np.uint8)


class PredictionService:
    """Asks the predictor process of one workspace; starts it when first needed."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def predict(self, run_id: str, images: Pixels, epoch: int | None = None) -> NDArray[np.float32]:
        """Probabilities, (count, classes), of images (count, height, width[, 3]) uint8.

        epoch: one whose weights the run kept, by default its best. Raises what the predictor
        raises, and PredictorDied where its process ended twice.
        """
        question = {"do": "predict", "run": run_id, "epoch": epoch}
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
        """Load a run in the background, so that the first question about it is answered fast."""
        thread = threading.Thread(target=self._warm_up, args=(run_id, epoch), daemon=True)
        thread.start()

    def close(self) -> None:
        """End the process; the next question starts it again."""
        with self._lock:
            self._end()

    def _warm_up(self, run_id: str, epoch: int | None) -> None:
        try:
            self._ask({"do": "load", "run": run_id, "epoch": epoch}, NOTHING)
        except TransferLabError:
            return  # whoever asks the run a question is told

    def _ask(self, header: Header, array: Array) -> Array:
        with self._lock:
            try:
                return _checked(self._exchange(header, array))
            except (OSError, EOFError):
                self._end()  # it died, perhaps long ago: once more with a new one
            try:
                return _checked(self._exchange(header, array))
            except (OSError, EOFError):
                self._end()
                raise PredictorDied(
                    "the process that answers predictions ended before it answered, twice; the "
                    "machine may be short of memory: stop a training run or close other programs"
                ) from None

    def _exchange(self, header: Header, array: Array) -> tuple[Header, Array]:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise EOFError
        _send(process.stdin, header, array)
        return _receive(process.stdout)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.prediction_service", str(self._workspace.root)],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


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
    answering = _answering(workspace)
    while True:
        try:
            header, array = _receive(questions)
        except EOFError:
            return  # whoever asked is gone
        try:
            _send(answers, {}, answering[header["do"]](header, array))
        except TransferLabError as error:
            _send(answers, {"error": type(error).__name__, "sentence": str(error)}, NOTHING)


def _answering(workspace: Workspace) -> dict[str, Callable[[Header, Array], Array]]:
    """What answers a question with its array, by what the question asks to do."""
    from core.quiet import load_tensorflow

    load_tensorflow()
    from core.predictor import Predictor

    predictor = Predictor(Runs(workspace))

    def load(asked: Header, nothing: Array) -> Array:
        predictor.load(asked["run"], asked["epoch"])
        return nothing

    def predict(asked: Header, images: Array) -> Array:
        return predictor.predict(asked["run"], images, asked["epoch"])

    def grad_cam(asked: Header, image: Array) -> Array:
        of_class, finer = asked["class"], asked["finer"]
        return predictor.grad_cam(asked["run"], image, of_class, asked["epoch"], finer).fields

    return {"load": load, "predict": predict, "grad_cam": grad_cam}


if __name__ == "__main__":
    # Answers go out on a copy of standard output; what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(find_workspace(sys.argv[1]), sys.stdin.buffer, answers)
