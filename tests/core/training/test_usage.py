import sys
import time
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from core.registry.run_files import Gpu
from core.training.usage import Meter

GIB = 2**30


def test_memory_is_what_this_process_holds() -> None:
    used = Meter().read()
    assert used.memory == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert 0 < used.free_memory <= psutil.virtual_memory().total


def test_cores_are_those_kept_busy_since_the_last_reading() -> None:
    meter, began, spent = Meter(), time.monotonic(), time.process_time()
    while time.process_time() - spent < 0.3:
        pass
    busy = meter.read().cores
    assert busy == pytest.approx(0.3 / (time.monotonic() - began), rel=0.5)
    time.sleep(0.3)
    assert meter.read().cores < busy


class Broken(Exception):
    """What the driver raises."""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A driver of two processors, of which the second does not tell how busy it is."""

    def load(gpu: int) -> Any:
        if gpu:
            raise Broken
        return SimpleNamespace(gpu=75)

    made = SimpleNamespace(
        NVMLError=Broken,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda place: place,
        nvmlDeviceGetMemoryInfo=lambda gpu: SimpleNamespace(used=2 * GIB, total=80 * GIB),
        nvmlDeviceGetName=lambda gpu: f"GPU {gpu}",
        nvmlDeviceGetUtilizationRates=load,
    )
    monkeypatch.setitem(sys.modules, "pynvml", made)
    return made


@pytest.mark.usefixtures("driver")
def test_a_gpu_that_does_not_tell_is_left_out_and_ends_no_training() -> None:
    expected = Gpu(name="GPU 0", load=0.75, memory=2 * GIB, total_memory=80 * GIB)
    assert Meter().read().gpus == (expected,)


def test_where_there_is_no_driver_there_are_no_gpus(driver: SimpleNamespace) -> None:
    def missing() -> None:
        raise Broken

    driver.nvmlInit = missing
    assert Meter().read().gpus == ()
