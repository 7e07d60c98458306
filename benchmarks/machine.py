"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from core.network import precision
from core.workspace import PROJECT

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "streamlit")


def facts() -> dict[str, Any]:
    """Processor, cores, memory, versions and date."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": _revision(),
        "machine": {
            "processor": _processor(),
            "cores": _cores(),
            "memory_bytes": psutil.virtual_memory().total,
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "bfloat16": bool(precision.BFLOAT16_FLAGS & precision.cpu_flags()),
            "busy_at_start": _busy(),
        },
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _busy() -> bool:
    """Whether other programs take so much of the machine that timings mean little."""
    return psutil.cpu_percent(interval=2.0) > 15


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def _revision() -> str | None:
    """The commit that was measured; marked where files differ from it."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
