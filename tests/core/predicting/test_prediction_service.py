import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from core.errors import InvalidRequest, NotComparable, PredictorDied, TransferLabError, UnknownRun
from core.jobs import Cancelled, Tell
from core.predicting.prediction_service import PredictionService
from core.predicting.predictor import ASKING, Predictor
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import PROJECT, Workspace

Images = NDArray[np.uint8]
Eventually = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def asked(trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with two networks and a run that has none."""
    workspace = Workspace(tmp_path_factory.mktemp("asked"))
    shutil.copytree(trained_workspace.runs, workspace.runs)
    Runs(workspace).create(change(RECIPES["cnn-digits"].config, {}), "untrained")
    return workspace


@pytest.fixture(scope="module")
def service(asked: Workspace) -> Iterator[PredictionService]:
    service = PredictionService(asked)
    yield service
    service.close()


@pytest.fixture(scope="module")
def predictor(asked: Workspace) -> Predictor:
    """Answers the same questions in this process."""
    return Predictor(Runs(asked))


@pytest.fixture(scope="module")
def images() -> Images:
    return np.random.default_rng(0).integers(0, 256, (8, 28, 28)).astype(np.uint8)


def processes(workspace: Workspace) -> list[psutil.Process]:
    """Our children that answer for a workspace."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and str(workspace.root) in child.cmdline()
    ]


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_it_answers_as_the_predictor_does(
    service: PredictionService, predictor: Predictor, images: Images, name: str
) -> None:
    found = service.predict(name, images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, predictor.predict(name, images), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_it_explains_as_the_predictor_does(
    service: PredictionService, predictor: Predictor, images: Images, name: str
) -> None:
    found = service.grad_cam(name, images[0], 3)
    expected = predictor.grad_cam(name, images[0], 3)
    assert found.empty == expected.empty
    np.testing.assert_allclose(found.fields, expected.fields, atol=1e-4)


def test_it_gives_a_network_as_a_file_that_answers_alike(
    service: PredictionService, predictor: Predictor, images: Images, tmp_path: Path
) -> None:
    file = tmp_path / "network.keras"
    file.write_bytes(service.export("cnn"))
    answers = keras.models.load_model(file).predict(images[..., np.newaxis], verbose=0)
    np.testing.assert_allclose(answers, predictor.predict("cnn", images), atol=1e-5)
    with pytest.raises(NotComparable, match="has no trained weights"):
        service.export("untrained")


def test_a_class_that_no_network_knows_is_told_and_ends_nothing(
    service: PredictionService, images: Images
) -> None:
    with pytest.raises(InvalidRequest, match="class must be from 0 to 9, got 10"):
        service.grad_cam("cnn", images[0], 10)
    assert service.predict("cnn", images).shape == (8, 10)


@pytest.mark.parametrize(
    ("name", "expected"), [("nobody", UnknownRun), ("untrained", NotComparable)]
)
def test_what_goes_wrong_is_told_as_the_predictor_tells_it(
    service: PredictionService,
    predictor: Predictor,
    images: Images,
    name: str,
    expected: type[TransferLabError],
) -> None:
    with pytest.raises(expected) as there:
        service.predict(name, images)
    with pytest.raises(expected) as here:
        predictor.predict(name, images)
    assert type(there.value) is type(here.value)
    assert str(there.value) == str(here.value)


def test_threads_that_ask_at_once_each_get_their_answer(
    service: PredictionService, predictor: Predictor, images: Images
) -> None:
    questions = [(("cnn", "vgg16")[i % 2], images[i % 7 : i % 7 + 1 + i % 2]) for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda question: service.predict(*question), questions))
    for question, answer in zip(questions, answers, strict=True):
        np.testing.assert_allclose(answer, predictor.predict(*question), rtol=1e-4, atol=1e-6)


def test_it_gives_the_features_that_the_predictor_does(
    service: PredictionService, predictor: Predictor, images: Images
) -> None:
    found, expected = (asked.features("cnn", images) for asked in (service, predictor))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_no_images_get_no_answers(service: PredictionService) -> None:
    assert service.predict("cnn", np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


def test_a_drawing_is_answered_while_another_session_waits_for_many_images(
    service: PredictionService, images: Images
) -> None:
    service.predict("vgg16", images)
    service.predict("cnn", images)
    many = np.zeros((300, 28, 28), np.uint8)
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(service.predict, "vgg16", many)
        answers = 0
        while not long.done():
            assert service.predict("cnn", images[:1]).shape == (1, 10)
            answers += 1
        assert long.result().shape == (300, 10)
    assert answers > 1


def test_all_who_wait_when_the_process_is_killed_get_their_answers(
    service: PredictionService, asked: Workspace, images: Images
) -> None:
    before = service.predict("cnn", images)
    many = np.repeat(images, 100, axis=0)
    (process,) = processes(asked)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(service.predict, "vgg16", many[:60]) for _ in range(3)]
        while not all(future.running() for future in waiting):
            pass
        process.kill()
        assert [future.result().shape for future in waiting] == [(60, 10)] * 3
    np.testing.assert_array_equal(service.predict("cnn", images), before)
    assert len(processes(asked)) == 1


def test_a_killed_process_is_started_again(
    service: PredictionService, asked: Workspace, images: Images
) -> None:
    before = service.predict("cnn", images)
    (process,) = processes(asked)
    process.kill()
    np.testing.assert_array_equal(service.predict("cnn", images), before)
    (started,) = processes(asked)
    assert started.pid != process.pid


def cancelling(at: str) -> Tell:
    """Cancels what it is told of in a phase, that of asking once a part is answered."""

    def tell(share: float, phase: str = "") -> None:
        if phase == at and (share > 0 or phase != ASKING):
            raise Cancelled

    return tell


def idle(process: psutil.Process) -> bool:
    """Whether a process does next to nothing for a while."""
    return process.cpu_percent(interval=0.5) < 20


def test_a_question_that_is_cancelled_frees_the_process_and_harms_no_other(
    service: PredictionService, asked: Workspace, images: Images, eventually: Eventually
) -> None:
    service.predict("vgg16", images)
    (process,) = processes(asked)
    many = np.zeros((3_000, 28, 28), np.uint8)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(service.predict, "vgg16", np.repeat(images, 10, axis=0))
        with pytest.raises(Cancelled):
            service.predict("vgg16", many, tell=cancelling(ASKING))
        assert other.result().shape == (80, 10)
    eventually(lambda: idle(process))
    assert service.predict("vgg16", images).shape == (8, 10)
    assert processes(asked) == [process]


def test_its_process_ends_when_it_is_closed(
    service: PredictionService, asked: Workspace, images: Images
) -> None:
    service.predict("cnn", images)
    service.close()
    assert processes(asked) == []


def test_a_process_that_starts_for_a_cancelled_question_alone_is_ended(
    asked: Workspace, images: Images, eventually: Eventually
) -> None:
    before, service = processes(asked), PredictionService(asked)
    service.warm_up("cnn")
    with pytest.raises(Cancelled):
        service.predict("cnn", images, tell=cancelling("starting TensorFlow"))
    eventually(lambda: processes(asked) == before)


def test_a_process_that_cannot_start_is_told_with_the_way_out(
    workspace: Workspace, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    service = PredictionService(workspace)
    with pytest.raises(PredictorDied, match="twice; the machine may be short of memory"):
        service.predict("cnn", images)
    assert processes(workspace) == []


@dataclass(frozen=True)
class Asker:
    """A process that asked one question and waits: what it got, and who answered."""

    process: "subprocess.Popen[str]"
    probabilities: NDArray[np.float32]
    loaded: list[str]
    answerer: psutil.Process


ASK = """
import json, sys
import numpy as np
import psutil
from core.predicting.prediction_service import PredictionService
from core.workspace import find_workspace

service = PredictionService(find_workspace(sys.argv[1]))
found = service.predict("cnn", np.zeros((1, 28, 28), np.uint8))
loaded = sorted({"tensorflow", "keras"} & {name.split(".")[0] for name in sys.modules})
(answerer,) = psutil.Process().children()
told = {"probabilities": found.tolist(), "loaded": loaded, "answerer": answerer.pid}
print(json.dumps(told), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def asker(asked: Workspace) -> Iterator[Asker]:
    process = subprocess.Popen(
        [sys.executable, "-c", ASK, str(asked.root)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        told = json.loads(process.stdout.readline())
        answerer = psutil.Process(told["answerer"])
        probabilities = np.array(told["probabilities"], np.float32)
        yield Asker(process, probabilities, told["loaded"], answerer)
        process.kill()


def test_who_asks_never_loads_tensorflow(asker: Asker) -> None:
    assert asker.probabilities.shape == (1, 10)
    assert asker.loaded == []


def test_its_process_ends_when_who_asked_is_killed(asker: Asker, eventually: Eventually) -> None:
    assert asker.answerer.is_running()
    asker.process.kill()
    asker.process.wait()
    eventually(lambda: not _runs(asker.answerer))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
