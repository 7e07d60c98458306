"""What a process takes of the machine: processor, memory, and graphics processors if there are."""

from __future__ import annotations

from typing import Any

import psutil

from core.registry.run_files import Gpu, Usage


class Meter:
    """Measures this process; the processor's share is that since the last reading."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._gpus = _gpus()

    def read(self) -> Usage:
        """What it takes now."""
        return Usage(
            cores=round(self._process.cpu_percent() / 100, 2),
            memory=self._process.memory_info().rss,
            free_memory=psutil.virtual_memory().available,
            gpus=tuple(gpu for gpu in map(_read, self._gpus) if gpu is not None),
        )


def _gpus() -> list[Any]:
    """Handles of NVIDIA's processors, none where its driver is not there."""
    import pynvml

    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        return [pynvml.nvmlDeviceGetHandleByIndex(place) for place in range(count)]
    except pynvml.NVMLError:
        return []


def _read(gpu: Any) -> Gpu | None:
    """What a processor does now, None where it does not tell: no training ends over that."""
    import pynvml

    try:
        memory = pynvml.nvmlDeviceGetMemoryInfo(gpu)
        return Gpu(
            name=str(pynvml.nvmlDeviceGetName(gpu)),
            load=pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100,
            memory=int(memory.used),
            total_memory=int(memory.total),
        )
    except pynvml.NVMLError:
        return None
