"""What this process finds itself on: machine, system, libraries. Nothing here loads TensorFlow."""

import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from core.registry.environment import Environment
from core.training.usage import Meter
from core.version import VERSION, revision

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless")
"""Libraries on whose version it may hang what a training comes to."""


def environment() -> Environment:
    """The environment of this process."""
    return Environment(
        began=datetime.now().astimezone(),
        host=socket.gethostname(),
        system=_system(),
        processor=processor(),
        cores=cores(),
        memory=psutil.virtual_memory().total,
        gpus=tuple(gpu.name for gpu in Meter().read().gpus),
        python=platform.python_version(),
        libraries=dict(_libraries()),
        version=VERSION,
        revision=revision(),
    )


def processor() -> str:
    """What the processor is called, by the system where Python does not know."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return _processor_of_mac() or platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor_of_mac() -> str:
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        told = subprocess.run(command, capture_output=True, check=True, text=True, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def _system() -> str:
    kernel = f"{platform.system()} {platform.release()} {platform.machine()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {kernel}"
    except (OSError, KeyError):
        return kernel


def _libraries() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:  # another build of it, under another name
            continue
