"""What the measurements were made on."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import psutil

from core.network import precision
from core.training.surroundings import cores, processor
from core.version import revision

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "streamlit")


def facts() -> dict[str, Any]:
    """Processor, cores, memory, versions and date."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision() or None,
        "machine": {
            "processor": processor(),
            "cores": cores(),
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
